// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes: fork, exec with all that a rule may want to know at once, exit; and the kill of a reverse shell. */
#include "task.h"
#include "file.h"

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

static __always_inline void fill_credentials(struct exec_record *r, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	r->uid = BPF_CORE_READ(cred, uid.val);
	r->euid = BPF_CORE_READ(cred, euid.val);
	r->gid = BPF_CORE_READ(cred, gid.val);
	/* As a whole: a number since 6.3, two halves before. */
	bpf_probe_read_kernel(&r->caps, sizeof(r->caps), (void *)cred + bpf_core_field_offset(cred->cap_effective));
	r->loginuid = -1;
	if (bpf_core_field_exists(task->loginuid))
		r->loginuid = BPF_CORE_READ(task, loginuid.val);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct pid *session = BPF_CORE_READ(signal, pids[PIDTYPE_SID]);
	r->sid = BPF_CORE_READ(session, numbers[0].nr);
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	__builtin_memset(r->tty, 0, sizeof(r->tty));
	if (tty)
		bpf_probe_read_kernel_str(r->tty, sizeof(r->tty), &tty->name);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct exec_record *r = (void *)s->record;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct cgroup_facts *facts = fill_header(&r->header, KIND_EXEC, task, 0);
	if (facts)
		bpf_probe_read_kernel(r->container, ID_SIZE, facts->id);
	else
		__builtin_memset(r->container, 0, ID_SIZE);
	r->reserved = 0;
	r->reserved2 = 0;
	fill_credentials(r, task);
	fill_namespaces(&r->namespaces, task);
	fill_file(&r->file, file);
	for (__u32 i = 0; i < 3; i++)
		fill_descriptor(&r->stdio[i], task, i);
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), &task->comm);
	if (must_block(s, r, file) && bpf_send_signal(9) == 0)
		r->header.flags |= FLAG_BLOCKED;

	__u32 size = sizeof(*r), got;
	got = write_path(s, size, task, &file->f_path);
	r->path_size = got;
	size += got;
	if (size > sizeof(*r) + MAX_PATH + 256)
		return 0;
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	got = write_path(s, size, task, &fs->pwd);
	r->cwd_size = got;
	size += got;
	if (size > sizeof(*r) + 2 * (MAX_PATH + 256))
		return 0;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
	unsigned long length = to - from;
	if (length > MAX_ARGS)
		length = MAX_ARGS;
	r->args_size = 0;
	if (bpf_probe_read_user(&s->record[size], length, (void *)from) == 0) {
		r->args_size = length;
		size += length;
	}
	if (size > SCRATCH)
		return 0;
	int urgent = (r->header.flags & FLAG_BLOCKED) || r->stdio[0].type == FD_INET || r->stdio[0].type == FD_INET6;
	send(&critical, 0, s->record, size, urgent);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct header h;
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	fill_header(&h, KIND_FORK, child, 0);
	h.ppid = BPF_CORE_READ(parent, tgid);
	send(&critical, 0, &h, sizeof(h), 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct header h;
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	fill_header(&h, KIND_EXIT, task, BPF_CORE_READ(task, exit_code));
	send(&critical, 0, &h, sizeof(h), 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
