// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Refuses, with EPERM, connections and datagrams of containers to forbidden addresses. Attached to the root of the unified
 * hierarchy: every process is below it, also where containers are limited by cgroup v1. */
#include "deny.h"

/* linux/bpf.h; the verifier itself knows these offsets. */
struct sock_addr {
	__u32 user_family, user_ip4, user_ip6[4], user_port, family, type, protocol, msg_src_ip4, msg_src_ip6[4];
};

static __always_inline int refused(void)
{
	struct settings *set = settings();
	return set && set->enforce && in_container();
}

static __always_inline int to4(__u32 address)
{
	struct address4 key = { .bits = 32 };
	__builtin_memcpy(key.at, &address, 4);
	return bpf_map_lookup_elem(&deny_peers4, &key) && refused();
}

static __always_inline int to6(struct sock_addr *to)
{
	struct address6 key = { .bits = 128 };
	__u32 words[4] = { to->user_ip6[0], to->user_ip6[1], to->user_ip6[2], to->user_ip6[3] };
	if (words[0] == 0 && words[1] == 0 && words[2] == __builtin_bswap32(0xffff))
		return to4(words[3]); /* ::ffff:a.b.c.d is an IPv4 address */
	__builtin_memcpy(key.at, words, 16);
	return bpf_map_lookup_elem(&deny_peers6, &key) && refused();
}

SEC("cgroup/connect4")
int egress_connect4(struct sock_addr *to)
{
	return !to4(to->user_ip4);
}

SEC("cgroup/connect6")
int egress_connect6(struct sock_addr *to)
{
	return !to6(to);
}

SEC("cgroup/sendmsg4")
int egress_sendmsg4(struct sock_addr *to)
{
	return !to4(to->user_ip4);
}

SEC("cgroup/sendmsg6")
int egress_sendmsg6(struct sock_addr *to)
{
	return !to6(to);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
