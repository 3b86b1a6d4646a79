// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls, looked at when they return: by then the kernel's own tables say what was really done, and what the
 * caller wrote into its memory meanwhile no longer matters. One program for all: every hook costs each call. */
#include "opens.h"
#include "network.h"
#include "calls.h"

#ifndef __TARGET_ARCH_x86
#error "system call numbers are known for x86-64 only"
#endif

enum {
	NR_WRITE = 1, NR_OPEN = 2, NR_DUP = 32, NR_DUP2 = 33, NR_CONNECT = 42, NR_SENDTO = 44, NR_SENDMSG = 46, NR_FCNTL = 72,
	NR_CREAT = 85, NR_PTRACE = 101, NR_MOUNT = 165, NR_OPENAT = 257, NR_DUP3 = 292, NR_SENDMMSG = 307, NR_OPENAT2 = 437,
};
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define TS_COMPAT 2

/* Only sockets: what else a shell puts on 0 to 2 is in the record of the exec that follows. */
SUBPROGRAM int on_dup(long ret)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	if (!s || ret < 0 || ret > 2)
		return 0;
	struct dup_record *r = (void *)s->record;
	for (__u32 i = 0; i < 3; i++)
		fill_descriptor(&r->stdio[i], task, i);
	UNKNOWN(ret);
	__u8 type = r->stdio[ret & 3].type;
	if (ret > 2 || (type != FD_INET && type != FD_INET6 && type != FD_UNIX))
		return 0;
	fill_header(&r->header, KIND_DUP, task, ret);
	if (throttled(r->header.cgroup, r->header.time, BUDGET_CRITICAL, RATE_CRITICAL))
		return 0;
	send(&critical, 0, s->record, sizeof(*r), type != FD_UNIX);
	return 0;
}

SUBPROGRAM int on_call(int kind, __u64 request, __u64 target, long ret)
{
	struct task_struct *task = current_task();
	struct call_record r = {};
	fill_header(&r.header, kind, task, ret);
	if (throttled(r.header.cgroup, r.header.time, BUDGET_CRITICAL, RATE_CRITICAL))
		return 0;
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

SUBPROGRAM int on_mount(long ret)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct mount_record *r = (void *)s->record;
	unsigned long *args = (void *)s->text;
	unsigned long source = args[0], target = args[1], kind = args[2], flags = args[3];
	fill_header(&r->header, KIND_MOUNT, task, ret);
	r->mount_flags = flags;
	long path = bpf_probe_read_user_str(&s->record[sizeof(*r)], 512, (void *)target);
	if (path < 1 || path > 512)
		path = 1;
	path = (path - 1) & 511; /* older verifiers forget the bounds of a difference */
	long from = bpf_probe_read_user_str(&s->record[sizeof(*r) + path], 512, (void *)source);
	if (from < 1 || from > 512)
		from = 1;
	from = (from - 1) & 511;
	long type = bpf_probe_read_user_str(&s->record[sizeof(*r) + path + from], 64, (void *)kind);
	if (type < 1 || type > 64)
		type = 1;
	type = (type - 1) & 63;
	__u32 cwd = write_cwd(sizeof(*r) + path + from + type);
	UNKNOWN(cwd);
	cwd &= 2047;
	r->path_size = path;
	r->source_size = from;
	r->type_size = type;
	r->cwd_size = cwd;
	send(&critical, 0, s->record, sizeof(*r) + path + from + type + cwd, 1);
	return 0;
}

static __always_inline int opens(__u32 nr, unsigned long *args, long ret)
{
	__u64 flags = O_WRITES;
	unsigned long name = nr == NR_OPEN || nr == NR_CREAT ? args[0] : args[1];
	if (nr == NR_OPEN)
		flags = args[1];
	else if (nr == NR_OPENAT)
		flags = args[2];
	else if (nr == NR_CREAT)
		flags = O_CREAT | 01 | 01000;
	else if (bpf_probe_read_user(&flags, sizeof(flags), (void *)args[2]))
		flags = 0;
	if (ret == -ETXTBSY)
		return on_busy_text(flags, name, ret);
	if (ret < 0)
		return 0;
	/* Nearly all opens only read: if nobody wants them they end here, before anything is looked up. */
	struct settings *set = settings();
	if (!set || (nr != NR_OPENAT2 && !(flags & O_WRITES) && !(set->kinds & (1 << KIND_READ))))
		return 0;
	return on_open(flags, ret, name);
}

static __always_inline int on_write(__u32 nr, long ret)
{
	struct scratch *s = scratch();
	if (!s || ret < 12) /* less is no question to a name server */
		return 0;
	unsigned long *args = (void *)s->text;
	unsigned long data = args[1], size = args[2], name = args[4], name_size = args[5];
	if (nr == NR_WRITE)
		name = 0;
	return message_peer(args[0], name, name_size) ? on_send(nr, data, size, ret) : 0;
}

/* Calls with a record form of their own. */
SUBPROGRAM int dispatch(__u32 nr, long ret)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	unsigned long *args = (void *)s->text;
	unsigned long first = args[0], second = args[1];
	switch (nr) {
	case NR_CONNECT:
		return on_connect(first, second, args[2], ret);
	case NR_FCNTL:
		if (second != F_DUPFD && second != F_DUPFD_CLOEXEC)
			return 0;
		/* fall through */
	case NR_DUP: case NR_DUP2: case NR_DUP3:
		return ret >= 0 && ret <= 2 ? on_dup(ret) : 0;
	case NR_SETNS:
		return on_call(KIND_SETNS, 0, second, ret);
	case NR_UNSHARE:
		return on_call(KIND_UNSHARE, 0, first, ret);
	case NR_PTRACE:
		return telling(first) ? on_call(KIND_PTRACE, first, second, ret) : 0;
	case NR_MOUNT:
		return on_mount(ret);
	case NR_WRITE: case NR_SENDTO:
		return on_write(nr, ret);
	case NR_SENDMSG:
		return ret > 0 ? on_sendmsg(nr, first, second, ret) : 0;
	case NR_SENDMMSG:
		return ret > 0 ? on_sendmmsg(nr, first, second, ret) : 0;
	case NR_OPEN: case NR_OPENAT: case NR_OPENAT2: case NR_CREAT:
		return opens(nr, args, ret);
	}
	return 0;
}

static __always_inline void take_arguments(unsigned long *args, struct pt_regs *regs, int compat)
{
	if (compat) {
		args[0] = (__u32)GET(regs, bx);
		args[1] = (__u32)GET(regs, cx);
		args[2] = (__u32)GET(regs, dx);
		args[3] = (__u32)GET(regs, si);
		args[4] = (__u32)GET(regs, di);
		args[5] = (__u32)GET(regs, bp);
		return;
	}
	args[0] = GET(regs, di);
	args[1] = GET(regs, si);
	args[2] = GET(regs, dx);
	args[3] = GET(regs, r10);
	args[4] = GET(regs, r8);
	args[5] = GET(regs, r9);
}

/* Most calls of a node end in the first lines. 32-bit calls have numbers of their own: they are not a way around. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	__u64 nr = GET(regs, orig_ax);
	struct settings *set = settings();
	struct task_struct *task = current_task();
	int compat = GET(task, thread_info.status) & TS_COMPAT;
	if (!set || nr >= MAX_CALLS)
		return 0;
	if (compat)
		nr = set->compat[nr] & (MAX_CALLS - 1);
	__u32 form = set->calls[nr];
	if (!form || set->self == GET(task, tgid))
		return 0;
	if (form & (CREDENTIALS | GUARDED))
		check_credentials(task, nr, form);
	if (!(form & (HANDLED | WANTED_CONTAINER | WANTED_HOST)))
		return 0;
	struct scratch *s = scratch();
	if (!s)
		return 0;
	if (form & HANDLED) {
		take_arguments((void *)s->text, regs, compat);
		dispatch(nr, ret);
	}
	if (form & (WANTED_CONTAINER | WANTED_HOST)) {
		take_arguments((void *)s->syscall.args, regs, compat);
		on_any_call(nr, form, ret);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
