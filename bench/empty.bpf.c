// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Nothing, where the sensor looks at system calls: what the kernel itself takes for letting anybody look. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("tp_btf/sys_exit")
int BPF_PROG(on_nothing, struct pt_regs *regs, long ret)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
