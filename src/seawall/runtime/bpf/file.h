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
#else
#define STEP static /* bpf_loop calls it */
#endif

struct walk {
	struct scratch *s;
	struct dentry *dentry, *root;
	struct vfsmount *mnt, *root_mount;
	__u32 parts, out, size;
};

/* One step towards the root. */
STEP long step_up(__u32 i, struct walk *w)
{
	struct dentry *dentry = w->dentry;
	struct vfsmount *mnt = w->mnt;
	if (dentry == w->root && mnt == w->root_mount)
		return 1;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mnt, mnt_root)) {
		struct mount *here = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
		struct mount *above = BPF_CORE_READ(here, mnt_parent);
		if (here == above) {
			/* A file that is a mount of its own, attached nowhere (runc's copy of itself): its name is all there is. */
			if (w->parts == 0 && (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFREG) {
				w->s->chain[0] = dentry;
				w->parts = 1;
			}
			return 1;
		}
		w->dentry = BPF_CORE_READ(here, mnt_mountpoint);
		w->mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
		return 0;
	}
	w->s->chain[w->parts & (PARTS - 1)] = dentry;
	w->parts++;
	w->dentry = parent;
	return w->parts >= PARTS || dentry == parent;
}

STEP long write_part(__u32 i, struct walk *w)
{
	__u32 at = w->out + w->size;
	if (w->parts == 0 || w->size >= MAX_PATH - 1 || at >= SCRATCH - 257)
		return 1;
	w->parts--;
	struct dentry *part = w->s->chain[w->parts & (PARTS - 1)];
	const unsigned char *name = BPF_CORE_READ(part, d_name.name);
	w->s->record[at] = '/';
	long got = bpf_probe_read_kernel_str(&w->s->record[at + 1], 256, name);
	if (got < 1 || got > 256)
		return 1;
	w->size += got;
	return 0;
}

/* bpf_loop came with 5.17. Before it the steps are written out, hence fewer of them. */
#ifdef SEAWALL_OLD
#define FOUR(step) step step step step
static __noinline int walk_up(struct walk *w)
{
	if (!w)
		return 0;
	FOUR(FOUR(if (step_up(0, w)) return 0;))
	FOUR(if (step_up(0, w)) return 0;)
	return 0;
}

static __noinline int write_parts(struct walk *w)
{
	if (!w)
		return 0;
	FOUR(FOUR(if (write_part(0, w)) return 0;))
	return 0;
}
#else
#define walk_up(w) bpf_loop(DEPTH, step_up, w, 0)
#define write_parts(w) bpf_loop(PARTS, write_part, w, 0)
#endif

/* Write the path at `out`, no closing zero; its size. Parts are gathered from the file to the root, then written. */
static __always_inline __u32 write_path(struct scratch *s, __u32 out, struct task_struct *task, struct path *from)
{
	struct walk w = { .s = s, .out = out };
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	w.root = BPF_CORE_READ(fs, root.dentry);
	w.root_mount = BPF_CORE_READ(fs, root.mnt);
	w.dentry = BPF_CORE_READ(from, dentry);
	w.mnt = BPF_CORE_READ(from, mnt);
	walk_up(&w);
	write_parts(&w);
	if (w.size == 0 && out < SCRATCH) {
		s->record[out] = '/';
		w.size = 1;
	}
	return w.size;
}

static __always_inline void fill_file(struct file_facts *out, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	out->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	out->mode = BPF_CORE_READ(inode, i_mode);
	out->ino = BPF_CORE_READ(inode, i_ino);
	out->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	out->marks = BPF_CORE_READ(inode, i_nlink) == 0 ? MARK_DELETED : 0;
	if (out->magic == OVERLAY) {
		/* struct ovl_inode has __upperdentry right behind its inode. */
		struct dentry *upper = 0;
		bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
		if (upper && BPF_CORE_READ(upper, d_inode))
			out->marks |= MARK_UPPER;
	}
	if ((out->magic == TMPFS || out->magic == HUGETLBFS) && dentry == BPF_CORE_READ(dentry, d_parent)) {
		char name[6] = {};
		bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
		if (name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':')
			out->marks |= MARK_MEMFD;
	}
}

static __always_inline struct file *file_at(struct task_struct *task, __u32 number)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots, *file = 0;
	if (!table || number >= BPF_CORE_READ(table, max_fds))
		return 0;
	slots = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + number);
	return file;
}

static __always_inline void fill_peer(struct descriptor *out, struct sock *sk)
{
	__u64 key = (__u64)sk;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u8 *way;
	out->state = BPF_CORE_READ(sk, __sk_common.skc_state);
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
