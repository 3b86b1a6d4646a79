"""System calls of x86-64: numbers, names, and where the arguments of each name what.

A form tells the kernel side which arguments to read: "p2@1" a path in the second argument, relative to the directory
in the first (without @: to the working directory); "t1" another text; "f1" a descriptor, "fr" the returned one; "own"
a socket's own address instead of its peer's; "cwd" the new working directory; "many" one that ordinary programs call
all the time; "failed" only when it failed; "clone", "clone3" only with a new namespace.
"""

from functools import cache

_FROM_0 = """
read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
rt_sigreturn ioctl pread64 pwrite64 readv writev access pipe select sched_yield mremap msync mincore madvise
shmget shmat shmctl dup dup2 pause nanosleep getitimer alarm setitimer getpid sendfile socket connect accept
sendto recvfrom sendmsg recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt
clone fork vfork execve exit wait4 kill uname semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl
flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink
symlink readlink chmod fchmod chown fchown lchown umask gettimeofday getrlimit getrusage sysinfo times ptrace
getuid syslog getgid setuid setgid geteuid getegid setpgid getppid getpgrp setsid setreuid setregid getgroups
setgroups setresuid getresuid setresgid getresgid getpgid setfsuid setfsgid getsid capget capset rt_sigpending
rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime mknod uselib personality ustat statfs fstatfs
sysfs getpriority setpriority sched_setparam sched_getparam sched_setscheduler sched_getscheduler
sched_get_priority_max sched_get_priority_min sched_rr_get_interval mlock munlock mlockall munlockall vhangup
modify_ldt pivot_root _sysctl prctl arch_prctl adjtimex setrlimit chroot sync acct settimeofday mount umount2
swapon swapoff reboot sethostname setdomainname iopl ioperm create_module init_module delete_module
get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security gettid readahead
setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr
lremovexattr fremovexattr tkill time futex sched_setaffinity sched_getaffinity set_thread_area io_setup
io_destroy io_getevents io_submit io_cancel get_thread_area lookup_dcookie epoll_create epoll_ctl_old
epoll_wait_old remap_file_pages getdents64 set_tid_address restart_syscall semtimedop fadvise64 timer_create
timer_settime timer_gettime timer_getoverrun timer_delete clock_settime clock_gettime clock_getres
clock_nanosleep exit_group epoll_wait epoll_ctl tgkill utimes vserver mbind set_mempolicy get_mempolicy
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr kexec_load waitid add_key request_key
keyctl ioprio_set ioprio_get inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat
mknodat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat
pselect6 ppoll unshare set_robust_list get_robust_list splice tee sync_file_range vmsplice move_pages
utimensat epoll_pwait signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime accept4
signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open
recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at open_by_handle_at clock_adjtime syncfs
sendmmsg setns getcpu process_vm_readv process_vm_writev kcmp finit_module sched_setattr sched_getattr
renameat2 seccomp getrandom memfd_create kexec_file_load bpf execveat userfaultfd membarrier mlock2
copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx io_pgetevents rseq
"""
_FROM_424 = """
pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount
fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr
quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret process_mrelease
futex_waitv set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue
statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat
listxattrat removexattrat open_tree_attr file_getattr file_setattr
"""
NUMBERS = {
    **{name: number for number, name in enumerate(_FROM_0.split())},
    **{name: number for number, name in enumerate(_FROM_424.split(), 424)},
}
NAMES = {number: name for name, number in NUMBERS.items()}
LIMIT = 512
"""Numbers that the kernel side takes."""

_FORMS = """
rename: p1 p2 many
renameat: p2@1 p4@3 many
renameat2: p2@1 p4@3 many
link: p1 p2 many
linkat: p2@1 p4@3 many
symlink: t1 p2 many
symlinkat: t1 p3@2 many
unlink: p1 many
unlinkat: p2@1 many
rmdir: p1 many
mkdir: p1 many
mkdirat: p2@1 many
mknod: p1 many
mknodat: p2@1 many
chmod: p1 many
fchmod: f1 many
fchmodat: p2@1 many
fchmodat2: p2@1 many
chown: p1 many
lchown: p1 many
fchown: f1 many
fchownat: p2@1 many
truncate: p1 many
ftruncate: f1 many
setxattr: p1 t2 many
lsetxattr: p1 t2 many
fsetxattr: f1 t2 many
setxattrat: p2@1 t4 many
removexattr: p1 t2 many
lremovexattr: p1 t2 many
fremovexattr: f1 t2 many
utime: p1 many
utimes: p1 many
utimensat: p2@1 many
futimesat: p2@1 many
access: p1 many
faccessat: p2@1 many
faccessat2: p2@1 many
stat: p1 many
lstat: p1 many
newfstatat: p2@1 many
statx: p2@1 many
readlink: p1 many
readlinkat: p2@1 many
statfs: p1 many
chdir: p1 cwd many
fchdir: f1 cwd many
inotify_add_watch: f1 p2 many
fanotify_mark: p5@4
name_to_handle_at: p2@1
open_by_handle_at: fr
chroot: p1
pivot_root: p1 p2
umount2: p1
move_mount: p2@1 p4@3
open_tree: p2@1
open_tree_attr: p2@1
fsopen: t1
fspick: p2@1
fsconfig: t3 t4 many
fsmount: fr
mount_setattr: p2@1
mount: t1 p2
swapon: p1
swapoff: p1
acct: p1
quotactl: p2
quotactl_fd: f1
memfd_create: t1
init_module: t3
finit_module: f1 t2
delete_module: t1
kexec_file_load: f1
sethostname: t1
setdomainname: t1
add_key: t1 t2
request_key: t1 t2
socket: fr many
bind: f1 own
listen: f1 own
accept: fr many
accept4: fr many
shutdown: f1 many
recvfrom: f1 many
recvmsg: f1 many
recvmmsg: f1 many
sendto: f1 many
sendmsg: f1 many
sendmmsg: f1 many
connect: f1 many
setsockopt: f1 many
getsockopt: f1 many
ioctl: f1 many
read: f1 many
write: f1 many
pread64: f1 many
pwrite64: f1 many
readv: f1 many
writev: f1 many
sendfile: f1 many
splice: f1 many
close: many
dup: f1 many
dup2: f1 many
dup3: f1 many
fcntl: f1 many
mmap: f5 many
setns: f1
pidfd_getfd: fr
execve: p1 failed
execveat: p2@1 failed
clone: clone
clone3: clone3
"""
FORMS = {name: form for name, _, form in (line.partition(": ") for line in _FORMS.strip().split("\n"))}

_COMPAT = """
3=read 4=write 5=open 6=close 8=creat 9=link 10=unlink 11=execve 12=chdir 14=mknod 15=chmod 16=lchown 21=mount
23=setuid 26=ptrace 30=utime 33=access 37=kill 38=rename 39=mkdir 40=rmdir 41=dup 46=setgid 51=acct 52=umount2
54=ioctl 55=fcntl 57=setpgid 61=chroot 63=dup2 66=setsid 70=setreuid 71=setregid 74=sethostname
79=settimeofday 81=setgroups 83=symlink 85=readlink 87=swapon 88=reboot 90=mmap 92=truncate 93=ftruncate
94=fchmod 95=fchown 99=statfs 101=ioperm 106=stat 107=lstat 110=iopl 115=swapoff 120=clone 121=setdomainname
128=init_module 129=delete_module 131=quotactl 133=fchdir 136=personality 138=setfsuid 139=setfsgid 145=readv
146=writev 164=setresuid 170=setresgid 172=prctl 180=pread64 181=pwrite64 182=chown 185=capset 187=sendfile
198=lchown 203=setreuid 204=setregid 206=setgroups 207=fchown 208=setresuid 210=setresgid 212=chown 213=setuid
214=setgid 215=setfsuid 216=setfsgid 217=pivot_root 221=fcntl 226=setxattr 227=lsetxattr 228=fsetxattr
235=removexattr 236=lremovexattr 237=fremovexattr 238=tkill 264=clock_settime 270=tgkill 271=utimes
283=kexec_load 286=add_key 287=request_key 288=keyctl 292=inotify_add_watch 295=openat 296=mkdirat 297=mknodat
298=fchownat 299=futimesat 301=unlinkat 302=renameat 303=linkat 304=symlinkat 305=readlinkat 306=fchmodat
307=faccessat 310=unshare 313=splice 320=utimensat 330=dup3 336=perf_event_open 337=recvmmsg 339=fanotify_mark
341=name_to_handle_at 342=open_by_handle_at 345=sendmmsg 346=setns 347=process_vm_readv 348=process_vm_writev
350=finit_module 353=renameat2 354=seccomp 356=memfd_create 357=bpf 358=execveat 359=socket 361=bind
362=connect 363=listen 364=accept4 365=getsockopt 366=setsockopt 369=sendto 370=sendmsg 371=recvfrom
372=recvmsg 373=shutdown 374=userfaultfd 383=statx
"""
COMPAT = {int(number): name for number, _, name in (pair.partition("=") for pair in _COMPAT.split())}
"""32-bit programs: their numbers of the calls that matter. From 403 on the numbers are the same."""

CREDENTIALS = (
    *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups"),
    *("capset", "setns", "unshare"),
)
"""Calls that may change credentials."""
GUARDED = (
    *("mount", "umount2", "init_module", "finit_module", "bpf", "ptrace", "chroot", "pivot_root", "move_mount"),
    *("fsmount", "open_tree", "setns", "unshare", "memfd_create", "socket"),
)
"""Calls at whose end a container's credentials are checked."""

OPCODES = {
    9: "sendmsg", 16: "connect", 18: "openat", 26: "sendto", 28: "openat2", 35: "renameat", 36: "unlinkat",
    37: "mkdirat", 38: "symlinkat", 39: "linkat",
}  # fmt: skip
"""Operations of io_uring, by the names of the system calls they stand for."""

_MANY, _FAILED, _CLONE, _CLONE3, _CWD = 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23
_WORDS = {"many": _MANY, "failed": _FAILED, "clone": _CLONE, "clone3": _CLONE3, "cwd": _CWD, "own": 1 << 18}
_TEXTS = ((0, 3, 1 << 6), (7, 10, 1 << 13))
"""Place of the argument, place of its directory and bit of a text that is no path, for the first and second text."""
WANTED_CONTAINER, WANTED_HOST, HANDLED, MAY_CHANGE, CHECKED = 1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 28


@cache
def form(name: str) -> int:
    """The form of a call as the kernel side's number (enum call_form of bpf/events.h)."""
    value, texts = 0, 0
    for word in FORMS.get(name, "").split():
        if word in _WORDS:
            value |= _WORDS[word]
        elif word == "fr":
            value |= 1 << 17
        elif word[0] == "f":
            value |= int(word[1]) << 14
        else:
            place, base, raw = _TEXTS[texts]
            texts += 1
            value |= int(word[1]) << place
            value |= raw if word[0] == "t" else int(word[3:] or 0) << base
    return value


def descriptor(name: str, args: tuple[int, ...], result: int) -> int:
    """The number of the descriptor that a call gave back or was given, or -1."""
    value = form(name)
    if value & 1 << 17:
        return result if result >= 0 else -1
    given = value >> 14 & 7
    return args[given - 1] & 0x7FFFFFFF if given else -1
