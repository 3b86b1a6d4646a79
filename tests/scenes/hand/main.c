#include "hand.h"

char **arguments;

void need(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "hand: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

int main(int count, char **given)
{
	static const struct { const char *name; void (*act)(void); int least; } acts[] = {
		{"dup", act_dup, 3}, {"udp", act_udp, 3}, {"low", act_low, 3}, {"daemon", act_daemon, 3}, {"thread", act_thread, 3},
		{"pipes", act_pipes, 3}, {"late", act_late, 3}, {"pair", act_pair, 3}, {"pty", act_pty, 3}, {"pass", act_pass, 3},
		{"memfd", act_memfd, 3}, {"bind", act_bind, 3}, {"datagrams", act_datagrams, 3}, {"icmp", act_icmp, 3},
		{"uring", act_uring, 3}, {"uringwrite", act_uringwrite, 2}, {"write", act_write, 2}, {"open", act_open, 1},
		{"read", act_read, 1}, {"threadwrite", act_threadwrite, 2}, {"race", act_race, 2}, {"rename", act_rename, 2},
		{"mknod", act_mknod, 3}, {"handle", act_handle, 1}, {"unix", act_unix, 1}, {"ptrace", act_ptrace, 1},
		{"mem", act_mem, 1}, {"vmwrite", act_vmwrite, 1}, {"getfd", act_getfd, 1}, {"call", act_call, 1},
		{"newmount", act_newmount, 1}, {"setns", act_setns, 1}, {"clone", act_clone, 0}, {"execat", act_execat, 1},
		{"threadexec", act_threadexec, 1}, {"as", act_as, 1}, {"long", act_long, 2}, {"dirtypipe", act_dirtypipe, 1},
		{"dirtycow", act_dirtycow, 1},
	};
	if (count > 2 && !strcmp(given[1], "wait")) { /* wait SECONDS ACT... : first the quiet */
		sleep(atoi(given[2]));
		given += 2, count -= 2;
	}
	arguments = given + 2;
	if (count > 1 && !strcmp(given[1], "sleep"))
		return sleep(atoi(given[2]));
	for (unsigned i = 0; count > 1 && i < sizeof(acts) / sizeof(*acts); i++)
		if (!strcmp(acts[i].name, given[1]) && count - 2 >= acts[i].least) {
			acts[i].act();
			return 0;
		}
	fprintf(stderr, "hand: no such act\n");
	return 2;
}
