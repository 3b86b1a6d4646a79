// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which side opened a TCP connection: a shell on a connection it made is a reverse shell, on one it took a bind shell. */
#include "maps.h"

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *sk, int old, int new)
{
	__u64 key = (__u64)sk;
	__u8 way = DIRECTION_UNKNOWN;
	if (new == TCP_SYN_SENT)
		way = DIRECTION_OUT;
	else if (old == TCP_SYN_RECV && new == TCP_ESTABLISHED)
		way = DIRECTION_IN;
	else if (new != TCP_CLOSE)
		return 0;
	if (way)
		bpf_map_update_elem(&directions, &key, &way, BPF_ANY);
	else
		bpf_map_delete_elem(&directions, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
