// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Refuses, inline and with EPERM, what the tables of deny.h forbid containers. Only kernels with `bpf` in their list of
 * security modules take it; where this loads, deny.bpf.c and egress.bpf.c are not needed. */
/* Room of its own: where the kernel may be preempted, a tracepoint's program could come in between. */
#define scratches lsm_scratches
#include "deny.h"

#define EPERM 1
#define FMODE_WRITE 2

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sockaddr { __u16 sa_family; };
struct sockaddr_in { __u16 sin_family; __u16 sin_port; struct { __u32 s_addr; } sin_addr; };
struct sockaddr_in6 { __u16 sin6_family; __u16 sin6_port; __u32 sin6_flowinfo; struct in6_addr sin6_addr; };
struct msghdr { void *msg_name; int msg_namelen; };
#pragma clang attribute pop

static __always_inline int enforcing(void)
{
	struct settings *set = settings();
	return set && set->enforce && set->self != (__u32)(bpf_get_current_pid_tgid() >> 32);
}

SUBPROGRAM int forbidden_peer(unsigned long at, int length)
{
	struct sockaddr *to = (void *)at;
	__u16 family = to ? BPF_CORE_READ(to, sa_family) : 0;
	if (family == AF_INET && length >= 8) {
		struct address4 key = { .bits = 32 };
		BPF_CORE_READ_INTO(&key.at, (struct sockaddr_in *)to, sin_addr.s_addr);
		return bpf_map_lookup_elem(&deny_peers4, &key) != 0;
	}
	if (family == AF_INET6 && length >= 24) {
		struct address6 key = { .bits = 128 };
		struct address4 mapped = { .bits = 32 };
		BPF_CORE_READ_INTO(&key.at, (struct sockaddr_in6 *)to, sin6_addr.in6_u.u6_addr8);
		if (bpf_map_lookup_elem(&deny_peers6, &key))
			return 1;
		for (int i = 0; i < 10; i++)
			if (key.at[i])
				return 0;
		if (key.at[10] != 0xff || key.at[11] != 0xff)
			return 0;
		__builtin_memcpy(mapped.at, key.at + 12, 4);
		return bpf_map_lookup_elem(&deny_peers4, &mapped) != 0;
	}
	return 0;
}

static __always_inline int asked_for(__u32 call)
{
	__u32 zero = 0, *calls = bpf_map_lookup_elem(&deny_calls, &zero);
	return calls && (*calls & call);
}

static __always_inline int forbidden_call(__u32 call)
{
	return asked_for(call) && enforcing() && in_container();
}

/* While the loader tries whether the kernel asks: a file of a name in the table, whoever writes it. */
static __always_inline int tried(struct file *file)
{
	struct name_key name = {};
	bpf_probe_read_kernel_str(name.text, MAX_NAME, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return bpf_map_lookup_elem(&deny_write_names, &name) != 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_exec, struct linux_binprm *bprm, int ret)
{
	if (ret || !enforcing() || !in_container())
		return ret;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct task_struct *task = bpf_get_current_task_btf();
	if (!forbidden(file, 0) && !forbidden_memory(task, file))
		return 0;
	note(task, REFUSED_EXEC);
	return -EPERM;
}

SEC("lsm/file_open")
int BPF_PROG(lsm_open, struct file *file, int ret)
{
	__u32 mode = BPF_CORE_READ(file, f_mode);
	if (ret || !(mode & FMODE_WRITE) || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return ret;
	if (asked_for(CALL_TRIAL))
		return tried(file) ? -EPERM : 0;
	if (!enforcing() || !in_container() || !forbidden(file, 1))
		return 0;
	note(bpf_get_current_task_btf(), REFUSED_OPEN);
	return -EPERM;
}

/* What takes a file's place or takes it away changes it as well; a second name would be a way around the first. */
static __always_inline int changes(const struct path *folder, struct dentry *dentry)
{
	if (!enforcing() || !in_container())
		return 0;
	if (!forbidden_at(plain(dentry), (unsigned long)BPF_CORE_READ(folder, mnt), 1))
		return 0;
	note(bpf_get_current_task_btf(), REFUSED_OPEN);
	return -EPERM;
}

SEC("lsm/path_unlink")
int BPF_PROG(lsm_unlink, const struct path *folder, struct dentry *dentry, int ret)
{
	return ret ? ret : changes(folder, dentry);
}

SEC("lsm/path_rename")
int BPF_PROG(lsm_rename, const struct path *from, struct dentry *old, const struct path *to, struct dentry *new)
{
	int refused = changes(from, old);
	return refused ? refused : changes(to, new);
}

SEC("lsm/path_link")
int BPF_PROG(lsm_link, struct dentry *old, const struct path *to, struct dentry *new, int ret)
{
	int refused = ret ? ret : changes(to, old);
	return refused ? refused : changes(to, new);
}

SEC("lsm/path_truncate")
int BPF_PROG(lsm_truncate, const struct path *path, int ret)
{
	if (ret || !enforcing() || !in_container())
		return ret;
	if (!forbidden_at((unsigned long)BPF_CORE_READ(path, dentry), (unsigned long)BPF_CORE_READ(path, mnt), 1))
		return 0;
	note(bpf_get_current_task_btf(), REFUSED_OPEN);
	return -EPERM;
}

SEC("lsm/socket_connect")
int BPF_PROG(lsm_connect, struct socket *socket, struct sockaddr *to, int length, int ret)
{
	if (ret || !enforcing() || !forbidden_peer(plain(to), length) || !in_container())
		return ret;
	return -EPERM;
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsm_send, struct socket *socket, struct msghdr *message, int size, int ret)
{
	unsigned long to = (unsigned long)BPF_CORE_READ(message, msg_name);
	if (ret || !to || !enforcing() || !forbidden_peer(to, BPF_CORE_READ(message, msg_namelen)) || !in_container())
		return ret;
	return -EPERM;
}

SEC("lsm/sb_mount")
int BPF_PROG(lsm_mount, const char *device, const struct path *path, const char *type, unsigned long flags, void *data, int ret)
{
	return ret ? ret : forbidden_call(CALL_MOUNT) ? -EPERM : 0;
}

/* The newer interface for mounts asks here. */
SEC("lsm/move_mount")
int BPF_PROG(lsm_move_mount, const struct path *from, const struct path *to, int ret)
{
	return ret ? ret : forbidden_call(CALL_MOUNT) ? -EPERM : 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(lsm_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
	/* Reading /proc asks too, with another mode: only taking hold is meant. */
	return ret ? ret : (mode & PTRACE_ATTACHES) && forbidden_call(CALL_PTRACE) ? -EPERM : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
