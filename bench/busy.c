/* A busy node's work. `busy pace SECONDS`: each second 200 execs, 5,000 opens, 500 connects and 200,000 other system
 * calls, in slots of 10 ms; prints what was achieved. `busy work ROUNDS`: as many rounds of the same mix as fast as it
 * goes; prints the seconds it took. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static long execs, opens, connects, calls;

/* Processor seconds of this process and what it has run: what the work costs, however busy the machine is. */
static double processor(void)
{
	struct rusage own, others;
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &others);
	return own.ru_utime.tv_sec + own.ru_stime.tv_sec + others.ru_utime.tv_sec + others.ru_stime.tv_sec +
	       (own.ru_utime.tv_usec + own.ru_stime.tv_usec + others.ru_utime.tv_usec + others.ru_stime.tv_usec) / 1e6;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void run_one(void)
{
	char *const arguments[] = {"/bin/true", NULL};
	pid_t pid;
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0) {
		waitpid(pid, NULL, 0);
		execs++;
	}
}

static void open_one(int number)
{
	int fd = number % 10 ? open("/etc/passwd", O_RDONLY) : open("/tmp/busy", O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) {
		close(fd);
		opens++;
	}
}

static void connect_one(int number)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9 + number % 50)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0) {
		connect(fd, (struct sockaddr *)&to, sizeof to);
		close(fd);
		connects++;
	}
}

/* A hundredth of a second's work. */
static void slot(void)
{
	for (int i = 0; i < 2; i++)
		run_one();
	for (int i = 0; i < 50; i++)
		open_one(i);
	for (int i = 0; i < 5; i++)
		connect_one(i);
	for (int i = 0; i < 2000; i++, calls++)
		syscall(SYS_getppid);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "busy pace SECONDS | busy work ROUNDS | busy burst SECONDS | busy flood SECONDS\n");
		return 2;
	}
	double start = now();
	if (strcmp(argv[1], "burst") == 0) { /* execs as fast as they go */
		while (now() - start < atof(argv[2]))
			run_one();
		printf("{\"execs\": %.0f}\n", execs / (now() - start));
		return 0;
	}
	if (strcmp(argv[1], "work") == 0) {
		for (int i = atoi(argv[2]); i > 0; i--)
			slot();
		printf("{\"seconds\": %.4f, \"processor\": %.4f}\n", now() - start, processor());
		return 0;
	}
	if (strcmp(argv[1], "flood") == 0) { /* as dd bs=1 */
		int from = open("/dev/zero", O_RDONLY), to = open("/dev/null", O_WRONLY);
		char one;
		for (long i = 0; i % 1000 || now() - start < atof(argv[2]); i++)
			if (read(from, &one, 1) != 1 || write(to, &one, 1) != 1)
				return 1;
		return 0;
	}
	double end = start + atof(argv[2]);
	for (long number = 1; now() < end; number++) {
		slot();
		double left = start + number * 0.01 - now();
		if (left > 0)
			usleep((useconds_t)(left * 1e6));
	}
	double took = now() - start;
	printf("{\"execs\": %.0f, \"opens\": %.0f, \"connects\": %.0f, \"calls\": %.0f, \"processor\": %.4f}\n", execs / took,
	       opens / took, connects / took, calls / took, processor() / took);
	return 0;
}
