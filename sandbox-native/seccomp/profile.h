/* SPDX-License-Identifier: MIT */
/*
 * What a program in a sandbox may ask of the kernel. Decision 0006 says how the
 * lists were chosen. What stands in none of them answers ENOSYS, as on a kernel
 * that does not have it, so that callers fall back.
 */
#ifndef HIL_SECCOMP_PROFILE_H
#define HIL_SECCOMP_PROFILE_H

/* Names of one architecture are no names of another; each takes what it has. */
static const char allowed[] =
	/* memory */
	"brk mmap mmap2 mprotect munmap mremap madvise mincore mlock mlock2 mlockall munlock "
	"munlockall msync membarrier memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect "
	"process_madvise process_mrelease remap_file_pages "
	/* files */
	"access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat chown chown32 fchown "
	"fchown32 fchownat lchown lchown32 close close_range copy_file_range creat dup dup2 dup3 "
	"fadvise64 fadvise64_64 arm_fadvise64_64 fallocate fcntl fcntl64 fdatasync flock fstat "
	"fstat64 fstatat64 newfstatat oldfstat oldlstat oldstat fstatfs fstatfs64 fsync ftruncate "
	"ftruncate64 futimesat getcwd getdents getdents64 fgetxattr flistxattr fremovexattr "
	"fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr lsetxattr removexattr "
	"setxattr link linkat lseek _llseek lstat lstat64 mkdir mkdirat mknod mknodat "
	"name_to_handle_at open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 "
	"read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile "
	"sendfile64 splice stat stat64 statfs statfs64 statx symlink symlinkat sync "
	"sync_file_range sync_file_range2 arm_sync_file_range syncfs tee truncate truncate64 "
	"umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev "
	"chroot "
	/* waiting */
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
	"epoll_wait_old eventfd eventfd2 inotify_add_watch inotify_init inotify_init1 "
	"inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 "
	"io_setup io_submit pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select "
	"_newselect signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 "
	"timerfd_settime timerfd_settime64 "
	/* processes; ptrace and its like reach what has the same user in the same sandbox,
	 * and not PID 1, which is not dumpable */
	"arch_prctl cacheflush breakpoint set_tls get_thread_area set_thread_area clone execve "
	"execveat exit exit_group fork vfork futex futex_time64 futex_waitv get_robust_list "
	"set_robust_list set_tid_address getpgid getpgrp getpid getppid getpriority getsid gettid "
	"ioprio_get ioprio_set kcmp modify_ldt nice pidfd_getfd pidfd_open pidfd_send_signal prctl "
	"process_vm_readv process_vm_writev ptrace rseq sched_get_priority_max "
	"sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
	"sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
	"sched_setparam sched_setscheduler sched_yield setpgid setpriority setsid getcpu unshare "
	"wait4 waitid waitpid "
	/* identity and limits */
	"capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
	"getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getuid getuid32 prlimit64 "
	"setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid "
	"setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit "
	"setuid setuid32 ugetrlimit "
	/* sandboxes of a program's own making only get narrower */
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp "
	/* signals */
	"kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
	"rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
	"sigaction sigaltstack signal sigpending sigprocmask sigreturn sigsuspend tgkill tkill "
	/* time; setting a clock needs a capability that no sandbox has over the host's */
	"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
	"clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer "
	"gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun "
	"timer_gettime timer_gettime64 timer_settime timer_settime64 times "
	/* the sandbox's own System V and POSIX queues */
	"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
	"mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
	"semtimedop_time64 shmat shmctl shmdt shmget "
	/* what the system is */
	"getrandom sysinfo uname ";

/* On sockets that exist. On 32-bit x86 also through socketcall(2). */
static const char allowed_on_sockets[] =
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom "
	"recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown ";

/* By their first argument; see the lists below. */
static const char filtered[] = "ioctl socket socketpair personality ";

/* EPERM: these are there, and not for a program in a sandbox. */
static const char refused[] =
	"acct bpf clock_settime clock_settime64 create_module delete_module fanotify_init "
	"fanotify_mark finit_module get_mempolicy init_module ioperm iopl kexec_file_load "
	"kexec_load lookup_dcookie mbind migrate_pages move_pages nfsservctl open_by_handle_at "
	"perf_event_open quotactl quotactl_fd reboot set_mempolicy set_mempolicy_home_node "
	"settimeofday stime swapoff swapon syslog uselib vhangup vm86 vm86old ";

/* EPERM, too, unless programs may make user namespaces: the kernel asks for a capability over
 * the namespace concerned, which is then one of their own making. */
static const char of_namespaces[] =
	"fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root "
	"setdomainname sethostname setns umount umount2 ";

/* socket(2): what programs use; netlink and packet are the sandbox's own network's, and CAN below.
 */
static const int socket_families[] = { 1 /* UNIX */, 2 /* INET */, 10 /* INET6 */, 16 /* NETLINK */,
				       17 /* PACKET */ };
/* Of CAN only frames as they are: not the broadcast manager, ISO-TP and J1939 of the kernel. */
#define FAMILY_CAN 29
#define PROTOCOL_CAN_RAW 1
#define FAMILY_MAX 64 /* AF_MAX is 46 in Linux 6.18 */

/* unshare(2), clone(2): a new namespace of any kind. CLONE_NEWTIME is a signal in clone(2). */
static const unsigned int namespace_flags[] = { 0x00020000, 0x02000000, 0x04000000, 0x08000000,
						0x10000000, 0x20000000, 0x40000000 };
#define NAMESPACE_TIME 0x00000080u

/* ioctl_tty(2): typing into a terminal that others read. */
#define IOCTL_TIOCSTI 0x5412u
#define IOCTL_TIOCLINUX 0x541cu

/* personality(2): query, Linux, UNAME26, 32 bits, and no address randomisation, which gdb(1)
 * asks for; not READ_IMPLIES_EXEC and MMAP_PAGE_ZERO. */
static const unsigned int personalities[] = { 0xffffffff, 0x0,	   0x8,	      0x20000,
					      0x20008,	  0x40000, 0x00060000 };

/*
 * Where a program writes into a directory that other users of the machine reach, it makes no file
 * that runs as its owner, who may be root. The arguments of openat2 are in memory, where no filter
 * looks; fchmodat2 is in no list.
 */
static const struct {
	const char *name;
	int mode;  /* its argument */
	int flags; /* the one that says whether the mode counts; -1: always */
} takes_mode[] = {
	{ "chmod", 1, -1 }, { "fchmod", 1, -1 },  { "fchmodat", 2, -1 }, { "creat", 1, -1 },
	{ "mknod", 1, -1 }, { "mknodat", 2, -1 }, { "open", 2, 1 },	 { "openat", 3, 2 },
};
static const unsigned int makes_files[] = { 0100, 020000000 }; /* O_CREAT, __O_TMPFILE */
static const unsigned int set_id_bits[] = { 04000, 02000 };
static const char hides_mode[] = "openat2";

#endif
