// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Stops, by SIGKILL, a container's process that becomes a forbidden program or opens a forbidden file for writing. At an
 * exec no instruction of the program has run then; at an open's return no byte has been written. */
#include "deny.h"

#ifndef __TARGET_ARCH_x86
#error "system call numbers are known for x86-64 only"
#endif

enum { NR_OPEN = 2, NR_CREAT = 85, NR_OPENAT = 257, NR_OPENAT2 = 437 };
#define O_WRITES (01 | 02)
#define O_TRUNC 01000
#define FMODE_CREATED 0x100000

SEC("tp_btf/sched_process_exec")
int BPF_PROG(deny_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct settings *set = settings();
	if (!set || !set->enforce || !in_container())
		return 0;
	struct file *file = BPF_CORE_READ(bprm, file);
	if (!forbidden(file, 0) && !forbidden_memory(task, file))
		return 0;
	if (bpf_send_signal(SIGKILL) == 0)
		note(task, DENIED_EXEC);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(deny_open, struct pt_regs *regs, long ret)
{
	long nr = BPF_CORE_READ(regs, orig_ax);
	if (ret < 0 || (nr != NR_OPENAT && nr != NR_OPEN && nr != NR_OPENAT2 && nr != NR_CREAT))
		return 0;
	/* Nearly all opens only read; openat2 has its flags in the caller's memory. */
	if (nr == NR_OPENAT && !(BPF_CORE_READ(regs, dx) & O_WRITES))
		return 0;
	if (nr == NR_OPEN && !(BPF_CORE_READ(regs, si) & O_WRITES))
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct settings *set = settings();
	struct file *file = file_at(task, ret);
	if (!set || !set->enforce || !file || set->self == BPF_CORE_READ(task, tgid))
		return 0;
	if (!(BPF_CORE_READ(file, f_flags) & O_WRITES) || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	if (!in_container() || !forbidden(file, 1))
		return 0;
	if (bpf_send_signal(SIGKILL))
		return 0;
	/* The kernel drops O_TRUNC from the file's own flags: the caller's are what was asked. */
	__u64 flags = nr == NR_OPENAT ? BPF_CORE_READ(regs, dx) : nr == NR_OPEN ? BPF_CORE_READ(regs, si) : O_TRUNC;
	if (nr == NR_OPENAT2)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)BPF_CORE_READ(regs, dx));
	note(task, (flags & O_TRUNC) || (BPF_CORE_READ(file, f_mode) & FMODE_CREATED) ? DENIED_CHANGED : DENIED_OPEN);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
