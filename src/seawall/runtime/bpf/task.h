/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who acts: the header of every record, and the container by the cgroup's name (v1 and v2). */
#ifndef SEAWALL_TASK_H
#define SEAWALL_TASK_H

#include "maps.h"

#define CGROUP_LEVELS 6

static __always_inline int is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A container's cgroup is named by its 64 digits, alone (cgroupfs) or as PREFIX-ID.scope (systemd). */
static __always_inline int container_name(struct scratch *s, const char *name)
{
	long size = bpf_probe_read_kernel_str(s->text, sizeof(s->text), name);
	if (size < ID_SIZE + 1)
		return 0;
	__u32 at = 0;
	if (size != ID_SIZE + 1) {
		if (size < ID_SIZE + 7)
			return 0;
		at = (size - ID_SIZE - 7) & 127;
		if (s->text[(at + ID_SIZE) & 255] != '.')
			return 0;
	}
	for (int i = 0; i < ID_SIZE; i++)
		if (!is_hex(s->text[(at + i) & 255]))
			return 0;
	return bpf_probe_read_kernel(s->cgroup.id, ID_SIZE, s->text + at) == 0;
}

static __always_inline struct cgroup *cgroup_of(struct task_struct *task, __u64 *id)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups); /* as a number: older verifiers do not add to pointers with types */
	struct cgroup_subsys_state *css = 0;
	struct cgroup *group = 0;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
		__u32 place = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
		bpf_probe_read_kernel(&css, sizeof(css), (void *)set + bpf_core_field_offset(set->subsys) + place * sizeof(css));
		group = BPF_CORE_READ(css, cgroup);
	}
	/* In the unified hierarchy a cgroup without the controller counts as the one above it: there the task's own cgroup
	 * is asked, and where it is the only hierarchy in use too. */
	struct cgroup *unified = BPF_CORE_READ(set, dfl_cgrp);
	if (!group || BPF_CORE_READ(group, level) == 0 || BPF_CORE_READ(group, root) == BPF_CORE_READ(unified, root))
		group = unified;
	*id = BPF_CORE_READ(group, kn, id);
	return group;
}

/* Names are looked at once per cgroup. */
SUBPROGRAM int learn_cgroup(__u64 from, __u64 id)
{
	struct scratch *s = scratch();
	struct cgroup *group = (void *)from;
	if (!s)
		return 0;
	s->cgroup.container = 0;
	__builtin_memset(s->cgroup.id, 0, ID_SIZE);
	for (int i = 0; i < CGROUP_LEVELS && group; i++) {
		if (container_name(s, BPF_CORE_READ(group, kn, name))) {
			s->cgroup.container = 1;
			break;
		}
		struct cgroup_subsys_state *parent = BPF_CORE_READ(group, self.parent);
		group = parent ? BPF_CORE_READ(parent, cgroup) : 0;
	}
	return bpf_map_update_elem(&cgroups, &id, &s->cgroup, BPF_ANY);
}

static __always_inline struct cgroup_facts *facts_of(struct cgroup *group, __u64 *id)
{
	struct cgroup_facts *known = bpf_map_lookup_elem(&cgroups, id);
	if (known)
		return known;
	learn_cgroup((__u64)group, *id);
	return bpf_map_lookup_elem(&cgroups, id);
}

/* Who has moved itself out of its container's cgroup is still of that container. */
static __always_inline struct cgroup_facts *container_of_task(struct task_struct *task, __u64 *id)
{
	struct cgroup *group = cgroup_of(task, id);
	struct cgroup_facts *facts = facts_of(group, id), *home;
	if (facts && facts->container)
		return facts;
	struct task_state *state = state_of(task, 0);
	if (!state || !state->home)
		return facts;
	__u64 left = state->home;
	home = bpf_map_lookup_elem(&cgroups, &left);
	if (!home)
		return facts;
	*id = left;
	return home;
}

/* A number in the innermost pid namespace. */
static __always_inline __u32 vpid_of(struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid last;
	bpf_probe_read_kernel(&last, sizeof(last), (void *)pid + bpf_core_field_offset(pid->numbers) + (level & 31) * bpf_core_type_size(struct upid));
	return last.nr;
}

static __always_inline __u32 pid_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct pid_namespace *ns = 0;
	bpf_probe_read_kernel(&ns, sizeof(ns), (void *)pid + bpf_core_field_offset(pid->numbers) + (level & 31) * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
	return BPF_CORE_READ(ns, ns.inum);
}

static __always_inline void fill_common(struct header *h, __u8 kind, struct task_struct *task, __s64 result)
{
	struct task_struct *leader = GET(task, group_leader);
	h->kind = kind;
	h->flags = 0;
	h->descriptor = 0;
	h->pid = GET(task, tgid);
	h->ppid = GET(task, real_parent, tgid);
	h->vpid = vpid_of(BPF_CORE_READ(leader, thread_pid));
	h->result = result;
	h->time = bpf_ktime_get_boot_ns();
	h->start = GET(leader, start_boottime);
}

static __always_inline struct cgroup_facts *fill_header(struct header *h, __u8 kind, struct task_struct *task, __s64 result)
{
	struct cgroup_facts *facts = container_of_task(task, &h->cgroup);
	fill_common(h, kind, task, result);
	if (facts && facts->container)
		h->flags = FLAG_CONTAINER;
	return facts;
}

static __always_inline void fill_namespaces(struct namespaces *out, struct task_struct *task)
{
	struct nsproxy *proxy = GET(task, nsproxy);
	out->mnt = BPF_CORE_READ(proxy, mnt_ns, ns.inum);
	out->net = BPF_CORE_READ(proxy, net_ns, ns.inum);
	out->user = BPF_CORE_READ(task, cred, user_ns, ns.inum);
	out->pid = pid_namespace(task);
}

#endif
