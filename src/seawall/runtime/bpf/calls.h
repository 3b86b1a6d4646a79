/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Any system call that some rule names: its arguments, the texts among them, and what its descriptor really is. */
#ifndef SEAWALL_CALLS_H
#define SEAWALL_CALLS_H

#include "state.h"
#include "file.h"

#define AT_FDCWD -100
#define NR_SOCKET 41
#define CLONE_ANY_NEW 0x7e020080ULL /* CLONE_NEWTIME to CLONE_NEWUSER; NEWTIME is 0x80 and only clone3 and unshare take it */

/* The directory that a relative name starts from, then the name: sizes of both, 16 bits each. */
SUBPROGRAM __u32 write_text(__u32 at, unsigned long text, long base)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	char first = 0;
	__u32 directory = 0;
	if (!s || at > SCRATCH - 2560)
		return 0;
	bpf_probe_read_user(&first, 1, (void *)text);
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
	long got = bpf_probe_read_user_str(&s->record[at], MAX_PATH, (void *)text);
	if (got < 1 || got > MAX_PATH)
		got = 1;
	return directory << 16 | ((got - 1) & (MAX_PATH - 1));
}

static __always_inline unsigned long argument(struct syscall_record *r, __u32 position)
{
	switch (position) {
	case 1: return r->args[0];
	case 2: return r->args[1];
	case 3: return r->args[2];
	case 4: return r->args[3];
	case 5: return r->args[4];
	case 6: return r->args[5];
	}
	return 0;
}

/* What the descriptor of a call is: a file with its path at `at`, or a socket with its address. The path's size. */
SUBPROGRAM __u32 describe(long fd, __u32 form, __u32 at)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	struct file *file = file_at(task, (__u32)fd);
	if (!s || !file || at > SCRATCH - 1400)
		return 0;
	struct sock *sk = socket_of(file);
	if (sk) {
		fill_descriptor(&s->syscall.peer, task, (__u32)fd);
		fill_own(&s->syscall.own, sk);
		return 0;
	}
	fill_file(&s->syscall.file, task, file);
	__u32 size = write_file(at, file);
	return size > MAX_PATH + 256 ? 0 : size;
}

static __always_inline int is_wanted_clone(struct syscall_record *r, __u32 form, long ret)
{
	if (form & CALL_CLONE3 && bpf_probe_read_user(&r->args[0], 8, (void *)r->args[0]))
		return 0;
	/* The low byte of clone's flags is a signal. The child returns 0: once is enough. */
	return ret != 0 && r->args[0] & (form & CALL_CLONE ? CLONE_ANY_NEW & ~0xffULL : CLONE_ANY_NEW);
}

/* A text of the call and its base at `at`. */
static __always_inline __u32 add_text(struct syscall_record *r, __u32 at, __u32 text, __u32 base, int raw)
{
	long from = AT_FDCWD;
	if (!text)
		return 0;
	if (base)
		from = argument(r, base);
	return write_text(at, argument(r, text), raw ? 0 : from);
}

/* A process that makes one connection after the other makes the same kind of socket again and again. */
static __always_inline int is_known_socket(struct scratch *s, struct syscall_record *r)
{
	struct peer_key *key = &s->peer;
	__builtin_memset(key, 0, sizeof(*key));
	key->pid = r->header.pid;
	key->result = r->header.result < 0 ? r->header.result : 0;
	key->inode = r->args[0] << 32 | (__u32)r->args[1];
	key->port = r->args[2];
	key->type = 0xffff;
	return counted(r->header.time) == SEEN;
}

/* The arguments are in the record already. */
SUBPROGRAM int on_any_call(__u32 number, __u32 form, long ret)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	if (!s || (form & CALL_FAILED && ret >= 0))
		return 0;
	struct syscall_record *r = (void *)s->record;
	if (form & (CALL_CLONE | CALL_CLONE3) && !is_wanted_clone(r, form, ret))
		return 0;
	struct cgroup_facts *facts = fill_header(&r->header, KIND_CALL, task, ret);
	if (!(form & WANTED_HOST) && !(form & WANTED_CONTAINER && facts && facts->container))
		return 0;
	if (number == NR_SOCKET && is_known_socket(s, r))
		return 0;
	int files = form & CALL_FILES;
	if (throttled(r->header.cgroup, r->header.time, files ? BUDGET_CALLS : BUDGET_CRITICAL, files ? RATE_CALLS : RATE_CRITICAL))
		return 0;
	r->header.flags |= cwd_flag(task);
	r->number = number;
	r->reserved = 0;
	__builtin_memset(&r->file, 0, sizeof(r->file));
	__builtin_memset(&r->peer, 0, sizeof(r->peer));
	__builtin_memset(&r->own, 0, sizeof(r->own));
	__u32 size = sizeof(*r), got;
	got = add_text(r, size, form & 7, (form >> FIRST_BASE) & 7, form & FIRST_RAW);
	r->base1_size = got >> 16;
	r->text1_size = got;
	size += (got >> 16) + (got & 0xffff);
	got = add_text(r, size, (form >> SECOND_AT) & 7, (form >> SECOND_BASE) & 7, form & SECOND_RAW);
	r->base2_size = got >> 16;
	r->text2_size = got;
	size += (got >> 16) + (got & 0xffff);
	got = 0;
	if (form & CALL_CWD)
		got = write_cwd(size);
	else if (form & RETURNED_FD && ret >= 0)
		got = describe(ret, form, size);
	else if ((form >> GIVEN_FD) & 7)
		got = describe(argument(r, (form >> GIVEN_FD) & 7), form, size);
	if (got > MAX_PATH + 256)
		return 0;
	r->path_size = got;
	size += got;
	UNKNOWN(size);
	if (size > SCRATCH)
		return 0;
	if (files)
		send(&bulk, 1, s->record, size, 0);
	else
		send(&critical, 0, s->record, size, 1);
	return 0;
}

#endif
