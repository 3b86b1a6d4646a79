/* One static program of many acts: what attackers' tools do, without the harm. `hand ACT ARGUMENT...`
 * Acts that dial take HOST PORT SHELL; the shell is a path, its name is told as "sh". */
#ifndef HAND_H
#define HAND_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **arguments;

/* Ends the program with a word when a call has failed. */
void need(long result, const char *what);
/* The address that the first two arguments name. */
struct sockaddr_in peer(void);
/* Becomes the shell with a descriptor as its input and output. */
void on(int fd, const char *path);

void act_as(void);
void act_bind(void);
void act_call(void);
void act_clone(void);
void act_daemon(void);
void act_datagrams(void);
void act_dirtycow(void);
void act_dirtypipe(void);
void act_dup(void);
void act_execat(void);
void act_getfd(void);
void act_handle(void);
void act_icmp(void);
void act_late(void);
void act_long(void);
void act_low(void);
void act_mem(void);
void act_memfd(void);
void act_mknod(void);
void act_newmount(void);
void act_open(void);
void act_pair(void);
void act_pass(void);
void act_pipes(void);
void act_ptrace(void);
void act_pty(void);
void act_race(void);
void act_read(void);
void act_rename(void);
void act_setns(void);
void act_thread(void);
void act_threadexec(void);
void act_threadwrite(void);
void act_udp(void);
void act_unix(void);
void act_uring(void);
void act_uringwrite(void);
void act_vmwrite(void);
void act_write(void);

#endif
