/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a file really is: its path as the process sees it, walked by hand (d_path is not for tracepoints), its marks,
 * and what descriptors 0 to 2 are. */
#ifndef SEAWALL_FILE_H
#define SEAWALL_FILE_H

#include "maps.h"

#define DEPTH 64 /* steps, mounts included */
#define PARTS 32 /* of a path; of a deeper one the lowest */
#define OVERLAY 0x794c7630
#define TMPFS 0x01021994
#define HUGETLBFS 0x958458f6
#define PROCFS 0x9fa0
#define SYSFS 0x62656572
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#ifdef SEAWALL_OLD
#define STEP static __always_inline
#define KEPT 16 /* parts that are written there */
#else
#define STEP static /* bpf_loop calls it */
#define KEPT PARTS
#endif

struct walk { struct scratch *s; }; /* the rest is in the scratch: the verifier does not count what lies there */

/* Whether one part more fits; of a path that is too long the beginning is left out, never its end. */
static __always_inline int gather(struct scratch *s, struct dentry *dentry)
{
	__u32 length = BPF_CORE_READ(dentry, d_name.len) + 1;
	if (s->parts >= KEPT || (s->parts && s->gathered + length > MAX_PATH - 8)) {
		s->cut = 1;
		return 0;
	}
	s->gathered += length;
	s->chain[s->parts & (PARTS - 1)] = dentry;
	s->parts++;
	return 1;
}

/* One step towards the root. */
STEP long step_up(__u32 i, struct walk *w)
{
	struct scratch *s = w->s;
	struct dentry *dentry = s->dentry;
	struct vfsmount *mnt = s->mnt;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt_root)) {
		struct mount *here = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
		struct mount *above = BPF_CORE_READ(here, mnt_parent);
		if (here == above) {
			/* A file that is a mount of its own, attached nowhere (runc's copy of itself): its name is all there is. */
			if (s->parts == 0 && (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFREG) {
				s->chain[0] = dentry;
				s->parts = 1;
			}
			return 1;
		}
		s->dentry = BPF_CORE_READ(here, mnt_mountpoint);
		s->mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
		return 0;
	}
	if (!gather(s, dentry))
		return 1;
	s->dentry = parent;
	return dentry == parent;
}

/* One step towards the root of the file system itself, whatever is mounted where. */
STEP long step_inner(__u32 i, struct walk *w)
{
	struct scratch *s = w->s;
	struct dentry *dentry = s->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == parent)
		return 1;
	if (!gather(s, dentry))
		return 1;
	s->dentry = parent;
	return 0;
}

STEP long write_part(__u32 i, struct walk *w)
{
	struct scratch *s = w->s;
	__u32 at = s->out;
	if (s->parts == 0 || s->written >= MAX_PATH - 1 || at >= SCRATCH - 257)
		return 1;
	s->parts--;
	struct dentry *part = s->chain[s->parts & (PARTS - 1)];
	const unsigned char *name = BPF_CORE_READ(part, d_name.name);
	s->record[at] = '/';
	long got = bpf_probe_read_kernel_str(&s->record[at + 1], 256, name);
	if (got < 1 || got > 256)
		return 1;
	s->out = at + got;
	s->written += got;
	return 0;
}

/* bpf_loop came with 5.17. Before it the steps are written out, hence fewer of them. */
#ifdef SEAWALL_OLD
#define FOUR(step) step step step step
static __noinline __attribute__((unused)) int walk_up(struct walk *w)
{
	if (!w || !w->s)
		return 0;
	FOUR(FOUR(if (step_up(0, w)) return 0;))
	FOUR(if (step_up(0, w)) return 0;)
	return 0;
}

static __noinline __attribute__((unused)) int climb(struct walk *w)
{
	if (!w || !w->s)
		return 0;
	FOUR(FOUR(if (step_inner(0, w)) return 0;))
	return 0;
}

static __noinline __attribute__((unused)) int write_parts(struct walk *w)
{
	if (!w || !w->s)
		return 0;
	FOUR(FOUR(if (write_part(0, w)) return 0;))
	return 0;
}
#else
#define walk_up(w) bpf_loop(DEPTH, step_up, w, 0)
#define climb(w) bpf_loop(DEPTH, step_inner, w, 0)
#define write_parts(w) bpf_loop(PARTS, write_part, w, 0)
#endif

static __always_inline void begin(struct scratch *s, __u32 out)
{
	s->parts = s->written = s->gathered = s->cut = 0;
	s->out = out;
}

/* What was gathered, below /... if that is not all. */
static __always_inline void write_gathered(struct walk *w)
{
	struct scratch *s = w->s;
	__u32 at = s->out;
	UNKNOWN(at);
	if (s->cut && at < SCRATCH - 512) {
		__builtin_memcpy(&s->record[at], "/...", 4);
		s->out = at + 4;
		s->written = 4;
	}
	write_parts(w);
}

SUBPROGRAM __u32 write_inner(__u32 out, __u64 from)
{
	struct walk w = { scratch() };
	struct scratch *s = w.s;
	if (!s)
		return 0;
	s->dentry = (void *)from;
	begin(s, out);
	climb(&w);
	write_gathered(&w);
	return s->written;
}

/* Write the path at `out`, no closing zero; its size. Parts are gathered from the file to the root, then written. The root
 * is the mount namespace's own, not the caller's: chroot changes no path. */
SUBPROGRAM __u32 write_path(__u32 out, __u64 dentry, __u64 mnt)
{
	struct walk w = { scratch() };
	struct scratch *s = w.s;
	if (!s)
		return 0;
	s->dentry = (void *)dentry;
	s->mnt = (void *)mnt;
	begin(s, out);
	walk_up(&w);
	write_gathered(&w);
	if (s->written == 0 && out < SCRATCH) {
		s->record[out] = '/';
		s->written = 1;
	}
	return s->written;
}

static __always_inline __u32 write_file(__u32 out, struct file *file)
{
	return write_path(out, (__u64)BPF_CORE_READ(file, f_path.dentry), (__u64)BPF_CORE_READ(file, f_path.mnt));
}

static __always_inline __u32 write_cwd(__u32 out)
{
	struct task_struct *task = current_task();
	struct fs_struct *fs = GET(task, fs);
	return write_path(out, (__u64)BPF_CORE_READ(fs, pwd.dentry), (__u64)BPF_CORE_READ(fs, pwd.mnt));
}

/* File systems whose files mean something by their own path. */
static __always_inline int is_virtual(__u32 magic)
{
	switch (magic) {
	case PROCFS: case SYSFS:
	case 0x27e0eb: case 0x63677270: /* cgroup, cgroup2 */
	case 0x64626720: case 0x74726163: case 0x73636673: /* debugfs, tracefs, securityfs */
	case 0x42494e4d: case 0xcafe4a11: case 0x62656570: /* binfmt_misc, bpf, configfs */
	case 0x65735546: case 0xde5e81e4: /* FUSE (lxcfs), efivarfs */
		return 1;
	}
	return 0;
}

/* The path inside such a file system; procfs and sysfs under the names that the filters know them by. */
static __always_inline __u32 write_canonical(struct scratch *s, __u32 out, struct dentry *from, __u32 magic)
{
	__u32 size = 0, got;
	UNKNOWN(out);
	if (out > SCRATCH - 512)
		return 0;
	if (magic == PROCFS) {
		__builtin_memcpy(&s->record[out], "/proc", 5);
		size = 5;
	} else if (magic == SYSFS) {
		__builtin_memcpy(&s->record[out], "/sys", 4);
		size = 4;
	}
	got = write_inner(out + size, (__u64)from);
	return got > MAX_PATH + 256 ? 0 : size + got;
}

/* Does a mount belong to another mount namespace than the task? Of one that is attached nowhere, nobody can say. */
static __always_inline int is_foreign(struct task_struct *task, struct vfsmount *mnt)
{
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
	struct mnt_namespace *its = BPF_CORE_READ(mount, mnt_ns), *ours;
	if (!mnt || !its || (__u64)its >= -4096ULL)
		return 0;
	ours = BPF_CORE_READ(task, nsproxy, mnt_ns);
	if (!ours || its == ours)
		return 0;
	return BPF_CORE_READ(its, ns.inum) != 0;
}

static __always_inline __u8 cwd_flag(struct task_struct *task)
{
	return is_foreign(task, BPF_CORE_READ(task, fs, pwd.mnt)) ? FLAG_FOREIGN_CWD : 0;
}

/* struct ovl_inode has __upperdentry right behind its inode. */
static __always_inline struct dentry *upper_of(struct inode *inode)
{
	struct dentry *upper = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper && BPF_CORE_READ(upper, d_inode) ? upper : 0;
}

static __always_inline void fill_file(struct file_facts *out, struct task_struct *task, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	out->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	out->mode = BPF_CORE_READ(inode, i_mode);
	out->ino = BPF_CORE_READ(inode, i_ino);
	out->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	out->marks = BPF_CORE_READ(inode, i_nlink) == 0 ? MARK_DELETED : 0;
	out->rdev = BPF_CORE_READ(inode, i_rdev);
	out->reserved = 0;
	if (out->magic == OVERLAY && upper_of(inode))
		out->marks |= MARK_UPPER;
	if (is_foreign(task, BPF_CORE_READ(file, f_path.mnt)))
		out->marks |= MARK_FOREIGN;
	if ((out->magic == TMPFS || out->magic == HUGETLBFS) && dentry == BPF_CORE_READ(dentry, d_parent)) {
		char name[6] = {};
		bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
		if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':')
			out->marks |= MARK_MEMFD;
	}
}

static __always_inline struct file *file_at(struct task_struct *task, __u32 number)
{
	struct files_struct *files = GET(task, files);
	struct fdtable *table = BPF_CORE_READ(files, fdt);
	struct file **slots, *file = 0;
	if (!table || number >= BPF_CORE_READ(table, max_fds))
		return 0;
	slots = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + number);
	return file;
}

static __always_inline void fill_protocol(struct descriptor *out, struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_type))
		return;
	out->socket_type = BPF_CORE_READ(sk, sk_type);
	out->protocol = BPF_CORE_READ(sk, sk_protocol);
}

static __always_inline void fill_peer(struct descriptor *out, struct sock *sk)
{
	__u64 key = (__u64)sk;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u8 *way;
	out->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	fill_protocol(out, sk);
	if (family == AF_INET) {
		__u32 address = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		out->type = FD_INET;
		__builtin_memcpy(out->address, &address, 4);
	} else if (family == AF_INET6) {
		out->type = FD_INET6;
		BPF_CORE_READ_INTO(&out->address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	} else {
		out->type = family == AF_UNIX ? FD_UNIX : FD_OTHER;
		return;
	}
	out->port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	way = bpf_map_lookup_elem(&directions, &key);
	if (way)
		out->direction = *way;
}

/* This side of a socket. */
static __always_inline void fill_own(struct descriptor *out, struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__builtin_memset(out, 0, sizeof(*out));
	out->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	fill_protocol(out, sk);
	if (family == AF_INET) {
		__u32 address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		out->type = FD_INET;
		__builtin_memcpy(out->address, &address, 4);
	} else if (family == AF_INET6) {
		out->type = FD_INET6;
		BPF_CORE_READ_INTO(&out->address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	}
	if (out->type)
		out->port = BPF_CORE_READ(sk, __sk_common.skc_num);
}

static __always_inline struct sock *socket_of(struct file *file)
{
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __noinline int fill_descriptor(struct descriptor *out, struct task_struct *task, __u32 number)
{
	struct file *file = file_at(task, number);
	if (!out)
		return 0;
	__builtin_memset(out, 0, sizeof(*out));
	if (!file)
		return 0;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	out->inode = BPF_CORE_READ(inode, i_ino);
	out->type = FD_OTHER;
	if (type == S_IFSOCK) {
		struct socket *socket = BPF_CORE_READ(file, private_data);
		fill_peer(out, BPF_CORE_READ(socket, sk));
	} else if (type == S_IFIFO) {
		out->type = FD_PIPE;
	} else if (type == S_IFREG || type == S_IFDIR || type == S_IFBLK) {
		out->type = FD_FILE;
	} else if (type == S_IFCHR) {
		__u32 device = BPF_CORE_READ(inode, i_rdev);
		__u32 major = device >> 20, minor = device & 0xfffff;
		if (major == 1 && minor == 3)
			out->type = FD_NULL;
		else if (major == 4 || major == 5 || (major >= 136 && major <= 143))
			out->type = FD_TTY;
	}
	return 0;
}

#endif
