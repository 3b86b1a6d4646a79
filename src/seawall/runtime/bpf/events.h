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
	KIND_READ = 11,
	KIND_CALL = 12,
	KIND_SEND = 13,
	KIND_CRED = 14,
	KIND_URING = 15,
	KIND_THROTTLE = 16,     /* never on a ring: the agent reads `floods` */
	KIND_CONTAINER = 17,    /* a container's cgroup was made; for the agent's table, not an event */
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

enum mark { MARK_UPPER = 1, MARK_MEMFD = 2, MARK_DELETED = 4, MARK_FOREIGN = 8 };

enum flag {
	FLAG_CONTAINER = 1,
	FLAG_BLOCKED = 2,
	FLAG_SAMPLE = 4,        /* an open that no filter asked for */
	FLAG_FOREIGN_CWD = 8,   /* the working directory is of another mount namespace */
	FLAG_BY_KERNEL = 16,    /* exec: the parent is a kernel thread */
	FLAG_BEFORE = 32,       /* exec: the credentials before are known */
};

#define ID_SIZE 64      /* a container id, hex, no closing zero */
#define MAX_PATH 1024   /* bytes of one path */
#define MAX_ARGS 1024   /* bytes of all arguments */
#define MAX_FILTER 255  /* bytes of a path that the filters look at */
#define MAX_NAME 64     /* bytes of a last component that the filters look at */
#define MAX_DATA 512    /* bytes of a datagram */
#define MAX_CALLS 512   /* numbers of system calls */
#define MAX_FLOODS 64

/* What the agent wants of one system call, and where its arguments name what: settings.calls. Positions count from 1. */
enum call_form {
	FIRST_AT = 0,           /* 3 bits each: the argument with the first text, and the directory it is relative to */
	FIRST_BASE = 3,
	FIRST_RAW = 1 << 6,     /* a text, but no path */
	SECOND_AT = 7,
	SECOND_BASE = 10,
	SECOND_RAW = 1 << 13,
	GIVEN_FD = 14,          /* 3 bits: the argument that is a descriptor */
	RETURNED_FD = 1 << 17,
	OWN_ADDRESS = 1 << 18,  /* of the socket: it is about its own address, not its peer's */
	CALL_FILES = 1 << 19,   /* goes with the many, on the bulk ring */
	CALL_FAILED = 1 << 20,  /* only when it failed */
	CALL_CLONE = 1 << 21,   /* only with a new namespace */
	CALL_CLONE3 = 1 << 22,
	CALL_CWD = 1 << 23,     /* the file is the new working directory */
	WANTED_CONTAINER = 1 << 24,
	WANTED_HOST = 1 << 25,
	HANDLED = 1 << 26,      /* has a record form of its own that is wanted */
	CREDENTIALS = 1 << 27,  /* may change credentials */
	GUARDED = 1 << 28,      /* credentials are checked when it returns */
};

struct header {
	unsigned char kind;
	unsigned char flags;
	unsigned short descriptor; /* that a connect or send is about, if it fits */
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
	unsigned char state;    /* TCP state */
	unsigned char socket_type;
	unsigned short protocol;
	unsigned long long inode;
	unsigned char address[16];
};

struct file_facts {
	unsigned int dev;       /* major << 20 | minor */
	unsigned int mode;
	unsigned long long ino;
	unsigned int magic;
	unsigned int marks;
	unsigned int rdev;      /* like dev */
	unsigned int reserved;
};

struct namespaces {
	unsigned int mnt, pid, net, user;
};

struct credentials {
	unsigned int uid, euid, gid, user;  /* user: the namespace */
	unsigned long long caps;
};

/* Followed by the bytes of: path, working directory, arguments (each argument ends in a zero), path in the upper layer,
 * the environment's head (if somebody looks at it). */
struct exec_record {
	struct header header;
	struct credentials after, before;
	unsigned long long permitted;
	unsigned int loginuid, sid, pgid, vpgid;
	unsigned short path_size, cwd_size, args_size, upper_size, env_size, reserved, reserved2, reserved3;
	unsigned long long ctime, mtime; /* of the file, ns since the epoch */
	struct namespaces namespaces;
	struct file_facts file;
	struct descriptor stdio[3];
	char comm[16];
	char tty[16];
	char container[ID_SIZE];
};

/* Followed by the path, then the path inside the file system (procfs and sysfs: after /proc and /sys), then the path as
 * the caller wrote it, where its size is another. Also for READ. */
struct open_record {
	struct header header;
	struct file_facts file;
	unsigned int open_flags;
	unsigned short path_size, inner_size;
	unsigned short raw_size, reserved[3];
};

/* Followed by the Unix path (an abstract name begins with a zero). */
struct connect_record {
	struct header header;
	struct descriptor peer;
	unsigned long long socket_inode; /* of the file a Unix peer is bound to */
	unsigned int socket_dev;
	unsigned int path_size;
	unsigned int peer_pid;  /* who listens on a Unix socket */
	unsigned int repeats;   /* equal calls since the last record */
	struct descriptor own;  /* this side */
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

/* Followed by the target, the source, then the file system's type, as the caller wrote them, then its working directory. */
struct mount_record {
	struct header header;
	unsigned long long mount_flags;
	unsigned short path_size, source_size, type_size, cwd_size;
};

/* Any system call (CALL), or an operation of io_uring (URING: number is the opcode). Followed by: the first text's base
 * (empty if it needs none) and the text, the second's, the path of the file. */
struct syscall_record {
	struct header header;
	unsigned long long args[6];
	unsigned int number;
	unsigned short base1_size, text1_size, base2_size, text2_size, path_size, reserved;
	struct file_facts file;
	struct descriptor peer, own;
};

/* Followed by the head of what was sent. */
struct send_record {
	struct header header;
	struct descriptor peer, own;
	unsigned int number;
	unsigned int data_size;
};

struct cred_record {
	struct header header;
	struct credentials before, after;
	unsigned int number;    /* of the system call at whose end it showed; -1: fork, -2: exec */
	unsigned int reserved;
};

struct container_record {
	struct header header;
	char container[ID_SIZE];
};

/* One value, written by the agent through mmap. */
struct settings {
	unsigned int kinds;     /* bit per kind */
	unsigned int enforce;
	unsigned int self;      /* pid of the agent: its own calls are not events */
	unsigned int open_all;  /* 0: opens of containers only */
	unsigned int read_all;
	unsigned int wide;      /* bit per kind: OPEN, READ of containers whatever the path */
	unsigned int folders;   /* bit per kind: some filter is a folder */
	unsigned int samples;
	unsigned int send_all;  /* not only questions to name servers */
	unsigned int environment;
	unsigned int asleep;    /* the agent waits for the next event, whatever it is; whoever wakes it sets this to 0 */
	unsigned int reserved;
	unsigned char read_heads[32]; /* a bit for each hash of a wanted read's name (head_hash) */
	unsigned int calls[MAX_CALLS];          /* enum call_form */
	unsigned short compat[MAX_CALLS];       /* number of a 32-bit call: its 64-bit one, or 0 */
};

/* One value, read by the agent through mmap. */
struct counts {
	unsigned long long events;
	unsigned long long dropped_critical;
	unsigned long long dropped_bulk;
	unsigned long long throttled;
};

/* A cgroup that causes more than its share, read by the agent through mmap. */
struct flood {
	unsigned long long cgroup;
	unsigned long long since, last; /* ns since boot */
	unsigned long long lost;
	unsigned int pid, reserved;
};

#endif
