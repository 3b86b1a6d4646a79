/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The form of every record on the rings, little endian, no hidden padding. runtime/normalise.py reads it;
 * tests/kernel compares both with the objects' BTF. Numbers of kinds are never used again for something else. */
#ifndef SEAWALL_EVENTS_H
#define SEAWALL_EVENTS_H

enum kind {
	KIND_EXEC = 1,
	KIND_EXIT = 2,
	KIND_FORK = 3,
	KIND_CONNECT = 4,
	KIND_OPEN = 5,
	KIND_DUP = 6,
	KIND_SETNS = 7,
	KIND_UNSHARE = 8,
	KIND_PTRACE = 9,
	KIND_MOUNT = 10,
};

enum descriptor_type {
	FD_CLOSED = 0,
	FD_FILE = 1,
	FD_PIPE = 2,
	FD_TTY = 3,
	FD_INET = 4,
	FD_INET6 = 5,
	FD_UNIX = 6,
	FD_NULL = 7,
	FD_OTHER = 8,
};

enum direction { DIRECTION_UNKNOWN = 0, DIRECTION_OUT = 1, DIRECTION_IN = 2 };

enum mark { MARK_UPPER = 1, MARK_MEMFD = 2, MARK_DELETED = 4 };

enum flag { FLAG_CONTAINER = 1, FLAG_BLOCKED = 2 };

#define ID_SIZE 64      /* a container id, hex, no closing zero */
#define MAX_PATH 1024   /* bytes of one path */
#define MAX_ARGS 1024   /* bytes of all arguments */
#define MAX_FILTER 255  /* bytes of a path that the filters look at */
#define MAX_NAME 64     /* bytes of a last component that the filters look at */

struct header {
	unsigned char kind;
	unsigned char flags;
	unsigned short reserved;
	unsigned int pid;       /* of the thread group, in the first pid namespace */
	unsigned int ppid;
	unsigned int vpid;      /* in its own pid namespace */
	long long result;       /* of the system call; exit: the wait status */
	unsigned long long time;   /* ns since boot */
	unsigned long long start;  /* of the process, ns since boot */
	unsigned long long cgroup; /* names the cgroup as long as it lives */
};

struct descriptor {
	unsigned char type;
	unsigned char direction;
	unsigned short port;    /* of the peer, host order */
	unsigned int state;     /* TCP state */
	unsigned long long inode;
	unsigned char address[16];
};

struct file_facts {
	unsigned int dev;       /* major << 20 | minor */
	unsigned int mode;
	unsigned long long ino;
	unsigned int magic;
	unsigned int marks;
};

struct namespaces {
	unsigned int mnt, pid, net, user;
};

/* Followed by the bytes of: path, working directory, arguments (each argument ends in a zero). */
struct exec_record {
	struct header header;
	unsigned int uid, euid, gid, loginuid;
	unsigned long long caps;
	unsigned int sid;
	unsigned short path_size, cwd_size, args_size, reserved;
	unsigned int reserved2;
	struct namespaces namespaces;
	struct file_facts file;
	struct descriptor stdio[3];
	char comm[16];
	char tty[16];
	char container[ID_SIZE];
};

/* Followed by the path. */
struct open_record {
	struct header header;
	struct file_facts file;
	unsigned int open_flags;
	unsigned int path_size;
};

/* Followed by the Unix path (an abstract name begins with a zero). */
struct connect_record {
	struct header header;
	struct descriptor peer;
	unsigned long long socket_inode; /* of the file a Unix peer is bound to */
	unsigned int socket_dev;
	unsigned int path_size;
};

struct dup_record {
	struct header header;
	struct descriptor stdio[3];
};

/* setns, unshare, ptrace. */
struct call_record {
	struct header header;
	unsigned long long request; /* ptrace */
	unsigned long long target;  /* clone flags; ptrace: pid as the caller names it */
	struct namespaces namespaces;
};

/* Followed by the target, then the file system's type. */
struct mount_record {
	struct header header;
	unsigned long long mount_flags;
	unsigned int path_size;
	unsigned int type_size;
};

/* One value, written by the agent through mmap. */
struct settings {
	unsigned int kinds;     /* bit per kind */
	unsigned int enforce;
	unsigned int open_all;  /* 0: opens of containers only */
	unsigned int self;      /* pid of the agent: its own calls are not events */
};

/* One value, read by the agent through mmap. */
struct counts {
	unsigned long long events;
	unsigned long long dropped_critical;
	unsigned long long dropped_bulk;
	unsigned long long throttled;
};

#endif
