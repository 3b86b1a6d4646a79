/* What a container may do, one thing for each first argument: raw system calls, so that no library stands between. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static struct sockaddr_in at(const char *host, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, host, &to.sin_addr);
	return to;
}

static void files(void)
{
	mkdir("/tmp/d", 0700);
	chdir("/tmp/d");
	close(open("a", O_CREAT | O_WRONLY, 0600));
	int tmp = open("/tmp", O_DIRECTORY | O_RDONLY);
	rename("a", "../d/./b");
	syscall(SYS_renameat2, tmp, "d/b", AT_FDCWD, "c", 0);
	symlink("/etc/shadow", "s");
	linkat(tmp, "d/c", tmp, "d/l", 0);
	chmod("c", 04755);
	int fd = open("c", O_RDONLY);
	fchmod(fd, 0600);
	fchown(fd, 1, 1);
	mkdirat(tmp, "d/m", 0700);
	unlinkat(tmp, "d/m", AT_REMOVEDIR);
	unlink("/proc/self/root/tmp/d/l");
	truncate("c", 3);
	setxattr("c", "security.capability", "x", 1, 0);
	mknod("/tmp/d/n", S_IFCHR | 0600, 0x103);
}

static void *thread(void *unused)
{
	(void)unused;
	unlink("/tmp/by-thread");
	return NULL;
}

static void *thread_exec(void *path)
{
	char *arguments[] = {path, "seawall-thread-exec", NULL};
	execv(path, arguments);
	return NULL;
}

static void datagrams(void)
{
	static const char question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07seawall\x04test\x00\x00\x01\x00\x01";
	struct sockaddr_in to = at("127.0.0.1", 53), other = at("127.0.0.1", 5353);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), connected = socket(AF_INET, SOCK_DGRAM, 0);
	sendto(fd, question, sizeof question, 0, (void *)&to, sizeof to);
	sendto(fd, question, sizeof question, 0, (void *)&other, sizeof other);
	connect(connected, (void *)&to, sizeof to);
	write(connected, question, sizeof question);
	struct iovec part = {(void *)question, sizeof question};
	struct mmsghdr both[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
	sendmmsg(fd, both, 0, 0);
	both[0].msg_hdr.msg_name = both[1].msg_hdr.msg_name = &to;
	both[0].msg_hdr.msg_namelen = both[1].msg_hdr.msg_namelen = sizeof to;
	sendmmsg(fd, both, 2, 0);
}

static void server(void)
{
	struct sockaddr_in here = at("127.0.0.1", 7878);
	int fd = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);
	bind(fd, (void *)&here, sizeof here);
	listen(fd, 5);
	for (int i = 0; i < 3; i++) { /* the second and third are only counted */
		connect(out, (void *)&here, sizeof here);
		accept(fd, NULL, NULL);
		close(out);
		out = socket(AF_INET, SOCK_STREAM, 0);
	}
	socket(AF_PACKET, SOCK_RAW, 0);
}

/* One operation through io_uring, without a library. */
static int ring(struct io_uring_sqe wanted)
{
	struct io_uring_params params = {0};
	int fd = syscall(SYS_io_uring_setup, 4, &params);
	if (fd < 0)
		return -1;
	char *sq = mmap(0, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqes = mmap(0, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	sqes[0] = wanted;
	((unsigned *)(sq + params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void rings(void)
{
	struct sockaddr_in to = at("127.0.0.1", 9);
	chdir("/tmp");
	ring((struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)"ringed", .open_flags = O_CREAT | O_WRONLY, .len = 0600});
	ring((struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .addr = (uintptr_t)"ringed", .len = (unsigned)AT_FDCWD, .addr2 = (uintptr_t)"/tmp/ringed2"});
	ring((struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (uintptr_t)"/tmp/ringed2"});
	ring((struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = socket(AF_INET, SOCK_STREAM, 0), .addr = (uintptr_t)&to, .off = sizeof to});
}

/* A 32-bit system call of a 64-bit program: open is 5, unlink 10. Its pointers must lie low. */
static void old_calls(void)
{
	char *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	long result;
	strcpy(low, "/etc/old-call");
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(5L), "b"(low), "c"((long)(O_CREAT | O_WRONLY)), "d"(0600L) : "memory", "r8", "r9", "r10", "r11");
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(10L), "b"(low) : "memory", "r8", "r9", "r10", "r11");
}

static void from_memory(const char *program)
{
	char *arguments[] = {"seawall-memfd", "", "\x01\xff odd", NULL}, *none[] = {NULL}, data[65536];
	int fd = syscall(SYS_memfd_create, "hidden", 0), from = open(program, O_RDONLY);
	for (ssize_t got; (got = read(from, data, sizeof data)) > 0;)
		write(fd, data, got);
	syscall(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	pthread_t other;
	if (is(what, "files"))
		files();
	else if (is(what, "linked")) {
		symlink("/etc", "/tmp/way");
		close(open("/tmp/new", O_CREAT | O_WRONLY, 0600));
		rename("/tmp/new", "/tmp/way/new-name");
		unlink("/proc/self/root/etc/new-name");
		mount("/dev/null", "/tmp", "ext4", 0, "");
		usleep(300000);
	} else if (is(what, "thread"))
		pthread_create(&other, NULL, thread, NULL), pthread_join(other, NULL);
	else if (is(what, "thread-exec"))
		pthread_create(&other, NULL, thread_exec, argv[2]), pause();
	else if (is(what, "datagrams"))
		datagrams();
	else if (is(what, "server"))
		server();
	else if (is(what, "ring"))
		rings();
	else if (is(what, "old"))
		old_calls();
	else if (is(what, "memory"))
		from_memory(argv[2]);
	else if (is(what, "busy-text"))
		open("/proc/self/exe", O_WRONLY);
	else if (is(what, "read"))
		close(open(argv[2], O_RDONLY));
	else if (is(what, "write"))
		close(open(argv[2], O_WRONLY | O_CREAT, 0600));
	else if (is(what, "exec-fails"))
		execl("nowhere", "nowhere", NULL);
	else if (is(what, "namespace"))
		syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) ? wait(NULL) : _exit(0);
	else if (is(what, "mount"))
		mount("../dev/mapped", "box", "ext4", MS_RDONLY, "");
	else if (is(what, "become")) {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		execv(argv[2], argv + 2);
	} else if (is(what, "userns")) {
		setresuid(1000, 1000, 1000);
		unshare(CLONE_NEWUSER | CLONE_NEWNS);
		mount("none", "/tmp", "tmpfs", 0, "");
		execv("/bin/probe", (char *[]){"/bin/probe", "done", NULL});
	} else if (is(what, "setcap")) { /* all that a container may have, for whoever runs it */
		unsigned caps[5] = {0x02000001, 0xa80425fb, 0, 0, 0};
		setxattr(argv[2], "security.capability", caps, sizeof caps, 0);
	} else if (is(what, "guarded")) {
		umount2("/nowhere", 0);
	} else if (is(what, "wait")) {
		getchar();
		umount2("/nowhere", 0);
	}
	return 0;
}
