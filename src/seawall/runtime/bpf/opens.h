/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opens: which of them some filter asks for. Nearly all end at the flags or at the last component's name. */
#ifndef SEAWALL_OPENS_H
#define SEAWALL_OPENS_H

#include "state.h"
#include "file.h"

#define O_CREAT 0100
#define O_WRITES (01 | 02 | O_CREAT | 01000)
#define O_PATH 010000000
#define FMODE_CREATED (1 << 20) /* this open has made the file */
#define ETXTBSY 26
#define MAX_RAW 256
#define SAMPLE_AGAIN 60000000000ULL /* ns until a file that is written again may be a sample again */

static __always_inline __u8 name_bits(struct scratch *s, struct file *file)
{
	__builtin_memset(&s->name, 0, sizeof(s->name));
	bpf_probe_read_kernel_str(s->name.text, MAX_NAME, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	__u8 *bits = bpf_map_lookup_elem(&names, &s->name);
	return bits ? *bits : 0;
}

/* Of the first eight bytes of a name, as runtime/collect/filters.py works it out too. */
static __always_inline __u8 head_hash(__u64 head)
{
	return (head * 0x9e3779b97f4a7c15ULL) >> 56;
}

/* Can nobody want that this file is read? Nearly all opens are such: they end before anything is looked up. */
static __always_inline int is_dull_read(struct settings *set, struct task_struct *task, struct file *file)
{
	__u32 bit = 1 << KIND_READ, length;
	__u64 head = 0;
	struct dentry *dentry;
	if ((set->wide | set->folders) & bit)
		return 0;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	length = BPF_CORE_READ(dentry, d_name.len);
	bpf_probe_read_kernel(&head, sizeof(head), BPF_CORE_READ(dentry, d_name.name));
	if (length < 8)
		head &= (1ULL << (length * 8 & 63)) - 1;
	__u8 hash = head_hash(head);
	if (set->read_heads[hash >> 3] & (1 << (hash & 7)))
		return 0;
	return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFBLK && !is_foreign(task, BPF_CORE_READ(file, f_path.mnt));
}

SUBPROGRAM int path_matches(int kind, __u32 at, __u32 size)
{
	struct scratch *s = scratch();
	if (!s)
		return 0;
	s->key.bits = (MAX_FILTER + 1) * 8;
	__builtin_memset(s->key.text, 0, sizeof(s->key.text));
	if (size > MAX_FILTER)
		size = MAX_FILTER;
	UNKNOWN(size); /* older verifiers know a bound only of the register that was compared */
	size &= MAX_FILTER;
	UNKNOWN(at);
	if (at > SCRATCH - 256)
		return 0;
	bpf_probe_read_kernel(s->key.text, size, &s->record[at]);
	if (kind == KIND_READ)
		return bpf_map_lookup_elem(&read_paths, &s->key) != 0;
	return bpf_map_lookup_elem(&open_paths, &s->key) != 0;
}

/* The first write of a regular file in a container, whoever asks for it. */
SUBPROGRAM int is_sample(__u64 at, __u64 cgroup, __u64 now)
{
	struct file *file = (void *)at;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct inode_key key = { cgroup, BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev) };
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG || is_virtual(BPF_CORE_READ(inode, i_sb, s_magic)))
		return 0;
	__u64 *known = bpf_map_lookup_elem(&sampled, &key);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		known = 0; /* a number that a removed file has left says nothing of the new one */
	if ((known && now - *known < SAMPLE_AGAIN) || throttled(cgroup, now, BUDGET_SAMPLES, RATE_SAMPLES))
		return 0;
	bpf_map_update_elem(&sampled, &key, &now, BPF_ANY);
	return 1;
}

/* The path as the caller wrote it: "../../etc/passwd" tells more than where it led to. */
SUBPROGRAM __u32 write_raw(__u32 at, unsigned long name, __u32 path_size)
{
	struct scratch *s = scratch();
	UNKNOWN(at);
	if (!s || !name || at > SCRATCH - MAX_RAW)
		return 0;
	long got = bpf_probe_read_user_str(&s->record[at], MAX_RAW, (void *)name);
	if (got < 2 || got > MAX_RAW || got - 1 == path_size)
		return 0;
	return (got - 1) & (MAX_RAW - 1);
}

SUBPROGRAM int on_open(__u32 flags, long fd, unsigned long name)
{
	struct task_struct *task = current_task();
	struct settings *set = settings();
	struct scratch *s = scratch();
	struct file *file = file_at(task, fd);
	if (!s || !set || !file)
		return 0;
	flags |= BPF_CORE_READ(file, f_flags);
	int kind = flags & O_WRITES ? KIND_OPEN : KIND_READ, wanted = set->kinds & (1 << kind);
	if (flags & O_PATH || !(wanted || (kind == KIND_OPEN && set->samples)))
		return 0;
	if (kind == KIND_READ && is_dull_read(set, task, file))
		return 0;
	__u64 cgroup;
	struct cgroup_facts *facts = container_of_task(task, &cgroup);
	int inside = facts && facts->container;
	if (inside && kind == KIND_OPEN)
		check_credentials(task, 2, 0);
	if (!inside && !(kind == KIND_OPEN ? set->open_all : set->read_all))
		return 0;
	struct open_record *r = (void *)s->record;
	__u32 magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic), size = 0, inner = 0;
	__u8 bits = name_bits(s, file);
	int match = (bits & (kind == KIND_OPEN ? NAME_OPEN : NAME_READ)) || (inside && set->wide & (1 << kind));
	int maybe = (bits & (kind == KIND_OPEN ? NAME_OPEN_PATH : NAME_READ_PATH)) || set->folders & (1 << kind);
	int sample = 0;
	__u64 now = bpf_ktime_get_boot_ns();
	/* Disks, and files that lie in another mount namespace, whatever they are called. */
	match |= inside && ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFBLK || is_foreign(task, BPF_CORE_READ(file, f_path.mnt)));
	if (!match && !maybe && !(set->samples && kind == KIND_OPEN && inside))
		return 0;
	if (match || maybe) {
		size = write_file(sizeof(*r), file);
		if (size > MAX_PATH + 256)
			return 0;
		if (is_virtual(magic))
			inner = write_canonical(s, sizeof(*r) + size, BPF_CORE_READ(file, f_path.dentry), magic);
		if (inner > MAX_PATH + 261)
			return 0;
		match = wanted && (match || path_matches(kind, sizeof(*r), size) ||
				   ((magic == PROCFS || magic == SYSFS) && path_matches(kind, sizeof(*r) + size, inner)));
	}
	if (!match) {
		if (!set->samples || kind != KIND_OPEN || !inside || !is_sample((__u64)file, cgroup, now))
			return 0;
		sample = FLAG_SAMPLE;
		if (!size)
			size = write_file(sizeof(*r), file);
		if (size > MAX_PATH + 256)
			return 0;
		inner = 0;
	} else if (throttled(cgroup, now, kind == KIND_OPEN ? BUDGET_WRITES : BUDGET_READS,
			     kind == KIND_OPEN ? RATE_WRITES : RATE_READS)) {
		return 0;
	}
	fill_common(&r->header, kind, task, fd);
	r->header.cgroup = cgroup;
	r->header.flags = (inside ? FLAG_CONTAINER : 0) | sample | cwd_flag(task);
	fill_file(&r->file, task, file);
	r->open_flags = flags;
	r->path_size = size;
	r->inner_size = inner;
	__u64 total = sizeof(*r) + size + inner;
	__u32 raw = write_raw(total, name, size);
	UNKNOWN(raw);
	raw &= MAX_RAW - 1;
	r->raw_size = raw;
	total += raw;
	UNKNOWN(total);
	if (total > SCRATCH)
		return 0;
	send(&bulk, 1, s->record, total, 0);
	return 0;
}

/* A running program cannot be written: who tries, and under which name, is all there is. */
SUBPROGRAM int on_busy_text(__u32 flags, unsigned long name, long result)
{
	struct task_struct *task = current_task();
	struct settings *set = settings();
	struct scratch *s = scratch();
	if (!s || !set || !(set->kinds & (1 << KIND_OPEN)))
		return 0;
	struct open_record *r = (void *)s->record;
	struct cgroup_facts *facts = fill_header(&r->header, KIND_OPEN, task, result);
	if (!(facts && facts->container) || throttled(r->header.cgroup, r->header.time, BUDGET_WRITES, RATE_WRITES))
		return 0;
	long size = bpf_probe_read_user_str(&s->record[sizeof(*r)], MAX_PATH, (void *)name);
	if (size < 1 || size > MAX_PATH)
		return 0;
	size = (size - 1) & (MAX_PATH - 1);
	__builtin_memset(&r->file, 0, sizeof(r->file));
	r->open_flags = flags;
	r->path_size = size;
	r->inner_size = r->raw_size = 0;
	send(&bulk, 1, s->record, sizeof(*r) + size, 0);
	return 0;
}

#endif
