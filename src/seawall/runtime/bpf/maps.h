/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps, the same in every object: the loader makes each once and lets the other objects use it. */
#ifndef SEAWALL_MAPS_H
#define SEAWALL_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "events.h"

/* A function that the verifier looks at once, by itself: arguments are plain numbers, the task is the current one. */
#define SUBPROGRAM __noinline
/* A bound that the compiler has proven is one that the verifier has not seen. */
#define UNKNOWN(x_) asm volatile("" : "+r"(x_))

#define WAKE_AT 32768       /* bytes waiting on a ring that wake the agent before its next tick */
#define SCRATCH 8192
#define QUIET 2000000000ULL /* ns without a loss after which a flood is over */

/* What one cgroup may cause, each a second; twice that at once. A flood of one does not starve the others. */
enum budget { BUDGET_WRITES, BUDGET_READS, BUDGET_CALLS, BUDGET_CRITICAL, BUDGET_SAMPLES, BUDGETS };
#define RATE_WRITES 1000
#define RATE_READS 500
#define RATE_CALLS 1000
#define RATE_CRITICAL 500
#define RATE_SAMPLES 100

struct path_key { __u32 bits; char text[MAX_FILTER + 1]; };
struct name_key { char text[MAX_NAME]; };
enum name_bit { NAME_OPEN = 1, NAME_READ = 2, NAME_OPEN_PATH = 4, NAME_READ_PATH = 8 };
struct cgroup_facts { __u32 container; char id[ID_SIZE]; };
struct bucket { __u64 at; __u64 tokens; };
struct bucket_key { __u64 cgroup; __u64 budget; };
struct peer_key { __u32 pid; __s32 result; __u64 inode; __u8 address[16]; __u16 port; __u16 type; __u32 reserved; };
struct peer_seen { __u64 time; __u64 repeats; };
struct inode_key { __u64 cgroup, ino; __u64 dev; };
/* What a task's credentials are known to be: only what is explained may change them. */
struct task_state {
	struct credentials known;
	unsigned int suid, valid;
	unsigned long long permitted, bounding;
	unsigned long long home; /* a cgroup of a container that the task has left */
};
struct scratch {
	union { /* the forms are named so that the object's BTF tells them: tests/kernel reads it */
		char record[SCRATCH];
		struct exec_record exec;
		struct open_record open;
		struct connect_record connect;
		struct dup_record dup;
		struct call_record call;
		struct mount_record mount;
		struct syscall_record syscall;
		struct send_record sent;
		struct cred_record cred;
		struct container_record container;
	};
	struct dentry *chain[32], *dentry; /* of a walk */
	struct vfsmount *mnt;
	__u32 parts, out, written, sending, gathered, cut;
	struct path_key key;
	struct name_key name;
	struct cgroup_facts cgroup;
	struct peer_key peer;
	struct task_state now, blank; /* of check_credentials; all zeros */
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
MAP(floods, BPF_MAP_TYPE_ARRAY, MAX_FLOODS, __u32, struct flood, BPF_F_MMAPABLE);
MAP(open_paths, BPF_MAP_TYPE_LPM_TRIE, 1024, struct path_key, __u8, BPF_F_NO_PREALLOC);
MAP(read_paths, BPF_MAP_TYPE_LPM_TRIE, 1024, struct path_key, __u8, BPF_F_NO_PREALLOC);
MAP(names, BPF_MAP_TYPE_HASH, 1024, struct name_key, __u8, 0);
MAP(block_names, BPF_MAP_TYPE_HASH, 256, struct name_key, __u8, 0);
MAP(cgroups, BPF_MAP_TYPE_LRU_HASH, 4096, __u64, struct cgroup_facts, 0);
MAP(buckets, BPF_MAP_TYPE_LRU_HASH, 2048, struct bucket_key, struct bucket, 0);
MAP(directions, BPF_MAP_TYPE_LRU_HASH, 8192, __u64, __u8, 0);
MAP(peers, BPF_MAP_TYPE_LRU_HASH, 4096, struct peer_key, struct peer_seen, 0);
MAP(sampled, BPF_MAP_TYPE_LRU_HASH, 8192, struct inode_key, __u64, 0);
#ifdef SEAWALL_OLD
MAP(old_tasks, BPF_MAP_TYPE_LRU_HASH, 16384, __u64, struct task_state, 0);
#else
MAP(tasks, BPF_MAP_TYPE_TASK_STORAGE, 0, int, struct task_state, BPF_F_NO_PREALLOC);
#endif
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

/* Kernels before 5.17 take neither bpf_loop nor, some, the storage of tasks and the current task with its type. */
#ifdef SEAWALL_OLD
#define GET(from_, ...) BPF_CORE_READ(from_, ##__VA_ARGS__)
static __always_inline struct task_struct *current_task(void)
{
	return (void *)bpf_get_current_task();
}

static __always_inline struct task_state *state_of(struct task_struct *task, int make)
{
	__u64 key = (__u64)task;
	struct task_state *found = bpf_map_lookup_elem(&old_tasks, &key);
	struct scratch *s = scratch();
	if (found || !make || !s)
		return found;
	bpf_map_update_elem(&old_tasks, &key, &s->blank, BPF_ANY);
	return bpf_map_lookup_elem(&old_tasks, &key);
}
#else
#define GET(from_, ...) ___arrow(from_, ##__VA_ARGS__)
static __always_inline struct task_struct *current_task(void)
{
	return bpf_get_current_task_btf();
}

static __always_inline struct task_state *state_of(struct task_struct *task, int make)
{
	return bpf_task_storage_get(&tasks, task, 0, make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}
#endif

/* While something comes the agent reads both rings at each tick: only what is urgent, or much, wakes it in between. When
 * nothing comes it sleeps until the next event. */
static __always_inline void send(void *ring, int is_bulk, void *record, __u64 size, int urgent)
{
	struct counts *count = counts();
	struct settings *set = settings();
	__u64 flags = BPF_RB_NO_WAKEUP;
	if (!count || !set)
		return;
	__u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (urgent || set->asleep || (waiting <= WAKE_AT && waiting + size > WAKE_AT)) {
		set->asleep = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	if (bpf_ringbuf_output(ring, record, size, flags)) {
		__sync_fetch_and_add(is_bulk ? &count->dropped_bulk : &count->dropped_critical, 1);
		return;
	}
	__sync_fetch_and_add(&count->events, 1);
}

/* The agent learns of floods here, not by records: a full ring must not hide that it is full. */
static __always_inline void note_flood(__u64 cgroup, __u64 now)
{
	__u32 place = cgroup & (MAX_FLOODS - 1);
	struct flood *flood = bpf_map_lookup_elem(&floods, &place);
	if (!flood)
		return;
	if (flood->cgroup != cgroup) {
		if (flood->cgroup && now - flood->last < QUIET)
			return; /* two at one place: the first is told, both are counted */
		flood->cgroup = cgroup;
		flood->since = now;
		flood->lost = 0;
	} else if (now - flood->last > QUIET) {
		flood->since = now;
		flood->lost = 0;
	}
	flood->last = now;
	flood->pid = bpf_get_current_pid_tgid() >> 32;
	__sync_fetch_and_add(&flood->lost, 1);
}

/* Has what the scratch's key names been told in the last seconds? SEEN if so, else how often it was not told since. */
#define AGAIN 10000000000ULL
#define SEEN ((__u64)-1)
SUBPROGRAM __u64 counted(__u64 now)
{
	struct scratch *s = scratch();
	__u64 repeats = 0;
	if (!s)
		return 0;
	struct peer_seen *seen = bpf_map_lookup_elem(&peers, &s->peer);
	if (seen && now - seen->time < AGAIN) {
		__sync_fetch_and_add(&seen->repeats, 1);
		return SEEN;
	}
	if (seen)
		repeats = seen->repeats;
	struct peer_seen fresh = { now, 0 };
	bpf_map_update_elem(&peers, &s->peer, &fresh, BPF_ANY);
	return repeats;
}

/* Token buckets of one cgroup: a container that floods loses its own events, not those of others. */
SUBPROGRAM int throttled(__u64 cgroup, __u64 now, __u64 budget, __u64 rate)
{
	struct counts *count = counts();
	struct bucket_key key = { cgroup, budget };
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket) {
		struct bucket fresh = { now, 2 * rate - 1 };
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_ANY);
		return 0;
	}
	__u64 passed = now - bucket->at;
	if (passed > 10000000) {
		__u64 tokens = bucket->tokens + passed * rate / 1000000000ULL;
		bucket->tokens = tokens > 2 * rate ? 2 * rate : tokens;
		bucket->at = now;
	}
	if (bucket->tokens) {
		bucket->tokens--;
		return 0;
	}
	if (budget == BUDGET_SAMPLES)
		return 1; /* nobody asked for these */
	if (count)
		__sync_fetch_and_add(&count->throttled, 1);
	note_flood(cgroup, now);
	return 1;
}

#endif
