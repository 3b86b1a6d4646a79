// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes: fork, exec with all that a rule may want to know at once, exit, containers' cgroups; and the kill of a
 * reverse shell. */
#include "state.h"
#include "file.h"

#define PF_KTHREAD 0x00200000

static __always_inline int public_peer(struct descriptor *d)
{
	if (d->type == FD_INET)
		return d->port && d->direction != DIRECTION_IN && d->address[0] != 127;
	if (d->type != FD_INET6 || !d->port || d->direction == DIRECTION_IN)
		return 0;
	__u64 high, low;
	__builtin_memcpy(&high, d->address, 8);
	__builtin_memcpy(&low, d->address + 8, 8);
	if (high)
		return 1;
	/* ::1, and 127.0.0.0/8 as ::ffff:127.x.y.z */
	return low != (1ULL << 56) && (low & 0xffffffffffULL) != 0x7fffff0000ULL;
}

/* A named shell whose input and one output are outgoing connections. It is killed before its first instruction. */
static __always_inline int must_block(struct scratch *s, struct exec_record *r, struct file *file)
{
	struct settings *set = settings();
	if (!set || !set->enforce || !(r->header.flags & FLAG_CONTAINER))
		return 0;
	if (!public_peer(&r->stdio[0]) || (!public_peer(&r->stdio[1]) && !public_peer(&r->stdio[2])))
		return 0;
	__builtin_memset(&s->name, 0, sizeof(s->name));
	bpf_probe_read_kernel_str(s->name.text, MAX_NAME, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return bpf_map_lookup_elem(&block_names, &s->name) != 0;
}

static __always_inline void fill_session(struct exec_record *r, struct task_struct *task)
{
	struct signal_struct *signal = GET(task, signal);
	struct pid *session = BPF_CORE_READ(signal, pids[PIDTYPE_SID]), *group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]);
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	r->loginuid = -1;
	if (bpf_core_field_exists(task->loginuid))
		r->loginuid = BPF_CORE_READ(task, loginuid.val);
	r->sid = BPF_CORE_READ(session, numbers[0].nr);
	r->pgid = BPF_CORE_READ(group, numbers[0].nr);
	r->vpgid = vpid_of(group);
	__builtin_memset(r->tty, 0, sizeof(r->tty));
	if (tty)
		bpf_probe_read_kernel_str(r->tty, sizeof(r->tty), &tty->name);
}

static __always_inline void fill_times(struct exec_record *r, struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec)) { /* since 6.11 */
		r->ctime = BPF_CORE_READ(inode, i_ctime_sec) * 1000000000ULL + (BPF_CORE_READ(inode, i_ctime_nsec) & 0x3fffffff) /* a mark is above */;
		r->mtime = BPF_CORE_READ(inode, i_mtime_sec) * 1000000000ULL + BPF_CORE_READ(inode, i_mtime_nsec);
	} else if (bpf_core_field_exists(inode->__i_mtime)) { /* since 6.7 */
		r->ctime = BPF_CORE_READ(inode, __i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(inode, __i_ctime.tv_nsec);
		r->mtime = BPF_CORE_READ(inode, __i_mtime.tv_sec) * 1000000000ULL + BPF_CORE_READ(inode, __i_mtime.tv_nsec);
	} else if (bpf_core_field_exists(inode->i_ctime)) {
		r->ctime = BPF_CORE_READ(inode, i_ctime.tv_sec) * 1000000000ULL + BPF_CORE_READ(inode, i_ctime.tv_nsec);
		r->mtime = BPF_CORE_READ(inode, i_mtime.tv_sec) * 1000000000ULL + BPF_CORE_READ(inode, i_mtime.tv_nsec);
	} else {
		r->ctime = r->mtime = 0;
	}
}

/* Who the task was and is, and whether that can be. */
static __noinline int judge_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	struct task_state now = {};
	struct task_state *old = state_of(task, 1);
	struct scratch *s = scratch();
	if (!old || !s)
		return 0;
	read_state(&now, task);
	now.home = old->home;
	if (old->valid && unexplained_exec(old, &now, task, BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec)))
		tell_credentials(task, old, &now, AT_EXEC);
	s->exec.before = old->known;
	s->exec.after = now.known;
	s->exec.permitted = now.permitted;
	__u32 known = old->valid;
	*old = now;
	return known ? FLAG_BEFORE : 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct exec_record *r = (void *)s->record;
	struct file *file = BPF_CORE_READ(bprm, file);
	__u8 flags = judge_exec(task, bprm) | cwd_flag(task);
	struct cgroup_facts *facts = fill_header(&r->header, KIND_EXEC, task, 0);
	if (facts)
		bpf_probe_read_kernel(r->container, ID_SIZE, facts->id);
	else
		__builtin_memset(r->container, 0, ID_SIZE);
	if (GET(task, real_parent, flags) & PF_KTHREAD)
		flags |= FLAG_BY_KERNEL;
	r->header.flags |= flags;
	fill_times(r, BPF_CORE_READ(file, f_inode));
	fill_session(r, task);
	fill_namespaces(&r->namespaces, task);
	fill_file(&r->file, task, file);
	for (__u32 i = 0; i < 3; i++)
		fill_descriptor(&r->stdio[i], task, i);
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), &task->comm);
	if (must_block(s, r, file) && bpf_send_signal(9) == 0)
		r->header.flags |= FLAG_BLOCKED;

	__u32 size = sizeof(*r), got;
	got = write_file(size, file);
	r->path_size = got;
	size += got;
	if (size > sizeof(*r) + MAX_PATH + 256)
		return 0;
	got = write_cwd(size);
	r->cwd_size = got;
	size += got;
	if (size > sizeof(*r) + 2 * (MAX_PATH + 256))
		return 0;
	struct mm_struct *mm = GET(task, mm);
	unsigned long from = GET(mm, arg_start), to = GET(mm, arg_end);
	unsigned long length = to - from;
	if (length > MAX_ARGS)
		length = MAX_ARGS;
	r->args_size = 0;
	if (bpf_probe_read_user(&s->record[size], length, (void *)from) == 0) {
		r->args_size = length;
		size += length;
	}
	if (size > sizeof(*r) + 2 * (MAX_PATH + 256) + MAX_ARGS)
		return 0;
	r->upper_size = 0;
	if (flags & FLAG_BY_KERNEL && r->file.magic == OVERLAY && r->file.marks & MARK_UPPER) {
		got = write_inner(size, (__u64)upper_of(BPF_CORE_READ(file, f_inode)));
		r->upper_size = got;
		size += got;
	}
	r->env_size = 0;
	r->reserved = r->reserved2 = r->reserved3 = 0;
	struct settings *set = settings();
	if (set && set->environment && size < SCRATCH - MAX_ARGS) {
		from = GET(mm, env_start);
		length = GET(mm, env_end) - from;
		if (length > MAX_ARGS)
			length = MAX_ARGS;
		UNKNOWN(length);
		length &= 2 * MAX_ARGS - 1;
		UNKNOWN(size);
		if (size < SCRATCH - 2 * MAX_ARGS && bpf_probe_read_user(&s->record[size], length, (void *)from) == 0) {
			r->env_size = length;
			size += length;
		}
	}
	UNKNOWN(size);
	if (size > SCRATCH)
		return 0;
	int urgent = (r->header.flags & (FLAG_BLOCKED | FLAG_BY_KERNEL)) || r->stdio[0].type == FD_INET || r->stdio[0].type == FD_INET6;
	send(&critical, 0, s->record, size, urgent);
	return 0;
}

/* A child has its parent's credentials: what is wrong with them must show before they are taken for granted. */
static __noinline int inherit(struct task_struct *parent, struct task_struct *child, __u64 home)
{
	struct task_state now = {};
	struct task_state *state = state_of(parent, 0);
	if (state && state->valid) {
		read_state(&now, parent);
		if (unexplained(state, &now, AT_FORK, 0)) {
			struct task_state old = *state;
			now.home = old.home;
			tell_credentials(parent, &old, &now, AT_FORK);
			*state = now;
		}
	}
	if (!home && state)
		home = state->home;
	state = state_of(child, 1);
	if (!state)
		return 0;
	read_state(&now, child);
	now.home = home;
	*state = now;
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct header h;
	struct cgroup_facts *facts = container_of_task(child, &h.cgroup);
	__u64 home = facts && facts->container ? h.cgroup : 0;
	inherit(parent, child, home);
	if (GET(child, pid) != GET(child, tgid))
		return 0;
	fill_header(&h, KIND_FORK, child, 0);
	h.ppid = GET(parent, tgid);
	send(&critical, 0, &h, sizeof(h), 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct header h;
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	fill_header(&h, KIND_EXIT, task, GET(task, exit_code));
	send(&critical, 0, &h, sizeof(h), 0);
	return 0;
}

/* A container is known before its first process is in it. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup, struct cgroup *group, const char *path)
{
	__u64 id = BPF_CORE_READ(group, kn, id);
	struct scratch *s = scratch();
	struct cgroup_facts *facts = facts_of(BPF_CORE_READ(group, self.cgroup), &id); /* itself, as a plain number */
	if (!s || !facts || !facts->container)
		return 0;
	struct container_record *r = (void *)s->record;
	bpf_probe_read_kernel(r->container, ID_SIZE, facts->id);
	fill_common(&r->header, KIND_CONTAINER, current_task(), 0);
	r->header.cgroup = id;
	send(&critical, 0, s->record, sizeof(*r), 0);
	return 0;
}

/* Who moves itself to another cgroup takes with it where it came from. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_attach, struct cgroup *group, const char *path, struct task_struct *task, bool threadgroup)
{
	__u64 id;
	struct cgroup_facts *facts = facts_of(cgroup_of(task, &id), &id);
	if (!facts || !facts->container)
		return 0;
	struct task_state *state = state_of(task, 1);
	if (state)
		state->home = id;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
