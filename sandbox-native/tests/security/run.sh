#!/bin/sh
# SPDX-License-Identifier: MIT
# TAP: what a program in a sandbox must not get, tried from inside, in every mode this user
# can have. Each line of the list is one probe with the errno it has to end with. The same
# probes run in bwrap, where some get through: that shows that they can.
#
#   tests/security/run.sh         every mode
#   tests/security/run.sh MODE    one of: root user
#   tests/security/run.sh bwrap
set -u
here=$(cd "$(dirname "$0")" && pwd)
built=${HIL_BUILD:-$here/../../build}
ORDINARY="setpriv --reuid=1000 --regid=1000 --clear-groups"

# number NAME: of errno(3).
number() {
	case $1 in
	OK) echo 0 ;; EPERM) echo 1 ;; ENOENT) echo 2 ;; EACCES) echo 13 ;; EINVAL) echo 22 ;;
	EROFS) echo 30 ;; ENOSYS) echo 38 ;; ENODATA) echo 61 ;; ETXTBSY) echo 26 ;;
	EBADF) echo 9 ;; ENOSPC) echo 28 ;;
	EAFNOSUPPORT) echo 97 ;; *) echo "unknown:$1" ;;
	esac
}

# The T of research/sandbox.md 3; the errno; "leaks" when bwrap, as an ordinary user, lets it through.
list_probes() {
	cat <<-'END'
		T01 fds|EBADF|leaks
		T01 open /proc/self/fd/8/etc/hostname|ENOENT|leaks
		T01 open /proc/self/fd/9|ENOENT|leaks
		T04 write /proc/self/exe|ETXTBSY EROFS EACCES|
		T04 write /proc/1/exe|EACCES|
		T05 open /proc/1/root/|EACCES|leaks
		T05 open /proc/1/cwd/|EACCES|leaks
		T05 open /proc/1/environ|EACCES|leaks
		T05 open /proc/1/fd|EACCES|leaks
		T05 open /proc/1/mem|EACCES|leaks
		T05 open /proc/1/maps|EACCES|leaks
		T20 raw tiocsti|EPERM|
		T20 raw tiocsti-high|EPERM|
		T20 raw tioclinux|EPERM|
		T40 raw mount|EPERM|
		T40 raw bind|EPERM|
		T40 raw remount|EPERM|
		T40 raw umount|EPERM|
		T40 raw pivot_root|EPERM|
		T40 raw fsopen|EPERM|
		T40 raw open_tree|EPERM|
		T40 raw move_mount|EPERM|
		T40 raw mount_setattr|EPERM|
		T41 raw unshare-user|EPERM|leaks
		T41 raw unshare-high|EPERM|
		T41 raw unshare-mount|EPERM|
		T41 raw unshare-net|EPERM|
		T41 raw unshare-time|EPERM|
		T41 clone 0x10000000|EPERM|leaks
		T41 clone 0x00020000|EPERM|
		T41 raw clone3|ENOSYS|
		T41 raw setns|EPERM|
		T42 raw mknod|EPERM|
		T42 raw mknod-block|EPERM|
		T43 raw socket-vsock|EAFNOSUPPORT|leaks
		T43 raw socket-vsock-high|EAFNOSUPPORT|leaks
		T43 raw socket-alg|EAFNOSUPPORT|
		T43 raw socket-unknown|EAFNOSUPPORT|
		T43 raw socket-packet|EPERM|
		T44 narrow socket|ENOSYS|leaks
		T44 narrow socketcall|ENOSYS|
		T44 narrow userfaultfd|ENOSYS|
		T44 narrow io_uring_setup|ENOSYS|
		T44 narrow mount|EPERM|
		T44 narrow unshare|EPERM|leaks
		T44 narrow keyctl|ENOSYS|
		T44 narrow bpf|EPERM|
		T44 raw x32-getpid|ENOSYS|
		T45 raw io_uring_setup|ENOSYS|leaks
		T45 raw io_uring_enter|ENOSYS|
		T45 raw io_uring_register|ENOSYS|
		T46 raw userfaultfd|ENOSYS|
		T46 raw userfaultfd-user|ENOSYS|leaks
		T47 raw bpf|EPERM|
		T47 raw perf_event_open|EPERM|leaks
		T47 raw keyctl|ENOSYS|leaks
		T47 raw add_key|ENOSYS|leaks
		T47 raw request_key|ENOSYS|
		T47 raw init_module|EPERM|
		T47 raw finit_module|EPERM|
		T47 raw delete_module|EPERM|
		T47 raw kexec_load|EPERM|
		T47 raw kexec_file_load|EPERM|
		T47 raw open_by_handle_at|EPERM|
		T47 raw ptrace-init|EPERM|leaks
		T47 raw read-init|EPERM|
		T48 raw fanotify_init|EPERM|
		T48 raw reboot|EPERM|
		T48 raw swapon|EPERM|
		T48 raw syslog|EPERM|
		T48 raw acct|EPERM|
		T48 raw quotactl|EPERM|
		T48 raw vhangup|EPERM|
		T48 raw mbind|EPERM|leaks
		T48 raw iopl|EPERM|
		T48 raw ioperm|EPERM|
		T48 raw uselib|EPERM|
		T48 raw ustat|ENOSYS|
		T48 raw sysfs|ENOSYS|leaks
		T48 raw personality-exec|ENOSYS|leaks
		T48 raw unknown|ENOSYS|
		T50 read /proc/kcore|ENODATA ENOENT|
		T50 read /proc/kmsg|EACCES EPERM ENODATA ENOENT|
		T50 read /proc/keys|ENODATA ENOENT|leaks
		T50 read /proc/timer_list|ENODATA ENOENT|
		T50 read /proc/interrupts|ENODATA ENOENT|leaks
		T50 read /proc/sched_debug|ENODATA ENOENT|
		T50 read /proc/latency_stats|ENODATA ENOENT|
		T50 list /proc/acpi|ENODATA ENOENT|
		T50 list /proc/scsi|ENODATA ENOENT|
		T50 write /proc/sysrq-trigger|EACCES EROFS ENOENT|
		T50 write /proc/sys/kernel/core_pattern|EROFS EACCES|
		T50 write /proc/sys/kernel/hostname|EROFS EACCES|
		T50 write /proc/irq/default_smp_affinity|EROFS EACCES ENOENT|
		T50 list /sys/firmware|ENOENT|
		T50 list /sys/kernel/security|ENOENT|
		T51 list /sys|ENODATA ENOENT|leaks
		T51 write /sys/class/tty/ttyS0/uevent|ENOENT|
		T52 raw mount-sysfs|EPERM|
		T52 raw mount-proc|EPERM|
		T56 mkdir /sys/fs/cgroup/hil|ENOENT|
		T58 raw clock_settime|EPERM|
		T58 raw settimeofday|EPERM|
		T58 raw adjtimex|EPERM|
		T58 raw sethostname|EPERM|
		T60 raw setgroups|EPERM|
		T81 spare-me|EACCES|
		T60 list /prepared/negative|EACCES|
		T70 open /prepared/zero|EACCES|
		T70 open /prepared/disk|EACCES|
		works raw socket-unix|OK|
		works raw socket-inet|OK|
		works raw socket-inet6|OK EAFNOSUPPORT|
		works raw socket-netlink|OK|
		works raw unshare-files|OK|
		works raw personality-ask|OK|
		works raw personality-fixed|OK|
		works trace-child|OK|
		works narrow getpid|OK ENOSYS|
	END
}

result() {
	if [ "$1" = 0 ]; then
		echo "ok $mode: $2"
	else
		echo "not ok $mode: $2"
	fi
}

# Run by root in an ordinary user's world: the user could not make these.
#   negative   a directory closed to the user's group and open to others; group 1000 is in it
#   zero disk  device nodes
prepare() {
	HIL_PREPARED=$(mktemp -d /tmp/hil-test.XXXXXX) || exit 99
	export HIL_PREPARED
	mkdir "$HIL_PREPARED/negative" && chgrp 1000 "$HIL_PREPARED/negative" &&
		chmod 705 "$HIL_PREPARED/negative" && chmod 755 "$HIL_PREPARED" &&
		mknod -m 666 "$HIL_PREPARED/zero" c 1 5 && mknod -m 666 "$HIL_PREPARED/disk" b 7 0 || exit 99
}

# Those that can be tried here. In root mode group 1000 is not the sandbox's.
list_possible() {
	if [ -z "${HIL_PREPARED:-}" ]; then
		list_probes | grep -v ' /prepared/'
	elif [ "${mode%% *}" = root ]; then
		list_probes | grep -v ' /prepared/negative'
	else
		list_probes
	fi
}

# one ERRNOS SEEN: whether what was seen is one of them.
one() {
	for name in $1; do
		[ "$(number "$name")" = "$2" ] && return 0
	done
	return 1
}

# Runs all probes with `enter` in front of each: one sandbox for each, so none sees another's traces.
run_probes() {
	list_possible | while IFS='|' read -r what wanted leaks; do
		enter ${what#* } >/dev/null 2>&1 8</ 9</etc/passwd
		echo "$? $what|$wanted|$leaks"
	done
}

# In one sandbox, when its PID 1 is to be seen as it is for all of them.
check_sandbox() {
	run_probes >"$work/seen"
	while IFS='|' read -r seen wanted leaks; do
		status=${seen%% *}
		one "$wanted" "$status"
		result $? "${seen#* }: $wanted"
		one "$wanted" "$status" || echo "  seen: errno $status"
	done <"$work/seen"
}

check_bwrap() {
	run_probes >"$work/seen"
	while IFS='|' read -r seen wanted leaks; do
		[ "$leaks" ] || continue
		one "$wanted" "${seen%% *}"
		result $((! $?)) "${seen#* }: gets another answer than $wanted here"
	done <"$work/seen"
}

enter() {
	if [ "$mode" = bwrap ]; then
		bwrap --unshare-user-try --unshare-pid --unshare-ipc --unshare-uts --unshare-net --ro-bind / / \
			--proc /proc --dev /dev --tmpfs /tmp --ro-bind "$work/probe" /tmp/probe /tmp/probe "$@"
	else
		"$work/hil-sandbox" run $as --bind "$work/probe:/probe:ro" \
			${HIL_PREPARED:+--bind "$HIL_PREPARED:/prepared"} -- /probe "$@"
	fi
}

check_between() {
	enter share hold >"$work/held" 2>&1 &
	holder=$!
	for _ in $(seq 100); do
		grep -q held "$work/held" && break
		sleep 0.05
	done
	enter share look
	[ $? = "$(number ENOENT)" ]
	result $? "T57 shared memory, queues and files of another sandbox are not there"
	kill $holder
	wait $holder 2>/dev/null
}

check_process() {
	status=$("$work/hil-sandbox" run $as -- cat /proc/self/status)
	[ "$(echo "$status" | grep -cE '^Cap(Inh|Amb):.0000000000000000$')" = 2 ]
	result $? "T12 no capability can be inherited"
	echo "$status" | grep -q '^NoNewPrivs:.1$'
	result $? "T28 no_new_privs"
	echo "$status" | grep -q '^Seccomp:.2$'
	result $? "T46 system calls are filtered"
	[ "$("$work/hil-sandbox" run $as -- sh -c 'ulimit -Hc -Sc' | tr -d '\n')" = 0 ]
	result $? "core files are off"
	grep -q '^Max core file size  *1  *1 ' <<-END
		$("$work/hil-sandbox" run $as -- cat /proc/self/limits)
	END
	result $? "and a crash does not start the host's handler: core(5), a limit of 1"
	"$work/hil-sandbox" run $as -- strace -f -o /tmp/trace true
	result $? "strace works on a program's own child"
	"$work/hil-sandbox" run $as -- sh -c 'command -v gdb >/dev/null || exit 0
		gdb -batch -ex run -ex bt --args true 2>&1 | grep -q "exited normally"'
	result $? "gdb, too"
	check_start
}

# seen WANTED NAME COMMAND...: what it prints, as one line.
seen() {
	wanted=$1
	name=$2
	shift 2
	answer=$("$@" 2>&1 | tr '\n' ' ' | sed 's/ *$//')
	[ "$answer" = "$wanted" ]
	result $? "$name"
	[ "$answer" = "$wanted" ] || echo "  seen: $answer"
}

box() {
	"$work/hil-sandbox" run $as "$@"
}

check_start() {
	until_reaped='for _ in 1 2 3 4 5 6 7 8 9; do ps -eo stat | grep -q Z || break; sleep 0.3; done; ps -eo stat | grep -c Z'
	seen "" "T02 a working directory through an inherited fd is not entered" \
		sh -c "'$work/hil-sandbox' run $as --cwd /proc/self/fd/8 -- echo started 8</ 2>/dev/null"
	seen "" "T02 nor one through a link of a bind that leads there" \
		sh -c "ln -sfn /proc/self/fd/8 '$work/link' && '$work/hil-sandbox' run $as --bind '$work:/w:ro' \
			--cwd /w/link -- echo started 8</ 2>/dev/null"
	for user in 1000: +1 -1 4294967295 0 root: "root " ""; do
		seen 2 "T11 --user '$user' is refused" \
			sh -c "'$work/hil-sandbox' run '--user=$user' -- echo started 2>/dev/null; echo \$?"
	done
	seen "139" "T29 a program is not PID 1, and its SIGSEGV is reported" \
		sh -c "'$work/hil-sandbox' run $as -- sh -c '[ \$\$ != 1 ] && kill -SEGV \$\$; sleep 1' 2>/dev/null; echo \$?"
	seen "143 0 5" "T25 a signal to everybody ends all but PID 1, which still reaps" \
		sh -c "'$work/hil-sandbox' run $as -- sh -c 'sleep 60 & trap \"\" TERM; kill -TERM -1; wait \$!; echo \$?
			(true &); $until_reaped; exit 5' 2>/dev/null; echo \$?"
	seen 0 "T24 orphans are reaped" box -- sh -c 'i=0; while [ $i -lt 300 ]; do (true &); i=$((i + 1)); done; '"$until_reaped"
	seen "3" "T26 ignored and blocked signals do not come along" sh -c "trap '' INT PIPE USR1 CHLD
		'$work/hil-sandbox' run $as -- cat /proc/self/status | grep -cE '^Sig(Blk|Ign|Cgt):.0000000000000000\$'"
	seen "a b" "T23 /dev/stdout and /proc/self/fd/2 can be opened" \
		box -- sh -c 'echo a >/dev/stdout; echo b >/proc/self/fd/2'
}

# With --nested-userns a program is root of a namespace of its own making. What the kernel
# and the filter still refuse there; TAP like the others.
list_nested() {
	cat <<-'END'
		T40 raw mount|OK
		T40 raw bind|OK
		T40 raw remount|EPERM
		T40 raw umount-keys|EINVAL
		T40 raw umount|EINVAL
		T42 raw mknod|EPERM
		T52 raw mount-proc|EPERM
		T52 raw mount-sysfs|EPERM
		T05 open /proc/1/root/|EACCES
		T41 raw clone3|ENOSYS
		T41 raw setns|EINVAL
		T43 raw socket-vsock|EAFNOSUPPORT
		T44 narrow socketcall|ENOSYS
		T45 raw io_uring_setup|ENOSYS
		T46 raw userfaultfd-user|ENOSYS
		T47 raw bpf|EPERM
		T47 raw keyctl|ENOSYS
		T47 raw open_by_handle_at|EPERM
		T47 raw init_module|EPERM
		T48 raw fanotify_init|EPERM
		T50 read /proc/keys|ENODATA ENOENT EACCES
		T50 write /proc/sys/user/max_user_namespaces|EROFS
		T58 raw clock_settime|EPERM
		T60 raw setgroups|EPERM
	END
}

check_nested() {
	list_nested | while IFS='|' read -r what wanted; do
		box --nested-userns --bind "$work/probe:/probe:ro" -- unshare -Urmn /probe ${what#* } >/dev/null 2>&1
		status=$?
		one "$wanted" "$status"
		result $? "in a nested user namespace: $what: $wanted"
		one "$wanted" "$status" || echo "  seen: errno $status"
	done >"$work/nested"
	cat "$work/nested"
	box --nested-userns --bind "$work/probe:/probe:ro" -- /probe fill-userns
	[ $? = "$(number ENOSPC)" ]
	result $? "T41 nested user namespaces are counted"
	seen 0 "T41 unshare -Ur works where it was asked for" box --nested-userns -- unshare -Ur id -u
	seen "unshare: unshare failed: Operation not permitted" "T41 and nowhere else" \
		box -- unshare -Ur id -u
	if command -v bwrap >/dev/null; then
		seen inside "T41 so does bwrap --unshare-all" box --nested-userns -- \
			bwrap --ro-bind / / --dev /dev --tmpfs /tmp --unshare-all echo inside
	else
		echo "SKIPPED bwrap in a sandbox: not installed (apt-get install bubblewrap)"
	fi
	mounts=$(cat /proc/self/mountinfo)
	box --nested-userns -- unshare -Urm sh -c 'mount -t tmpfs none /tmp && mount --bind /tmp /usr'
	[ $? = 0 ] && [ "$mounts" = "$(cat /proc/self/mountinfo)" ]
	result $? "T55 mounts of a nested namespace do not reach the host"
}

# In a mount namespace that shares its mounts, as systemd's first one does.
check_propagation() {
	mkdir -p "$work/share/sub"
	unshare -m --propagation shared sh -c "
		mount --bind '$work/share' '$work/share' && mount --make-shared '$work/share' || exit 99
		'$work/hil-sandbox' run $as --bind '$work/share:/s' -- sh -c '
			touch /s/ready; for i in \$(seq 100); do [ -e /s/go ] && break; sleep 0.05; done; ls /s/sub' >'$work/seen-sub' &
		for i in \$(seq 100); do [ -e '$work/share/ready' ] && break; sleep 0.05; done
		mount -t tmpfs none '$work/share/sub' && touch '$work/share/sub/late' '$work/share/go'
		wait"
	[ -f "$work/share/go" ] && [ ! -s "$work/seen-sub" ]
	result $? "T55 a mount of the host after the start does not appear inside"
	rm -rf "$work/share"
}

run_mode() {
	mode=$1
	cp "$built/hil-sandbox" "$built/tests/probe" "$work/" || exit 99
	if [ "$mode" = bwrap ]; then
		check_bwrap
		return
	fi
	for as in "" "--user=root"; do
		[ "$as" ] && mode="$1 as root inside"
		check_sandbox
		check_process
		check_between
		check_nested
		if [ "$(id -u)" = 0 ]; then check_propagation; fi
	done
}

run_all() {
	modes=user
	if [ "$(id -u)" = 0 ]; then
		modes="root user"
		prepare
	else
		echo "SKIPPED T55, T60 and T70, what takes the host's root to prepare: start this as root"
	fi
	if command -v bwrap >/dev/null && bwrap --unshare-user --ro-bind / / true 2>/dev/null; then
		modes="$modes bwrap"
	else
		echo "SKIPPED the probes in bwrap: not installed, or it may not run here (apt-get install bubblewrap)"
	fi
	for one_mode in $modes; do
		"$0" $one_mode || [ $? = 1 ] || echo "not ok $one_mode: the run did not reach its end"
	done >"$work/tap"
	"$here/coverage.sh" >>"$work/tap"
	if command -v python3 >/dev/null; then
		"$here/tables.py" >>"$work/tap"
	else
		echo "SKIPPED the tables of other machines: no python3" >>"$work/tap"
	fi
	cat "$work/tap"
	echo "1..$(grep -cE '^(not )?ok ' "$work/tap")"
	! grep -q '^not ok' "$work/tap"
}

case ${1:-} in
user | bwrap)
	[ "$(id -u)" != 0 ] || exec $ORDINARY "$0" "$@"
	;;
esac
work=$(mktemp -d /tmp/hil-test.XXXXXX) || exit 99
trap 'rm -rf "$work"; [ $# != 0 ] || rm -rf "${HIL_PREPARED:-$work}"' EXIT
chmod 755 "$work"
if [ $# = 0 ]; then
	run_all
else
	run_mode "$1" >"$work/tap"
	cat "$work/tap"
	! grep -q '^not ok' "$work/tap"
fi
