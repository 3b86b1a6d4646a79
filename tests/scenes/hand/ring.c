/* io_uring without a library: one entry at a time. */
#include "hand.h"

static int ring;
static struct io_uring_params ring_shape;
static char *ring_heads, *ring_ends;
static struct io_uring_sqe *ring_entries;

static void ring_open(void)
{
	need(ring = syscall(SYS_io_uring_setup, 4, &ring_shape), "io_uring_setup");
	ring_heads = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	ring_ends = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	ring_entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
}

static int ring_do(struct io_uring_sqe entry)
{
	unsigned *tail = (void *)(ring_heads + ring_shape.sq_off.tail), at = *tail & 3;
	ring_entries[at] = entry;
	((unsigned *)(ring_heads + ring_shape.sq_off.array))[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	need(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), "io_uring_enter");
	unsigned *head = (void *)(ring_ends + ring_shape.cq_off.head);
	struct io_uring_cqe *done = (void *)(ring_ends + ring_shape.cq_off.cqes);
	int result = done[*head & (ring_shape.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (result < 0)
		errno = -result;
	return result < 0 ? -1 : result;
}

void act_uring(void)
{
	struct sockaddr_in to = peer();
	ring_open();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	need(ring_do((struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (long)&to, .off = sizeof(to)}), "connect");
	on(fd, arguments[2]);
}

void act_uringwrite(void)
{
	ring_open();
	int fd = ring_do((struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (long)arguments[0],
					       .len = 0644, .open_flags = O_WRONLY | O_CREAT | O_APPEND});
	need(fd, "open");
	need(ring_do((struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = fd, .addr = (long)arguments[1],
					   .len = strlen(arguments[1]), .off = -1}), "write");
}
