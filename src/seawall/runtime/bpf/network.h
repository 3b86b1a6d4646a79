/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where connections go, who listens on a Unix socket, and the head of datagrams. */
#ifndef SEAWALL_NETWORK_H
#define SEAWALL_NETWORK_H

#include "state.h"
#include "file.h"

#define EINPROGRESS 115
#define DNS 53
#define SOCK_DGRAM 2

struct sockaddr_text { __u16 family; __u16 port; __u8 rest[104]; };
struct message { void *name; int name_size, gap; struct vector { void *base; unsigned long size; } *vectors; unsigned long count; void *control; unsigned long control_size; int flags, gap2; };
struct messages { struct message message; unsigned int size, gap; };

/* Where a Unix peer lives: the file its socket is bound to, under whatever name the caller reached it. */
static __always_inline __u32 unix_peer(struct scratch *s, struct connect_record *r, struct sock *sk)
{
	struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sk, peer);
	struct pid *owner = BPF_CORE_READ(sk, sk_peer_pid);
	if (owner)
		r->peer_pid = BPF_CORE_READ(owner, numbers[0].nr);
	if (!peer)
		return 0;
	struct dentry *dentry = BPF_CORE_READ(peer, path.dentry);
	if (dentry) {
		r->socket_inode = BPF_CORE_READ(dentry, d_inode, i_ino);
		r->socket_dev = BPF_CORE_READ(dentry, d_inode, i_sb, s_dev);
	}
	struct unix_address *address = BPF_CORE_READ(peer, addr);
	if (!address)
		return 0;
	__u32 size = BPF_CORE_READ(address, len);
	if (size <= 2)
		return 0;
	size -= 2;
	if (size > 108)
		size = 108;
	UNKNOWN(size);
	size &= 127;
	if (bpf_probe_read_kernel(&s->record[sizeof(*r)], size, (void *)address + bpf_core_field_offset(struct unix_address, name) + 2))
		return 0;
	return size;
}

static __always_inline int read_address(struct scratch *s, struct descriptor *out, unsigned long address, unsigned long size)
{
	struct sockaddr_text *named = (void *)s->text;
	if (size > sizeof(*named))
		size = sizeof(*named);
	UNKNOWN(size);
	size &= 127;
	__builtin_memset(named, 0, sizeof(*named));
	if (!address || bpf_probe_read_user(named, size, (void *)address) || size < 4)
		return 0;
	if (named->family == AF_UNIX) {
		out->type = FD_UNIX;
		return size;
	}
	if (named->family == AF_INET) {
		out->type = FD_INET;
		__builtin_memcpy(out->address, named->rest, 4);
	} else if (named->family == AF_INET6) {
		out->type = FD_INET6;
		__builtin_memcpy(out->address, named->rest + 4, 16);
	} else {
		return 0;
	}
	out->port = __builtin_bswap16(named->port);
	return size;
}

/* A refused or unfinished call leaves nothing in the socket: then the caller's own words are all there is. */
static __always_inline __u32 named_peer(struct scratch *s, struct connect_record *r, unsigned long address, unsigned long length)
{
	if (!read_address(s, &r->peer, address, length) || r->peer.type != FD_UNIX)
		return 0;
	length -= 2;
	if (length > 106)
		length = 106;
	UNKNOWN(length);
	length &= 127;
	bpf_probe_read_kernel(&s->record[sizeof(*r)], length, s->text + 2);
	return length;
}

/* Has this process just connected to the same place with the same result? Then it is only counted. */
static __always_inline int is_repeat(struct scratch *s, struct connect_record *r)
{
	struct peer_key *key = &s->peer;
	key->pid = r->header.pid;
	key->result = r->header.result;
	key->inode = r->socket_inode;
	__builtin_memcpy(key->address, r->peer.address, 16);
	key->port = r->peer.port;
	key->type = r->peer.type;
	key->reserved = 0;
	__u64 repeats = counted(r->header.time);
	if (repeats == SEEN)
		return 1;
	r->repeats = repeats;
	return 0;
}

SUBPROGRAM int on_connect(long fd, unsigned long address, unsigned long length, long ret)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct connect_record *r = (void *)s->record;
	fill_descriptor(&r->peer, task, fd);
	if (r->peer.type != FD_INET && r->peer.type != FD_INET6 && r->peer.type != FD_UNIX)
		return 0;
	fill_header(&r->header, KIND_CONNECT, task, ret);
	r->header.descriptor = fd;
	struct file *about = file_at(task, fd);
	fill_own(&r->own, about ? socket_of(about) : 0);
	r->socket_inode = 0;
	r->socket_dev = 0;
	r->peer_pid = 0;
	r->repeats = 0;
	__u32 size = 0;
	if (r->peer.type == FD_UNIX && ret == 0) {
		struct file *file = file_at(task, fd);
		struct socket *socket = BPF_CORE_READ(file, private_data);
		size = unix_peer(s, r, BPF_CORE_READ(socket, sk));
	} else if (r->peer.port == 0 || ret < 0) {
		size = named_peer(s, r, address, length);
	}
	/* A Unix peer without a file is told apart by its name alone. */
	if (size > 108 || ((r->peer.type != FD_UNIX || r->socket_inode) && is_repeat(s, r)))
		return 0;
	if (throttled(r->header.cgroup, r->header.time, BUDGET_CALLS, RATE_CALLS))
		return 0;
	UNKNOWN(size);
	size &= 127;
	r->path_size = size;
	send(&bulk, 1, s->record, sizeof(*r) + size, 0);
	return 0;
}

/* Is this descriptor a socket whose messages are wanted? Its peer, or the one that the call names, goes into the record. */
SUBPROGRAM int message_peer(long fd, unsigned long address, unsigned long size)
{
	struct task_struct *task = current_task();
	struct settings *set = settings();
	struct scratch *s = scratch();
	struct file *file = file_at(task, fd);
	if (!set || !s || !file)
		return 0;
	struct descriptor *out = &s->sent.peer;
	struct sock *sk = socket_of(file);
	if (!sk)
		return 0;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	__u16 type = SOCK_DGRAM;
	if (bpf_core_field_exists(sk->sk_type))
		type = BPF_CORE_READ(sk, sk_type);
	if (type != SOCK_DGRAM && !set->send_all)
		return 0;
	s->sending = fd;
	__builtin_memset(out, 0, sizeof(*out));
	fill_peer(out, sk);
	fill_own(&s->sent.own, sk);
	out->inode = BPF_CORE_READ(file, f_inode, i_ino);
	if (!out->port)
		read_address(s, out, address, size);
	return out->port == DNS || (set->send_all && out->port);
}

/* The record's peer is there already. */
SUBPROGRAM int on_send(__u32 number, unsigned long data, unsigned long size, long ret)
{
	struct task_struct *task = current_task();
	struct scratch *s = scratch();
	if (!s)
		return 0;
	struct send_record *r = (void *)s->record;
	fill_header(&r->header, KIND_SEND, task, ret);
	if (throttled(r->header.cgroup, r->header.time, BUDGET_READS, RATE_READS))
		return 0;
	r->number = number;
	r->header.descriptor = s->sending;
	if (size > MAX_DATA)
		size = MAX_DATA;
	UNKNOWN(size);
	size &= 2 * MAX_DATA - 1;
	if (bpf_probe_read_user(&s->record[sizeof(*r)], size, (void *)data))
		size = 0;
	r->data_size = size;
	send(&bulk, 1, s->record, sizeof(*r) + size, 0);
	return 0;
}

SUBPROGRAM int on_sendmsg(__u32 number, long fd, unsigned long from, long ret)
{
	struct message head = {};
	struct vector first = {};
	if (bpf_probe_read_user(&head, sizeof(head), (void *)from))
		return 0;
	if (!message_peer(fd, (unsigned long)head.name, head.name_size))
		return 0;
	if (head.count)
		bpf_probe_read_user(&first, sizeof(first), head.vectors);
	return on_send(number, (unsigned long)first.base, first.size, ret);
}

/* Resolvers ask for both families of addresses with one call of two messages. */
static __always_inline int on_sendmmsg(__u32 number, long fd, unsigned long from, long ret)
{
	on_sendmsg(number, fd, from, ret);
	if (ret > 1)
		on_sendmsg(number, fd, from + sizeof(struct messages), ret);
	if (ret > 2)
		on_sendmsg(number, fd, from + 2 * sizeof(struct messages), ret);
	return 0;
}

#endif
