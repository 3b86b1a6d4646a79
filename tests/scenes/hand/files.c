/* Files: written, read, reached in odd ways; execution in odd ways. */
#include "hand.h"

void act_write(void)
{
	int fd = open(arguments[0], O_WRONLY | O_CREAT | O_APPEND, 0644);
	need(fd, arguments[0]);
	need(write(fd, arguments[1], strlen(arguments[1])), "write");
}

void act_open(void) { need(open(arguments[0], O_WRONLY), arguments[0]); }
void act_read(void)
{
	char part[64];
	int fd = open(arguments[0], O_RDONLY);
	need(fd, arguments[0]);
	read(fd, part, sizeof(part));
}

static void *write_in_thread(void *unused)
{
	(void)unused;
	act_write();
	return NULL;
}

void act_threadwrite(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, write_in_thread, NULL);
	pthread_join(thread, NULL);
}

static char shown[256];
static volatile int over;
static void *flip(void *unused)
{
	(void)unused;
	while (!over) {
		strcpy(shown, arguments[0]);
		strcpy(shown, arguments[1]);
	}
	return NULL;
}

/* The path changes while the call runs, until the second of the two has been opened. */
void act_race(void)
{
	pthread_t thread;
	struct stat wanted, got;
	strcpy(shown, arguments[0]);
	need(stat(arguments[1], &wanted), arguments[1]);
	pthread_create(&thread, NULL, flip, NULL);
	for (int i = 0; i < 2000000 && !over; i++) {
		int fd = open(shown, O_WRONLY | O_APPEND);
		if (fd >= 0 && !fstat(fd, &got) && got.st_ino == wanted.st_ino)
			over = write(fd, "# x\n", 4) == 4;
		close(fd);
	}
	need(over - 1, "race");
}

void act_rename(void) { need(rename(arguments[0], arguments[1]), "rename"); }

void act_mknod(void)
{
	need(mknod(arguments[0], S_IFBLK | 0600, makedev(atoi(arguments[1]), atoi(arguments[2]))), "mknod");
}

/* The root folder of the disk that the file is on: its number is 2 on every ext file system. */
void act_handle(void)
{
	struct { struct file_handle head; uint32_t number[2]; } handle = {.head = {8, 1}, .number = {2, 0}};
	int base = open(arguments[0], O_RDONLY);
	need(base, arguments[0]);
	need(open_by_handle_at(base, &handle.head, O_RDONLY), "open_by_handle_at");
}

void act_unix(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char part[64];
	strncpy(to.sun_path, arguments[0], sizeof(to.sun_path) - 1);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	need(connect(fd, (void *)&to, sizeof(sa_family_t) + strlen(arguments[0])), arguments[0]);
	write(fd, "GET /_ping HTTP/1.0\r\n\r\n", 23);
	read(fd, part, sizeof(part));
}

void act_execat(void)
{
	char *const nothing[] = {NULL};
	syscall(SYS_execveat, open(arguments[0], O_RDONLY | O_CLOEXEC), "", arguments + 1, nothing, AT_EMPTY_PATH);
	need(-1, "execveat");
}

static void *exec_in_thread(void *unused)
{
	(void)unused;
	execv(arguments[0], arguments + 1);
	return NULL;
}

void act_threadexec(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exec_in_thread, NULL);
	pthread_join(thread, NULL);
}

/* argv[0] is whatever the second argument is, or nothing at all. */
void act_as(void)
{
	execv(arguments[0], arguments + 1);
	need(-1, arguments[0]);
}

/* After so many bytes of other arguments come those given. */
void act_long(void)
{
	long size = atol(arguments[1]);
	char *filler = malloc(size + 1);
	memset(filler, 'a', size);
	filler[size] = 0;
	char *words[16] = {arguments[0], filler};
	for (int i = 2; arguments[i] && i < 15; i++)
		words[i] = arguments[i];
	execv(arguments[0], words);
	need(-1, arguments[0]);
}
