/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Credentials as an invariant: what a task may become follows from what it was, by set*id, capset, exec, setns, unshare
 * and fork. A task that is more than that has been made so by a kernel exploit, however it was done. */
#ifndef SEAWALL_STATE_H
#define SEAWALL_STATE_H

#include "task.h"

#define CAP_SETUID (1ULL << 7)
#define AT_FORK ((__u32)-1)
#define AT_EXEC ((__u32)-2)
#define NR_SETNS 308
#define NR_UNSHARE 272

/* As a whole: a number since 6.3, two halves before. */
#define READ_CAPS(to_, cred_, field_) \
	bpf_probe_read_kernel(&(to_), 8, (void *)(cred_) + bpf_core_field_offset((cred_)->field_))

static __always_inline void read_state(struct task_state *out, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	out->known.uid = BPF_CORE_READ(cred, uid.val);
	out->known.euid = BPF_CORE_READ(cred, euid.val);
	out->known.gid = BPF_CORE_READ(cred, gid.val);
	out->known.user = BPF_CORE_READ(cred, user_ns, ns.inum);
	out->suid = BPF_CORE_READ(cred, suid.val);
	READ_CAPS(out->known.caps, cred, cap_effective);
	READ_CAPS(out->permitted, cred, cap_permitted);
	READ_CAPS(out->bounding, cred, cap_bset);
	out->valid = 1;
}

static __always_inline int became_root(struct task_state *old, struct task_state *now)
{
	return (now->known.uid == 0 && old->known.uid != 0) || (now->known.euid == 0 && old->known.euid != 0);
}

/* Is a change over these system calls more than they can do? Anywhere else, any of these is. */
static __always_inline int unexplained(struct task_state *old, struct task_state *now, __u32 call, __u32 form)
{
	__u64 grown = now->known.caps & ~old->known.caps;
	int other = now->known.user != old->known.user, root = became_root(old, now);
	if (!(form & CREDENTIALS))
		return grown || other || root;
	if (call == NR_SETNS || call == NR_UNSHARE)
		return !other && (grown || root); /* whoever enters a user namespace has all capabilities there */
	if (root && !(old->known.caps & CAP_SETUID) && old->known.uid && old->known.euid && old->suid)
		return 1;
	return other || (grown & ~old->permitted);
}

/* An exec explains what the file's marks grant (the kernel then calls it secure), what a root regains, and what was
 * permitted all the time. */
static __always_inline int unexplained_exec(struct task_state *old, struct task_state *now, struct task_struct *task, int secure)
{
	__u64 grown = now->known.caps & ~old->known.caps & ~old->permitted;
	if (now->known.user != old->known.user)
		return 1;
	if (secure)
		return 0;
	if (became_root(old, now))
		return 1;
	if (!grown)
		return 0;
	if (old->known.uid == 0 || old->known.euid == 0 || BPF_CORE_READ(task, cred, user_ns, level) > 0)
		grown &= ~old->bounding;
	return grown != 0;
}

static __noinline __attribute__((unused)) int tell_credentials(struct task_struct *task, struct task_state *old, struct task_state *now, __u32 at)
{
	struct scratch *s = scratch();
	struct settings *set = settings();
	if (!s || !old || !now || !set || !(set->kinds & (1 << KIND_CRED)))
		return 0;
	struct cred_record *r = (void *)s->record;
	fill_header(&r->header, KIND_CRED, task, 0);
	if (!(r->header.flags & FLAG_CONTAINER) || throttled(r->header.cgroup, r->header.time, BUDGET_CRITICAL, RATE_CRITICAL))
		return 0;
	r->before = old->known;
	r->after = now->known;
	r->number = at;
	r->reserved = 0;
	send(&critical, 0, s->record, sizeof(*r), 1);
	return 0;
}

/* At the end of a system call: tell what nothing explains, and know the task as it is now. */
static __noinline __attribute__((unused)) int check_credentials(struct task_struct *task, __u32 call, __u32 form)
{
	struct scratch *s = scratch();
	struct task_state *old = state_of(task, 1), *now;
	if (!old || !s)
		return 0;
	now = &s->now;
	read_state(now, task);
	now->home = old->home;
	if (old->valid && unexplained(old, now, call, form))
		tell_credentials(task, old, now, call);
	*old = *now;
	return 0;
}

#endif
