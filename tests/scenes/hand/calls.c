/* Other processes, namespaces, mounts, and the calls that few programs need. */
#include "hand.h"

void act_ptrace(void)
{
	int pid = atoi(arguments[0]);
	need(ptrace(PTRACE_ATTACH, pid, NULL, NULL), "ptrace");
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static unsigned long writable(int pid)
{
	char path[64], line[512];
	unsigned long start = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, " rw-p "))
			sscanf(line, "%lx", &start);
	return start;
}

/* Writes what stands there already. */
void act_mem(void)
{
	char path[64], byte;
	snprintf(path, sizeof(path), "/proc/%s/mem", arguments[0]);
	unsigned long at = writable(atoi(arguments[0]));
	int fd = open(path, O_RDWR);
	need(fd, path);
	need(pread(fd, &byte, 1, at), "pread");
	need(pwrite(fd, &byte, 1, at), "pwrite");
}

void act_vmwrite(void)
{
	char byte;
	int pid = atoi(arguments[0]);
	struct iovec here = {&byte, 1}, there = {(void *)writable(pid), 1};
	need(process_vm_readv(pid, &here, 1, &there, 1, 0), "process_vm_readv");
	need(process_vm_writev(pid, &here, 1, &there, 1, 0), "process_vm_writev");
}

void act_getfd(void)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(arguments[0]), 0);
	need(pidfd, "pidfd_open");
	need(syscall(SYS_pidfd_getfd, pidfd, 0, 0), "pidfd_getfd");
}

/* Attempts: each with arguments that can do nothing, whether it is allowed or not. */
void act_call(void)
{
	static struct io_uring_params shape[1];
	static uint32_t map[12] = {2, 4, 4, 1}; /* one array of one number */
	static uint64_t counter[14] = {1ul | 112ul << 32}; /* this process's own clock */
	static const struct { const char *name; long number, a, b, c, d, e; } calls[] = {
		{"bpf", SYS_bpf, 5, 0, 0}, {"bpf-map", SYS_bpf, 0, (long)map, sizeof(map)},
		{"perf_event_open", SYS_perf_event_open, (long)counter, 0, -1, -1},
		{"init_module", SYS_init_module, 0, 0, 0}, {"finit_module", SYS_finit_module, -1, 0, 0},
		{"delete_module", SYS_delete_module, 0, 0}, {"kexec_load", SYS_kexec_load, 0, 1, 0, -1},
		{"kexec_file_load", SYS_kexec_file_load, -1, -1, 0}, {"userfaultfd", SYS_userfaultfd, 1},
		{"keyctl", SYS_keyctl, 0, -3, 0}, {"add_key", SYS_add_key, 0, 0}, {"request_key", SYS_request_key, 0, 0},
		{"io_uring_setup", SYS_io_uring_setup, 1, (long)shape}, {"fsopen", SYS_fsopen, (long)"tmpfs", 0},
		{"open_tree", SYS_open_tree, AT_FDCWD, (long)"/tmp", 1}, {"move_mount", SYS_move_mount, -1, 0, -1, 0},
		{"mount_setattr", SYS_mount_setattr, -1, 0, 0}, {"pivot_root", SYS_pivot_root, (long)"/none", (long)"/none"},
		{"iopl", SYS_iopl, 3}, {"ioperm", SYS_ioperm, 0, 1, 1}, {"swapon", SYS_swapon, (long)"/none", 0},
		{"swapoff", SYS_swapoff, (long)"/none"}, {"quotactl", SYS_quotactl, -1, 0}, {"personality", SYS_personality, 0x40000},
		{"setdomainname", SYS_setdomainname, 0, 1}, {"settimeofday", SYS_settimeofday, 1, 0}, {"reboot", SYS_reboot, 1, 2, 3},
		{"umount2", SYS_umount2, (long)"/none", 0}, {"chroot", SYS_chroot, (long)"/tmp"},
		{"memfd_create", SYS_memfd_create, (long)"x", 0}, {"unshare", SYS_unshare, CLONE_NEWUSER},
		{"acct", SYS_acct, (long)"/none"}, {"lookup_dcookie", SYS_lookup_dcookie, 0, 0}, {"fanotify_init", SYS_fanotify_init, 4, 0},
	};
	for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, arguments[0])) {
			long result = syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, calls[i].e);
			printf("%s %ld %d\n", arguments[0], result, result < 0 ? errno : 0);
			return;
		}
	errno = EINVAL;
	need(-1, arguments[0]);
}

/* The new way to mount: a file system in memory, put on a folder. */
void act_newmount(void)
{
	int fs = syscall(SYS_fsopen, "tmpfs", 0);
	need(fs, "fsopen");
	need(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0), "fsconfig");
	int mount = syscall(SYS_fsmount, fs, 0, 0);
	need(mount, "fsmount");
	need(syscall(SYS_move_mount, mount, "", AT_FDCWD, arguments[0], 4), "move_mount");
}

void act_setns(void)
{
	int fd = open(arguments[0], O_RDONLY);
	need(fd, arguments[0]);
	need(setns(fd, 0), "setns");
	if (arguments[1])
		execv(arguments[1], (char *[]){arguments[1], NULL});
}

void act_clone(void)
{
	uint64_t shape[8] = {CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, SIGCHLD};
	long pid = syscall(SYS_clone3, shape, sizeof(shape));
	if (pid < 0 && errno == ENOSYS)
		pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	need(pid, "clone");
	if (!pid)
		exit(0);
	waitpid(pid, NULL, 0);
}

/* The shape of Dirty Pipe: a page of a file goes into a pipe by splice, then the pipe is written to. */
void act_dirtypipe(void)
{
	int ends[2], fd = open(arguments[0], O_RDONLY);
	long at = 0;
	need(fd, arguments[0]);
	need(pipe(ends), "pipe");
	need(splice(fd, &at, ends[1], NULL, 1, 0), "splice");
	need(write(ends[1], "x", 1), "write");
}

static void *forget(void *page)
{
	for (int i = 0; i < 20000; i++)
		madvise(page, 4096, MADV_DONTNEED);
	return NULL;
}

/* The shape of Dirty COW: a private page is thrown away while /proc/self/mem writes to it. */
void act_dirtycow(void)
{
	pthread_t thread;
	int fd = open(arguments[0], O_RDONLY), memory = open("/proc/self/mem", O_RDWR);
	need(fd, arguments[0]);
	need(memory, "/proc/self/mem");
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	pthread_create(&thread, NULL, forget, page);
	for (int i = 0; i < 20000; i++)
		pwrite(memory, "x", 1, (long)page);
	pthread_join(thread, NULL);
}
