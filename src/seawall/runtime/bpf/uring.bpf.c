// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Operations submitted through io_uring: no system call shows them. They are told as they are submitted, from what the
 * kernel has already copied from the caller; whether they succeed is not known then. */
#include "calls.h"
#include "network.h"

enum { OP_CONNECT = 16, OP_OPENAT = 18, OP_SEND = 26, OP_OPENAT2 = 28, OP_SENDMSG = 9, OP_RENAMEAT = 35, OP_UNLINKAT = 36,
       OP_MKDIRAT = 37, OP_SYMLINKAT = 38, OP_LINKAT = 39 };

static __always_inline int is_told(__u8 opcode)
{
	switch (opcode) {
	case OP_SENDMSG: case OP_CONNECT: case OP_OPENAT: case OP_SEND: case OP_OPENAT2: case OP_RENAMEAT: case OP_UNLINKAT:
	case OP_MKDIRAT: case OP_SYMLINKAT: case OP_LINKAT:
		return 1;
	}
	return 0;
}

/* Like write_text, of a name that the kernel has copied already. */
SUBPROGRAM __u32 write_name(__u32 at, __u64 name, long base)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	const char *text = BPF_CORE_READ((struct filename *)name, name);
	char first = 0;
	__u32 directory = 0;
	if (!s || !name || at > SCRATCH - 2560)
		return 0;
	bpf_probe_read_kernel(&first, 1, text);
	if (base && first != '/') {
		struct file *file = 0;
		if ((__s32)base == AT_FDCWD)
			directory = write_cwd(at);
		else if ((file = file_at(task, (__u32)base)))
			directory = write_file(at, file);
		if (directory > MAX_PATH + 256)
			return 0;
		at += directory;
	}
	UNKNOWN(at);
	if (at > SCRATCH - MAX_PATH)
		return 0;
	long got = bpf_probe_read_kernel_str(&s->record[at], MAX_PATH, text);
	if (got < 1 || got > MAX_PATH)
		got = 1;
	return directory << 16 | ((got - 1) & (MAX_PATH - 1));
}

struct names { __u64 first, second; long first_base, second_base; };

static __always_inline void find_names(struct syscall_record *r, __u8 opcode, void *command, struct names *out)
{
	if (opcode == OP_OPENAT || opcode == OP_OPENAT2) {
		struct io_open *open = command;
		out->first = (__u64)BPF_CORE_READ(open, filename);
		out->first_base = BPF_CORE_READ(open, dfd);
		r->args[2] = BPF_CORE_READ(open, how.flags);
	} else if (opcode == OP_UNLINKAT) {
		struct io_unlink *unlink = command;
		out->first = (__u64)BPF_CORE_READ(unlink, filename);
		out->first_base = BPF_CORE_READ(unlink, dfd);
	} else if (opcode == OP_MKDIRAT) {
		struct io_mkdir *made = command;
		out->first = (__u64)BPF_CORE_READ(made, filename);
		out->first_base = BPF_CORE_READ(made, dfd);
	} else if (opcode == OP_RENAMEAT) {
		struct io_rename *rename = command;
		out->first = (__u64)BPF_CORE_READ(rename, oldpath);
		out->second = (__u64)BPF_CORE_READ(rename, newpath);
		out->first_base = BPF_CORE_READ(rename, old_dfd);
		out->second_base = BPF_CORE_READ(rename, new_dfd);
	} else if (opcode == OP_LINKAT || opcode == OP_SYMLINKAT) {
		struct io_link *link = command;
		out->first = (__u64)BPF_CORE_READ(link, oldpath);
		out->second = (__u64)BPF_CORE_READ(link, newpath);
		out->first_base = opcode == OP_LINKAT ? BPF_CORE_READ(link, old_dfd) : 0;
		out->second_base = BPF_CORE_READ(link, new_dfd);
	}
}

static __always_inline int on_request(struct io_kiocb *request)
{
	__u8 opcode = BPF_CORE_READ(request, opcode);
	struct settings *set = settings();
	struct scratch *s = scratch();
	struct task_struct *task = current_task();
	if (!is_told(opcode) || !set || !s || !(set->kinds & (1 << KIND_URING)) || set->self == GET(task, tgid))
		return 0;
	struct syscall_record *r = &s->syscall;
	struct cgroup_facts *facts = fill_header(&r->header, KIND_URING, task, 0);
	if (!(facts && facts->container) || throttled(r->header.cgroup, r->header.time, BUDGET_CALLS, RATE_CALLS))
		return 0;
	int fd = BPF_CORE_READ(request, cqe.fd);
	void *command = request; /* what an operation keeps of its own is the request's first field */
	struct names found = {};
	__builtin_memset(r->args, 0, sizeof(r->args));
	__builtin_memset(&r->file, 0, sizeof(r->file));
	__builtin_memset(&r->peer, 0, sizeof(r->peer));
	__builtin_memset(&r->own, 0, sizeof(r->own));
	r->args[0] = fd;
	r->number = opcode;
	r->reserved = 0;
	r->path_size = 0;
	find_names(r, opcode, command, &found);
	if (opcode == OP_CONNECT) {
		struct io_connect *connect = command;
		read_address(s, &r->peer, (__u64)BPF_CORE_READ(connect, addr), BPF_CORE_READ(connect, addr_len));
	} else if (opcode == OP_SEND || opcode == OP_SENDMSG) {
		fill_descriptor(&r->peer, task, fd);
		if (r->peer.type != FD_INET && r->peer.type != FD_INET6)
			return 0;
	}
	__u32 size = sizeof(*r), got = 0;
	if (found.first)
		got = write_name(size, found.first, found.first_base);
	r->base1_size = got >> 16;
	r->text1_size = got;
	size += (got >> 16) + (got & 0xffff);
	got = 0;
	if (found.second)
		got = write_name(size, found.second, found.second_base);
	r->base2_size = got >> 16;
	r->text2_size = got;
	size += (got >> 16) + (got & 0xffff);
	UNKNOWN(size);
	if (size > SCRATCH)
		return 0;
	send(&bulk, 1, s->record, size, 0);
	return 0;
}

/* Its name since 6.4; before, where it tells of a request at all. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring, struct io_kiocb *request)
{
	return on_request(request);
}

SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(on_uring_before, struct io_kiocb *request)
{
	return on_request(request);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
