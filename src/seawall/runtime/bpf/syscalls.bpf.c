// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls, looked at when they return: by then the kernel's own tables say what was really done, and what the
 * caller wrote into its memory meanwhile no longer matters. One program for all: every hook costs each call. */
#include "task.h"
#include "file.h"

#ifndef __TARGET_ARCH_x86
#error "system call numbers are known for x86-64 only"
#endif

enum {
	NR_OPEN = 2, NR_DUP = 32, NR_DUP2 = 33, NR_CONNECT = 42, NR_FCNTL = 72, NR_CREAT = 85, NR_PTRACE = 101,
	NR_MOUNT = 165, NR_OPENAT = 257, NR_UNSHARE = 272, NR_DUP3 = 292, NR_SETNS = 308, NR_OPENAT2 = 437,
};
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define O_CREAT 0100
#define O_WRITES (01 | 02 | O_CREAT | 01000)
#define EINPROGRESS 115

struct sockaddr_text { __u16 family; __u16 port; __u8 rest[104]; };

static __always_inline int wanted(int kind)
{
	struct settings *set = settings();
	return set && (set->kinds & (1 << kind)) && set->self != (__u32)(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline int name_matches(struct scratch *s, struct file *file)
{
	__builtin_memset(&s->name, 0, sizeof(s->name));
	bpf_probe_read_kernel_str(s->name.text, MAX_NAME, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return bpf_map_lookup_elem(&open_names, &s->name) != 0;
}

static __always_inline int path_matches(struct scratch *s, __u32 at, __u32 size)
{
	s->key.bits = (MAX_FILTER + 1) * 8;
	__builtin_memset(s->key.text, 0, sizeof(s->key.text));
	if (size > MAX_FILTER)
		size = MAX_FILTER;
	barrier_var(size); /* older verifiers know a bound only of the register that was compared */
	size &= MAX_FILTER;
	if (at > SCRATCH - 256)
		return 0;
	bpf_probe_read_kernel(s->key.text, size, &s->record[at]);
	return bpf_map_lookup_elem(&open_paths, &s->key) != 0;
}

static __noinline int on_open(struct task_struct *task, __u32 flags, long fd)
{
	struct settings *set = settings();
	struct scratch *s = scratch();
	struct file *file = file_at(task, fd);
	if (!s || !set || !file)
		return 0;
	flags |= BPF_CORE_READ(file, f_flags);
	if (!(flags & O_WRITES))
		return 0;
	struct open_record *r = (void *)s->record;
	struct cgroup_facts *facts = fill_header(&r->header, KIND_OPEN, task, fd);
	if (!set->open_all && !(facts && facts->container))
		return 0;
	__u32 size = write_path(s, sizeof(*r), task, &file->f_path);
	if (size > MAX_PATH + 256)
		return 0;
	if (!name_matches(s, file) && !path_matches(s, sizeof(*r), size))
		return 0;
	if (throttled(r->header.cgroup, r->header.time))
		return 0;
	fill_file(&r->file, file);
	r->open_flags = flags;
	r->path_size = size;
	send(&bulk, 1, s->record, sizeof(*r) + size, 0);
	return 0;
}

/* Where a Unix peer lives: the file its socket is bound to, under whatever name the caller reached it. */
static __always_inline __u32 unix_peer(struct scratch *s, struct connect_record *r, struct sock *sk)
{
	struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (!peer)
		return 0;
	struct dentry *dentry = BPF_CORE_READ(peer, path.dentry);
	if (dentry) {
		r->socket_inode = BPF_CORE_READ(dentry, d_inode, i_ino);
		r->socket_dev = BPF_CORE_READ(dentry, d_inode, i_sb, s_dev);
	}
	struct unix_address *address = BPF_CORE_READ(peer, addr);
	if (!address)
		return 0;
	__u32 size = BPF_CORE_READ(address, len);
	if (size <= 2)
		return 0;
	size -= 2;
	if (size > 108)
		size = 108;
	if (bpf_probe_read_kernel(&s->record[sizeof(*r)], size, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2))
		return 0;
	return size;
}

/* A refused or unfinished call leaves nothing in the socket: then the caller's own words are all there is. */
static __always_inline __u32 named_peer(struct scratch *s, struct connect_record *r, unsigned long address, unsigned long length)
{
	struct sockaddr_text *named = (void *)s->text;
	if (length > sizeof(*named))
		length = sizeof(*named);
	__builtin_memset(named, 0, sizeof(*named));
	if (bpf_probe_read_user(named, length, (void *)address) || length < 4)
		return 0;
	if (named->family == AF_UNIX) {
		r->peer.type = FD_UNIX;
		length -= 2;
		if (length > 106)
			length = 106;
		bpf_probe_read_kernel(&s->record[sizeof(*r)], length, s->text + 2);
		return length;
	}
	r->peer.port = __builtin_bswap16(named->port);
	if (named->family == AF_INET) {
		r->peer.type = FD_INET;
		__builtin_memcpy(r->peer.address, named->rest, 4);
	} else if (named->family == AF_INET6) {
		r->peer.type = FD_INET6;
		__builtin_memcpy(r->peer.address, named->rest + 4, 16);
	}
	return 0;
}

static __noinline int on_connect(struct task_struct *task, long fd, unsigned long address, unsigned long length, long ret)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct connect_record *r = (void *)s->record;
	fill_descriptor(&r->peer, task, fd);
	if (r->peer.type != FD_INET && r->peer.type != FD_INET6 && r->peer.type != FD_UNIX)
		return 0;
	fill_header(&r->header, KIND_CONNECT, task, ret);
	r->socket_inode = 0;
	r->socket_dev = 0;
	__u32 size = 0;
	if (r->peer.type == FD_UNIX && ret == 0) {
		struct file *file = file_at(task, fd);
		struct socket *socket = BPF_CORE_READ(file, private_data);
		size = unix_peer(s, r, BPF_CORE_READ(socket, sk));
	} else if (r->peer.port == 0 || ret < 0) {
		size = named_peer(s, r, address, length);
	}
	if (size > 108 || throttled(r->header.cgroup, r->header.time))
		return 0;
	r->path_size = size;
	send(&bulk, 1, s->record, sizeof(*r) + size, 0);
	return 0;
}

/* Only sockets: what else a shell puts on 0 to 2 is in the record of the exec that follows. */
static __noinline int on_dup(struct task_struct *task, long ret)
{
	struct scratch *s = scratch();
	if (!s || ret < 0 || ret > 2)
		return 0;
	struct dup_record *r = (void *)s->record;
	for (__u32 i = 0; i < 3; i++)
		fill_descriptor(&r->stdio[i], task, i);
	__u8 type = r->stdio[ret & 3].type;
	if (ret > 2 || (type != FD_INET && type != FD_INET6 && type != FD_UNIX))
		return 0;
	fill_header(&r->header, KIND_DUP, task, ret);
	send(&critical, 0, s->record, sizeof(*r), type != FD_UNIX);
	return 0;
}

static __noinline int on_call(struct task_struct *task, int kind, __u64 request, __u64 target, long ret)
{
	struct call_record r = {};
	fill_header(&r.header, kind, task, ret);
	r.request = request;
	r.target = target;
	fill_namespaces(&r.namespaces, task);
	send(&critical, 0, &r, sizeof(r), 1);
	return 0;
}

/* Reading and stepping are a debugger's thousands a second; taking hold of a process and changing it are not. */
static __always_inline int telling(__u64 request)
{
	return request == 0 || (request >= 4 && request <= 6) || request == 13 || request == 15 || request == 16 ||
	       request == 0x4205 || request == 0x4206;
}

static __noinline int on_mount(struct task_struct *task, struct pt_regs *regs, long ret)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct mount_record *r = (void *)s->record;
	fill_header(&r->header, KIND_MOUNT, task, ret);
	r->mount_flags = BPF_CORE_READ(regs, r10);
	long path = bpf_probe_read_user_str(&s->record[sizeof(*r)], 512, (void *)BPF_CORE_READ(regs, si));
	if (path < 1 || path > 512)
		path = 1;
	path = (path - 1) & 511; /* older verifiers forget the bounds of a difference */
	long type = bpf_probe_read_user_str(&s->record[sizeof(*r) + path], 64, (void *)BPF_CORE_READ(regs, dx));
	if (type < 1 || type > 64)
		type = 1;
	type = (type - 1) & 63;
	r->path_size = path;
	r->type_size = type;
	send(&critical, 0, s->record, sizeof(*r) + path + type, 1);
	return 0;
}

static __always_inline int opens(struct task_struct *task, struct pt_regs *regs, long nr, long ret)
{
	__u64 flags = O_WRITES;
	if (ret < 0)
		return 0;
	if (nr == NR_OPEN)
		flags = BPF_CORE_READ(regs, si);
	else if (nr == NR_OPENAT)
		flags = BPF_CORE_READ(regs, dx);
	else if (nr == NR_CREAT)
		flags = O_CREAT | 01 | 01000;
	else if (bpf_probe_read_user(&flags, sizeof(flags), (void *)BPF_CORE_READ(regs, dx)))
		flags = 0;
	/* Nearly all opens only read: they end here, before anything is looked up. */
	if (nr != NR_OPENAT2 && !(flags & O_WRITES))
		return 0;
	return wanted(KIND_OPEN) ? on_open(task, flags, ret) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	long nr = BPF_CORE_READ(regs, orig_ax);
	struct task_struct *task;
	switch (nr) {
	case NR_OPEN: case NR_OPENAT: case NR_OPENAT2: case NR_CREAT: case NR_CONNECT: case NR_DUP: case NR_DUP2:
	case NR_DUP3: case NR_FCNTL: case NR_SETNS: case NR_UNSHARE: case NR_PTRACE: case NR_MOUNT:
		break;
	default:
		return 0;
	}
	task = (void *)bpf_get_current_task();
	unsigned long first = BPF_CORE_READ(regs, di), second = BPF_CORE_READ(regs, si);
	switch (nr) {
	case NR_CONNECT:
		return wanted(KIND_CONNECT) ? on_connect(task, first, second, BPF_CORE_READ(regs, dx), ret) : 0;
	case NR_FCNTL:
		if (second != F_DUPFD && second != F_DUPFD_CLOEXEC)
			return 0;
		/* fall through */
	case NR_DUP: case NR_DUP2: case NR_DUP3:
		return ret >= 0 && ret <= 2 && wanted(KIND_DUP) ? on_dup(task, ret) : 0;
	case NR_SETNS:
		return wanted(KIND_SETNS) ? on_call(task, KIND_SETNS, 0, second, ret) : 0;
	case NR_UNSHARE:
		return wanted(KIND_UNSHARE) ? on_call(task, KIND_UNSHARE, 0, first, ret) : 0;
	case NR_PTRACE:
		return telling(first) && wanted(KIND_PTRACE) ? on_call(task, KIND_PTRACE, first, second, ret) : 0;
	case NR_MOUNT:
		return wanted(KIND_MOUNT) ? on_mount(task, regs, ret) : 0;
	}
	return opens(task, regs, nr, ret);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
