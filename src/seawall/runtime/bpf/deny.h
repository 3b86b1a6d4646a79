/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What containers may not do, as tables: only rules whose condition says exactly what a table can say are in them
 * (detect/exact.py). Objects that include this are loaded only while something enforces. */
#ifndef SEAWALL_DENY_H
#define SEAWALL_DENY_H

#pragma clang diagnostic ignored "-Wunused-function" /* the sensor's headers have more than is needed here */
#include "task.h"
#include "file.h"

#define DENIALS 128
#define SIGKILL 9
#define AT sizeof(struct open_record)

enum denial_kind {
	DENIED_EXEC = 1,    /* killed before the program's first instruction */
	DENIED_OPEN = 2,    /* killed before it could write; the file is unchanged */
	DENIED_CHANGED = 3, /* likewise, but the open itself has created or cut the file */
	REFUSED_EXEC = 4,   /* the call has failed, the process goes on */
	REFUSED_OPEN = 5,
};

enum forbidden_calls { CALL_MOUNT = 1, CALL_PTRACE = 2, CALL_TRIAL = 4 /* does the kernel ask at all? */ };
#define PTRACE_ATTACHES 2 /* PTRACE_MODE_ATTACH */
#define DENIED_PATH 104

struct address4 { __u32 bits; __u8 at[4]; };
struct address6 { __u32 bits; __u8 at[16]; };
struct denial { __u64 start; __u32 pid; __u32 kind; __u64 time; char path[DENIED_PATH]; };
struct denials { __u64 count; __u64 reserved[15]; struct denial last[DENIALS]; };

MAP(deny_exec_paths, BPF_MAP_TYPE_LPM_TRIE, 1024, struct path_key, __u8, BPF_F_NO_PREALLOC);
MAP(deny_exec_names, BPF_MAP_TYPE_HASH, 256, struct name_key, __u8, 0);
MAP(deny_write_paths, BPF_MAP_TYPE_LPM_TRIE, 1024, struct path_key, __u8, BPF_F_NO_PREALLOC);
MAP(deny_write_names, BPF_MAP_TYPE_HASH, 256, struct name_key, __u8, 0);
MAP(deny_peers4, BPF_MAP_TYPE_LPM_TRIE, 1024, struct address4, __u8, BPF_F_NO_PREALLOC);
MAP(deny_peers6, BPF_MAP_TYPE_LPM_TRIE, 1024, struct address6, __u8, BPF_F_NO_PREALLOC);
MAP(deny_calls, BPF_MAP_TYPE_ARRAY, 1, __u32, __u32, BPF_F_MMAPABLE);
/* The inode of the host's mount namespace while programs in memory only are forbidden, else 0. */
MAP(deny_memory, BPF_MAP_TYPE_ARRAY, 1, __u32, __u32, BPF_F_MMAPABLE);
MAP(denied, BPF_MAP_TYPE_ARRAY, 1, __u32, struct denials, BPF_F_MMAPABLE);

/* By the cgroup alone: what a task has left is kept where programs of cgroups cannot look. */
SUBPROGRAM int in_container(void)
{
	__u64 id;
	struct cgroup_facts *facts = facts_of(cgroup_of((void *)bpf_get_current_task(), &id), &id);
	return facts && facts->container;
}

/* The agent reads this to know whom the kernel side has stopped. */
static __always_inline void note(struct task_struct *task, __u32 kind)
{
	__u32 zero = 0;
	struct denials *all = bpf_map_lookup_elem(&denied, &zero);
	if (!all)
		return;
	struct denial *last = &all->last[all->count % DENIALS];
	last->start = BPF_CORE_READ(task, group_leader, start_boottime);
	last->pid = BPF_CORE_READ(task, tgid);
	last->kind = kind;
	last->time = bpf_ktime_get_boot_ns();
	struct scratch *s = scratch(); /* `forbidden` has left the path there */
	if (s)
		bpf_probe_read_kernel_str(last->path, DENIED_PATH, &s->record[AT]);
	__sync_fetch_and_add(&all->count, 1);
}

/* A pointer that the verifier knows the type of, as the plain number that its subprograms take. */
static __always_inline unsigned long plain(void *typed)
{
	void *kept = typed;
	unsigned long number = 0;
	bpf_probe_read_kernel(&number, sizeof(number), &kept);
	return number;
}

/* Whether a place, as the current task sees it, is in the table of programs (0) or of files not to be written (1). */
SUBPROGRAM int forbidden_at(unsigned long dentry, unsigned long mnt, int write)
{
	struct dentry *last = (void *)dentry;
	struct scratch *s = scratch();
	if (!s)
		return 0;
	__builtin_memset(&s->name, 0, sizeof(s->name));
	bpf_probe_read_kernel_str(s->name.text, MAX_NAME, BPF_CORE_READ(last, d_name.name));
	__u32 size = write_path(AT, dentry, mnt);
	UNKNOWN(size);
	if (size > MAX_PATH + 256)
		return 0;
	s->record[AT + size] = 0;
	if (bpf_map_lookup_elem(write ? (void *)&deny_write_names : (void *)&deny_exec_names, &s->name))
		return 1;
	s->key.bits = (MAX_FILTER + 1) * 8;
	__builtin_memset(s->key.text, 0, sizeof(s->key.text));
	if (size > MAX_FILTER)
		size = MAX_FILTER;
	UNKNOWN(size);
	if (size > MAX_FILTER)
		return 0;
	bpf_probe_read_kernel(s->key.text, size, &s->record[AT]);
	return bpf_map_lookup_elem(write ? (void *)&deny_write_paths : (void *)&deny_exec_paths, &s->key) != 0;
}

/* The same of an open file. */
static __always_inline int forbidden(struct file *file, int write)
{
	return forbidden_at((unsigned long)BPF_CORE_READ(file, f_path.dentry), (unsigned long)BPF_CORE_READ(file, f_path.mnt), write);
}

/* Whether a container's task becomes a program that is in no file system. The runtime starts itself so before it enters
 * the container: its mounts are the host's then. */
static __always_inline int forbidden_memory(struct task_struct *task, struct file *file)
{
	__u32 zero = 0, *host = bpf_map_lookup_elem(&deny_memory, &zero);
	if (!host || !*host || BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == *host)
		return 0;
	__u64 magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	if ((magic != TMPFS && magic != HUGETLBFS) || dentry != BPF_CORE_READ(dentry, d_parent))
		return 0;
	struct scratch *s = scratch();
	if (s)
		bpf_probe_read_kernel_str(&s->record[AT], DENIED_PATH, BPF_CORE_READ(dentry, d_name.name));
	return s && s->record[AT] == 'm' && s->record[AT + 1] == 'e' && s->record[AT + 2] == 'm' && s->record[AT + 3] == 'f' &&
	       s->record[AT + 4] == 'd' && s->record[AT + 5] == ':';
}

#endif
