/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps, the same in every object: the loader makes each once and lets the other objects use it. */
#ifndef SEAWALL_MAPS_H
#define SEAWALL_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "events.h"

#define RATE 1000           /* bulk events a second that one cgroup may cause */
#define BURST 2000
#define WAKE_AT 32768       /* bytes waiting on a ring that wake the agent before its next tick */
#define SCRATCH 8192

struct path_key { __u32 bits; char text[MAX_FILTER + 1]; };
struct name_key { char text[MAX_NAME]; };
struct cgroup_facts { __u32 container; char id[ID_SIZE]; };
struct bucket { __u64 at; __u64 tokens; };
struct scratch {
	union { /* the forms are named so that the object's BTF tells them: tests/kernel reads it */
		char record[SCRATCH];
		struct exec_record exec;
		struct open_record open;
		struct connect_record connect;
		struct dup_record dup;
		struct call_record call;
		struct mount_record mount;
	};
	struct dentry *chain[32];
	struct path_key key;
	struct name_key name;
	struct cgroup_facts cgroup;
	char text[256];
};

#define MAP(name_, type_, entries_, key_, value_, flags_) \
	struct { \
		__uint(type, type_); \
		__uint(max_entries, entries_); \
		__uint(map_flags, flags_); \
		__type(key, key_); \
		__type(value, value_); \
	} name_ SEC(".maps")

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 256 * 1024); } critical SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1024 * 1024); } bulk SEC(".maps");
MAP(config, BPF_MAP_TYPE_ARRAY, 1, __u32, struct settings, BPF_F_MMAPABLE);
MAP(tally, BPF_MAP_TYPE_ARRAY, 1, __u32, struct counts, BPF_F_MMAPABLE);
MAP(open_paths, BPF_MAP_TYPE_LPM_TRIE, 1024, struct path_key, __u8, BPF_F_NO_PREALLOC);
MAP(open_names, BPF_MAP_TYPE_HASH, 256, struct name_key, __u8, 0);
MAP(block_names, BPF_MAP_TYPE_HASH, 256, struct name_key, __u8, 0);
MAP(cgroups, BPF_MAP_TYPE_LRU_HASH, 4096, __u64, struct cgroup_facts, 0);
MAP(buckets, BPF_MAP_TYPE_LRU_HASH, 1024, __u64, struct bucket, 0);
MAP(directions, BPF_MAP_TYPE_LRU_HASH, 8192, __u64, __u8, 0);
MAP(scratches, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct scratch, 0);

static __always_inline struct settings *settings(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline struct scratch *scratch(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline struct counts *counts(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&tally, &zero);
}

/* The agent reads both rings at each tick; only what is urgent, or much, wakes it in between. */
static __always_inline void send(void *ring, int is_bulk, void *record, __u64 size, int urgent)
{
	struct counts *count = counts();
	__u64 flags = BPF_RB_NO_WAKEUP;
	if (!count)
		return;
	if (urgent || bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > WAKE_AT)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(ring, record, size, flags)) {
		__sync_fetch_and_add(is_bulk ? &count->dropped_bulk : &count->dropped_critical, 1);
		return;
	}
	__sync_fetch_and_add(&count->events, 1);
}

/* Token bucket of one cgroup: a container that floods loses its own events, not those of others. */
static __always_inline int throttled(__u64 cgroup, __u64 now)
{
	struct counts *count = counts();
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &cgroup);
	if (!bucket) {
		struct bucket fresh = { now, BURST - 1 };
		bpf_map_update_elem(&buckets, &cgroup, &fresh, BPF_ANY);
		return 0;
	}
	__u64 passed = now - bucket->at;
	if (passed > 1000000) {
		__u64 tokens = bucket->tokens + passed * RATE / 1000000000ULL;
		bucket->tokens = tokens > BURST ? BURST : tokens;
		bucket->at = now;
	}
	if (bucket->tokens) {
		bucket->tokens--;
		return 0;
	}
	if (count)
		__sync_fetch_and_add(&count->throttled, 1);
	return 1;
}

#endif
