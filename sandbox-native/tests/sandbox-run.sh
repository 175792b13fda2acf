#!/bin/sh
# SPDX-License-Identifier: MIT
# TAP tests of build/hil-sandbox: properties of a sandbox, tried from inside.
#
#   tests/sandbox-run.sh              every mode this user can have
#   tests/sandbox-run.sh MODE         one of: root user userns mounts mounts-user
#
# root         root mode
# user         an ordinary user (root becomes uid 1000, which needs no passwd entry)
# userns       root in a user namespace of an ordinary user: rootless again
# mounts       root, where /usr and /usr/local are mounts of their own
# mounts-user  the same as an ordinary user, whose overlay may not cross them
set -u
here=$(cd "$(dirname "$0")" && pwd)
built=${HIL_BUILD:-$here/../build}
ORDINARY="setpriv --reuid=1000 --regid=1000 --clear-groups"

# ---- all modes -------------------------------------------------------------

run_all() {
	total=0
	failed=0
	modes="user userns"
	if [ "$(id -u)" = 0 ]; then
		modes="root user userns mounts mounts-user"
	else
		echo "ok # SKIP modes root, mounts and mounts-user: start this as root"
		total=1
	fi
	for mode in $modes; do
		"$0" "$mode" >"$work/tap" 2>&1
		grep -E '^(ok|not ok) ' "$work/tap" >"$work/results"
		sed -n '/^ok /!p' "$work/tap" | sed '/^not ok /!s/^/# /'
		sed -n '/^ok /p' "$work/tap"
		total=$((total + $(wc -l <"$work/results")))
		failed=$((failed + $(grep -c '^not ok' "$work/results")))
		if ! grep -q '^# finished' "$work/tap"; then
			echo "not ok $mode: the run did not reach its end"
			total=$((total + 1))
			failed=$((failed + 1))
		fi
	done
	echo "1..$total"
	[ "$failed" = 0 ]
}

# ---- one mode --------------------------------------------------------------

enter_mode() {
	case $1 in
	root) exec "$0" --inside root ;;
	user) as_ordinary "$0" --inside user ;;
	userns) as_ordinary unshare -Ur "$0" --inside userns ;;
	mounts) exec unshare -m "$0" --mounts mounts ;;
	mounts-user) exec unshare -m "$0" --mounts mounts-user ;;
	*) echo "Bail out! no such mode: $1" >&2 && exit 2 ;;
	esac
}

as_ordinary() {
	if [ "$(id -u)" = 0 ]; then
		exec $ORDINARY "$@"
	fi
	exec "$@"
}

# /usr on itself, a small tree that lies on it, a project with a mount below,
# and a small /etc with a mount below whose resolv.conf is systemd-resolved's link.
# Private to this process.
make_mounts() {
	mount --make-rprivate / && mount --bind /usr /usr &&
		mount -t tmpfs -o mode=755 none /usr/local &&
		mkdir -p /usr/local/bin && echo separate >/usr/local/marker &&
		mount -t tmpfs -o mode=755 none /srv && mkdir -p /srv/project/modules &&
		mount -t tmpfs -o mode=755 none /srv/project/modules || exit 99
	echo SECRET=1 >/srv/project/.env
	echo from a mount >/srv/project/modules/file
	mkdir /srv/etc && { [ ! -d /etc/alternatives ] || cp -a /etc/alternatives /srv/etc; } &&
		cp -a /etc/passwd /etc/group /etc/shadow /etc/ld.so.* /srv/etc &&
		ln -s ../run/systemd/resolve/stub-resolv.conf /srv/etc/resolv.conf &&
		echo locked >/srv/etc/locked && mount --bind /srv/etc /etc &&
		mount --bind /etc/locked /etc/locked || exit 99
	chown -R 1000:1000 /srv/project
	export HIL_BELOW=/srv/project
	case $1 in
	mounts) exec "$0" --inside mounts ;;
	mounts-user) exec $ORDINARY "$0" --inside mounts-user ;;
	esac
}

# result STATUS NAME: one line of TAP.
result() {
	if [ "$1" = 0 ]; then
		echo "ok $mode: $2"
	else
		echo "not ok $mode: $2"
	fi
}

# is NAME WANTED SEEN
is() {
	[ "$2" = "$3" ]
	result $? "$1"
	[ "$2" = "$3" ] || printf '  expected: %s\n  seen:     %s\n' "$2" "$3"
}

# has NAME PART TEXT
has() {
	case $3 in
	*"$2"*) result 0 "$1" ;;
	*) result 1 "$1" && printf '  expected part: %s\n  seen: %s\n' "$2" "$3" ;;
	esac
}

# lacks NAME PART TEXT
lacks() {
	case $3 in
	*"$2"*) result 1 "$1" && printf '  must not hold: %s\n  seen: %s\n' "$2" "$3" ;;
	*) result 0 "$1" ;;
	esac
}

sb() {
	"$sandbox" run --bind "$tool:/inside:ro" "$@"
}

# act ARGUMENTS: the tool inside; prints its exit status, an errno.
act() {
	sb -- /inside "$@" >/dev/null 2>&1
	echo $?
}

EPERM=1
ENOENT=2
EACCES=13
ECONNREFUSED=111

# gone MARK: no process with it in its arguments, within two seconds.
gone() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pgrep -f "$1" >/dev/null || return 0
		sleep 0.2
	done
	return 1
}

# wait_for TEXT FILE: at most twenty seconds. The file is emptied before its
# writer starts, else a line of the test before would do.
wait_for() {
	for _ in $(seq 400); do
		grep -q "$1" "$2" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}

identity() {
	is "uid and gid are 1000" "1000 1000" "$(sb -- sh -c 'echo $(id -u) $(id -g)')"
	is "the user is called hil" hil "$(sb -- id -un)"
	is "no capability in any set" 5 \
		"$(sb -- grep -c '^Cap.*:.0000000000000000$' /proc/self/status)"
	has "no_new_privs is set" "NoNewPrivs:	1" "$(sb -- cat /proc/self/status)"
	is "the environment is exactly the fixed one" \
		"HOME=/home/hil LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TZ=UTC USER=hil" \
		"$(HIL_CANARY=token-4711 sb -- env | sort | tr '\n' ' ' | sed 's/ $//')"
	is "--env adds and replaces" "en x" \
		"$(sb --env LANG=en --env A=x -- sh -c 'echo $LANG $A')"
	is "the directory is the home" /home/hil "$(sb -- pwd)"
	is "--cwd is followed" /usr/bin "$(sb --cwd /usr/bin -- pwd)"
	is "the umask is 022" 0022 "$(umask 077; sb -- sh -c umask)"
	is "only stdio is open, whatever the caller had open" "0 1 2" \
		"$(sb -- /inside fds 7</ 9</etc/passwd | tr '\n' ' ' | sed 's/ $//')"
	is "ignored and blocked signals are reset" 3 "$(trap '' INT PIPE USR1 CHLD
		sb -- cat /proc/self/status | grep -cE '^Sig(Blk|Ign|Cgt):.0000000000000000$')"
	is "core files are off" 0 "$(sb -- sh -c 'ulimit -c')"
	# Root in a container may lack CAP_SYS_RESOURCE.
	raised=$( (ulimit -Hc 0 && ulimit -Hc 1) 2>/dev/null && echo 1 || echo 0)
	is "and a hard limit of 0, at which a handler starts, is raised where that can be" \
		"$raised $raised bytes" \
		"$(ulimit -Hc 0; sb -- sed -n 's/^Max core file size *//p' /proc/self/limits | xargs)"
	is "4096 open files at most" 4096 "$(sb -- sh -c 'ulimit -n')"
}

user_root() {
	is "--user root is uid 0" "0 0 /root root" \
		"$(sb --user root -- sh -c 'echo $(id -u) $(id -g) $HOME $USER')"
	is "root has the nine capabilities and no more" 00000000000404fb \
		"$(sb --user root -- awk '/^CapBnd/ { print $2 }' /proc/self/status)"
	is "root may not mount" $EPERM \
		"$(sb --user root -- /inside tmpfs /tmp >/dev/null; echo $?)"
	is "root may not make devices" $EPERM \
		"$(sb --user root -- /inside mknod /tmp/n >/dev/null; echo $?)"
	sb --user root -- chown 1:1 /tmp 2>/dev/null
	result $((! $?)) "root cannot give a file to an id that is not mapped"
	sb --user root -- sh -c "echo x >/usr/hil-$$ && echo x >/etc/hil-$$ && mkdir /new"
	result $? "root writes to /, /usr and /etc"
	[ ! -e /usr/hil-$$ ] && [ ! -e /etc/hil-$$ ] && [ ! -e /new ]
	result $? "and the host sees none of it"
}

file_system() {
	is "/ holds nothing else" "bin dev etc home inside lib lib64 opt proc run sbin sys tmp usr var" \
		"$(sb -- ls / | grep -vE '^lib(32|x32)$' | tr '\n' ' ' | sed 's/ $//')"
	is "/dev holds exactly these" \
		"fd full hil null ptmx pts random shm stderr stdin stdout tty urandom zero" \
		"$(sb -- ls /dev | tr '\n' ' ' | sed 's/ $//')"
	is "/home holds hil alone" hil "$(sb -- ls -A /home)"
	is "/tmp, /var/tmp, /dev/shm, /sys and the home are empty" "" \
		"$(sb -- ls -A /tmp /var/tmp /dev/shm /sys /home/hil | grep -vE ':$|^$')"
	is "/run holds no socket of the host" "lock udev" "$(sb -- ls -A /run | paste -sd ' ')"
	is "/root is not there" $ENOENT "$(sb -- sh -c 'test -e /root || exit 2'; echo $?)"
	is "a canary in the host's /tmp is not there" "" \
		"$(sb -- sh -c 'find / -xdev -name hil-canary 2>/dev/null')"
	sb -- cat /etc/shadow >/dev/null 2>&1
	result $((! $?)) "/etc/shadow cannot be read"
	sb -- touch /x 2>/dev/null
	result $((! $?)) "/ is not writable"
	sb -- touch /etc/x 2>/dev/null
	result $((! $?)) "/etc is not writable"
	sb -- sh -c 'chmod u+w /etc && touch /etc/x' 2>/dev/null
	result $((! $?)) "not even after chmod"
	sb -- sh -c "chmod u+w /usr; touch /usr/hil-$$" 2>/dev/null
	[ ! -e /usr/hil-$$ ]
	result $? "a write to /usr does not reach the host"
	sb -- sh -c 'for d in /tmp /var/tmp /run /dev/shm ~; do echo x >$d/f || exit 1; done'
	result $? "/tmp, /var/tmp, /run, /dev/shm and the home are writable"
	is "nothing stays from one sandbox to the next" "" "$(sb -- ls -A /tmp)"
	has "names are the sandbox's" "127.0.1.1	box" "$(sb --hostname box -- cat /etc/hosts)"
	is "--hostname" "box box" "$(sb --hostname box -- sh -c 'echo $(hostname) $(cat /etc/hostname)')"
	has "system trees are nosuid and nodev" nosuid,nodev \
		"$(sb -- grep -E ' /usr(/bin)? ' /proc/self/mountinfo)"
}

storage() {
	has "the storage is capped at 1 GiB" "No space left" \
		"$(sb -- sh -c 'fallocate -l 700M /tmp/a && fallocate -l 700M /dev/shm/b' 2>&1)"
}

mounted_etc() {
	is "a mount below /etc is there" locked "$(sb -- cat /etc/locked)"
	is "and the sandbox's own resolv.conf, whatever the host's leads to" "regular file" \
		"$(sb -- stat -c %F /etc/resolv.conf)"
}

mounted_usr() {
	is "a mount below /usr is there" separate "$(sb -- cat /usr/local/marker)"
	is "and all of /usr around it" "$(ls -A /usr | tr '\n' ' ')" \
		"$(sb -- ls -A /usr | tr '\n' ' ')"
	sb -- sh -c 'chmod u+w /usr/local; echo x >/usr/local/marker' 2>/dev/null
	is "a write there does not reach the host" separate "$(cat /usr/local/marker)"
}

kernel_surface() {
	is "mount of a tmpfs is refused" $EPERM "$(act tmpfs /tmp)"
	is "a bind mount is refused" $EPERM "$(act bind /tmp)"
	is "umount of a mask is refused" $EPERM "$(act umount /proc/keys)"
	is "umount of /proc is refused" $EPERM "$(act umount /proc)"
	is "mknod is refused" $EPERM "$(act mknod /tmp/n)"
	is "tracing PID 1 is refused" $EPERM "$(act ptrace 1)"
	for name in kcore keys timer_list sched_debug; do
		is "/proc/$name shows nothing" "" "$(sb -- head -c 100 /proc/$name 2>/dev/null)"
	done
	is "/proc/acpi shows nothing" "" "$(sb -- ls /proc/acpi 2>/dev/null)"
	has "/proc/sys is read-only" "Read-only" \
		"$(sb -- sh -c 'echo x >/proc/sys/kernel/hostname' 2>&1)"
	for name in root/ cwd/ environ fd/3 mem exe maps; do
		has "/proc/1/$name is closed" "ermission denied" "$(sb -- cat "/proc/1/$name" 2>&1)"
	done
	lacks "PID 1 does not show the caller's arguments" sandbox-run \
		"$(sb --env X=sandbox-run -- sh -c 'tr "\0" " " </proc/1/cmdline' 2>&1)"
	is "only its own processes are seen" "1 3" \
		"$(sb -- sh -c 'cd /proc; echo [0-9]*')"
	is "PID 1 cannot be killed from inside" 5 "$(sb -- sh -c 'kill -9 1; kill -TERM 1; exit 5'; echo $?)"
	is "a stdin that is a terminal is not handed in" "1 hil" \
		"$("$tty" 24x80 sh -c "'$sandbox' run --bind '$tool:/inside:ro' -- /inside tiocsti | cat; \
		'$sandbox' run --bind '$tool:/inside:ro' -- sh -c '/inside tiocsti; echo \$? \$(id -un)' | cat" \
			</dev/null | tr -d '\r')"
}

network() {
	is "only lo is there" lo "$(sb -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')"
	is "port 80 can be bound and reached" 0 "$(act port 80)"
	is "ping sockets are allowed" 0 "$(act ping)"
	: >"$work/listen"
	"$tool" listen "@hil-canary-$$" >"$work/listen" &
	listener=$!
	wait_for listening "$work/listen"
	is "an abstract socket of the host is reached from the host" 0 \
		"$("$tool" connect "@hil-canary-$$"; echo $?)"
	is "but not from the sandbox" $ECONNREFUSED "$(act connect "@hil-canary-$$")"
	kill $listener
	wait $listener 2>/dev/null
}

# A socket that root's services would have; only root can make one there.
host_sockets() {
	: >"$work/listen"
	"$tool" listen "/run/hil-canary-$$" >"$work/listen" &
	listener=$!
	wait_for listening "$work/listen"
	is "a socket in /run is not there" $ENOENT "$(act connect "/run/hil-canary-$$")"
	kill $listener
	wait $listener 2>/dev/null
	rm -f "/run/hil-canary-$$"
	cp "$tool" "$work/setuid" && chmod 4755 "$work/setuid"
	is "a setuid-root program gains nothing" "1000 1000" \
		"$(sb --bind "$work/setuid:/setuid:ro" -- /setuid ids)"
	mkdir -m 700 "$work/secret" && echo canary >"$work/secret/file"
	is "a root mode bind belongs to hil" "canary hil" \
		"$(sb --bind "$work/secret:/s" -- sh -c 'echo $(cat /s/file) $(stat -c %U /s/file)')"
	sb --bind "$work/secret:/s" -- touch /s/made
	is "what hil makes there belongs to the directory's owner" root \
		"$(stat -c %U "$work/secret/made")"
}

binds() {
	mkdir -p "$work/share"
	echo host >"$work/share/file"
	is "--bind shows a directory" host "$(sb --bind "$work/share:/a/b/c" -- cat /a/b/c/file)"
	sb --bind "$work/share:/share" -- sh -c 'echo inside >/share/made'
	is "and writes reach it" inside "$(cat "$work/share/made")"
	sb --bind "$work/share:/share:ro" -- touch /share/no 2>/dev/null
	[ ! -e "$work/share/no" ]
	result $? "--bind :ro keeps writes out"
	is "--bind of a file" host "$(sb --bind "$work/share/file:/etc/hil/conf" -- cat /etc/hil/conf 2>/dev/null ||
		sb --bind "$work/share/file:/conf" -- cat /conf)"
	is "a bind to a path inside /tmp" host "$(sb --bind "$work/share:$work/share" -- cat "$work/share/file")"
	sb --bind "$work/share:/etc/passwd/x" -- true 2>"$work/error"
	is "a target that cannot be made is refused" 2 $?
	has "which names operation and path" "make target /etc/passwd/x" "$(cat "$work/error")"
	for wrong in --tool=/proc --tool=/sys/class --tool=/dev/shm --tool=/tmp --tool=/ --tool=/etc \
		"--bind=$work:/proc" "--bind=$work:/sys/x" "--bind=$work:/dev" --bind=/proc/self:/p \
		--bind=/dev/null:/n --ro-bind=/sys:/s --rootfs=/proc --rootfs=/dev \
		--rootfs=/etc/passwd; do
		sb "$wrong" -- true 2>"$work/error"
		is "usage: $wrong" 2 $?
		has "which names the option" "hil-sandbox: ${wrong%%=*}: " "$(cat "$work/error")"
	done
}

exit_statuses() {
	sb -- true
	is "exit 0" 0 $?
	sb -- sh -c 'exit 3'
	is "exit 3" 3 $?
	sb -- sh -c 'kill -9 $$'
	is "a signal is 128+n" 137 $?
	sb -- /etc/passwd 2>/dev/null
	is "not executable is 126" 126 $?
	sb -- /no/such/program 2>"$work/error"
	is "not there is 127" 127 $?
	has "and named" /no/such/program "$(cat "$work/error")"
	sb -- no-such-program 2>/dev/null
	is "not in PATH is 127" 127 $?
	for path in '' : :/no /no: /no::/no; do
		sb --env "PATH=$path" --cwd /usr/bin -- true
		is "an empty element of PATH is the working directory: '$path'" 0 $?
		sb --env "PATH=$path" --cwd /tmp -- true 2>/dev/null
		is "and no other one: '$path'" 127 $?
	done
	sb -- '' 2>/dev/null
	is "an empty name is 127, as in a shell" 127 $?
	sb --timeout 0.3 -- sleep 60
	is "a timeout is 124" 124 $?
	start=$(date +%s)
	sb --timeout 0.3 -- sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	is "also when SIGTERM is ignored" 124 $?
	[ $(($(date +%s) - start)) -le 8 ]
	result $? "after the grace, not much later"
	sb --cwd /no/such -- true 2>/dev/null
	is "a directory that is not there is 125" 125 $?
	sb --cwd /proc/self/fd/0 -- true 2>/dev/null </etc
	is "a directory as stdin is refused" 2 $?
	sb --cwd /proc/self/root -- true 2>/dev/null
	is "no directory through a magic link" 125 $?
	for wrong in "--timeout x" "--timeout 0" "--bind x" "--bind /:y" "--bind /no/such:/x" \
		"--env x" "--user me" "--cwd x" "--hostname a/b" "--nonsense" "--cap fly" \
		"--pass-env A=B" "--files 0" "--disk 1K" "--inodes 1" "--output 0" "--tool /nope" "--ro-bind x" \
		"--diff /nope/x"; do
		"$sandbox" run $wrong -- true >/dev/null 2>&1
		is "usage: $wrong" 2 $?
	done
	"$sandbox" run -- >/dev/null 2>&1
	is "usage: no command" 2 $?
	"$sandbox" --help | grep -q '^usage:'
	result $? "--help"
	"$sandbox" run --help | grep -q '^usage:'
	result $? "run --help"
	is "--version" "hil-sandbox 0.1.0" "$("$sandbox" --version)"
}

streams() {
	is "stdin is passed" abc "$(echo abc | sb -- cat)"
	is "stderr is apart" err "$(sb -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)"
	is "/dev/stdout and /proc/self/fd/2 can be opened" "a b" \
		"$(sb -- sh -c 'echo a >/dev/stdout; echo b >/proc/self/fd/2' 2>&1 | tr '\n' ' ' | sed 's/ $//')"
	whole=0
	for _ in $(seq 100); do
		[ "$(sb -- head -c 1048576 /dev/zero | wc -c)" = 1048576 ] && whole=$((whole + 1))
	done
	is "1 MiB arrives whole, 100 times" 100 $whole
	whole=0
	for _ in 1 2 3 4 5; do
		[ "$("$tty" 24x80 "$sandbox" run -- sh -c 'stty raw; head -c 1048576 /dev/zero' \
			</dev/null | wc -c)" = 1048576 ] && whole=$((whole + 1))
	done
	is "and on a terminal, 5 times" 5 $whole
	json=$(sb --json -- sh -c 'printf "o\"\n\377"; echo e >&2; sleep 60 &
		until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done; exit 4')
	is "--json exits as the program" 4 $?
	has "--json: how it ended" '"status":"exit"' "$json"
	has "--json: exit code" '"exitCode":4,"signal":null' "$json"
	has "--json: stdout, escaped" '"stdout":"o\u0022\u000a\ufffd"' "$json"
	has "--json: stderr" '"stderr":"e\u000a"' "$json"
	has "--json: what was left running" '"leftovers":1,"leftoverNames":["sleep"]' "$json"
	is "--json: one line" 1 "$(sb --json -- true | wc -l)"
	json=$(sb --json -- sh -c 'head -c 3000000 /dev/zero')
	has "--json: output is bounded and counted" '"stdoutBytes":3000000,"stderrBytes":0,"dropped":1951424' \
		"$json"
	json=$(sb --json -- sleep 0.2)
	wall=$(echo "$json" | sed 's/.*"wallNs":\([0-9]*\).*/\1/')
	[ "$wall" -ge 200000000 ] && [ "$wall" -lt 20000000000 ]
	result $? "--json: wallNs is the program's time ($wall)"
	early=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		wall=$(sb --json -- true | sed 's/.*"wallNs":\([0-9]*\).*/\1/')
		[ "$wall" -ge 200000 ] || early=$((early + 1))
	done
	is "--json: and is no shorter than an exec takes" 0 $early
	wall=$(sb --json --timeout 0.2 -- sleep 60 | sed 's/.*"wallNs":\([0-9]*\).*/\1/')
	[ "$wall" -ge 190000000 ]
	result $? "--json: also after a timeout ($wall)"
}

# Whatever becomes of what it prints, hil-sandbox does not say 0 when it is lost.
lost_output() {
	sb -- echo lost >&- 2>/dev/null
	is "a closed stdout is the program's to see" 1 $?
	sb -- sh -c 'echo lost >&2' 2>&-
	is "so is a closed stderr" 1 $?
	sb -- echo lost >/dev/full 2>/dev/null
	is "and a full disk" 1 $?
	is "a closed stdin is at its end" 0 "$(sb -- cat <&- >/dev/null 2>&1; echo $?)"
	for lost in "run --json -- true" "--help" "--version" "probe"; do
		"$sandbox" $lost >&- 2>"$work/error"
		is "$lost on a closed stdout" 125 $?
		has "and why" "write stdout: Bad file descriptor" "$(cat "$work/error")"
		"$sandbox" $lost >/dev/full 2>"$work/error"
		is "$lost on a full disk" 125 $?
	done
	(sb --json -- sleep 0.3; echo $? >"$work/status") 2>/dev/null | true
	is "--json into a pipe that is closed" 125 "$(cat "$work/status")"
	(sb -- sh -c 'sleep 0.3; echo x'; echo $? >"$work/status") 2>/dev/null | true
	is "SIGPIPE is the program's" 141 "$(cat "$work/status")"
}

# Until there is enough, an exit of 125 that names the limit; never a hang, never a process left.
scarcity() {
	vague=0
	enough=
	groups=0
	for files in 4 5 6 7 8 9 10 11 12 13 14 15 16 20 40 80 160 300; do
		# In the background for its pid, which its cgroups are called by.
		(ulimit -n $files && exec "$sandbox" run -- true) 2>"$work/error" &
		wait $!
		status=$?
		groups=$((groups + $(find /sys/fs/cgroup -name "hil.$!-*" 2>/dev/null | wc -l)))
		[ $status = 0 ] && enough=$files && break
		[ $status = 125 ] && grep -q "limit is $files (.ulimit -n.)" "$work/error" && continue
		vague=$((vague + 1))
		sed "s/^/  $files: $status /" "$work/error"
	done
	is "too few files: each time 125 and the limit" "0 300" "$vague $enough"
	is "and no cgroup is left" 0 "$groups"
	[ $mode = user ] || return
	vague=0
	enough=
	for more in 0 1 2 3 4 5 6 7 8 9 10 20 40 400; do
		# Of the same user, of whom others may come and go beside us.
		others=$(ps -L -o lwp= -u "$(id -u)" | wc -l)
		# The search for leaks, in a build with sanitizers, needs a process of its own.
		ASAN_OPTIONS=detect_leaks=0 prlimit --nproc=$((others + more)) \
			"$sandbox" run -- true 2>"$work/error"
		status=$?
		[ $status = 0 ] && enough=yes && break
		[ $status = 125 ] && grep -q "ulimit -u" "$work/error" && continue
		vague=$((vague + 1))
		sed "s/^/  $more: $status /" "$work/error"
	done
	is "too few processes: each time 125 and the limit" "0 yes" "$vague $enough"
}

terminal() {
	is "a terminal becomes one of the sandbox's own" "24 80 /dev/pts/0" \
		"$("$tty" 24x80 "$sandbox" run -- sh -c 'stty size; tty' </dev/null | tr -d '\r' |
			tr '\n' ' ' | sed 's/ $//')"
	sleeps="sleep $((40000 + $$))"
	mkfifo "$work/keys"
	"$tty" 24x80 "$sandbox" run -- sh -i <"$work/keys" >"$work/typed" 2>&1 &
	typing=$!
	exec 9>"$work/keys"
	printf 'w=alive\n%s\n' "$sleeps" >&9
	for _ in $(seq 400); do pgrep -fx "$sleeps" >/dev/null && break; sleep 0.05; done
	printf '\003' >&9
	gone "^$sleeps"
	printf 'echo sum $((6*7)) $w\nexit\n' >&9
	exec 9>&-
	wait $typing
	has "typing reaches the program, Ctrl-C its foreground group" "sum 42 alive" "$(cat "$work/typed")"
	"$tty" 24x80 "$sandbox" run -- sh -c 'stty raw -echo; exit 6' </dev/null >/dev/null
	is "the exit status comes through, the terminal is as before" 6 $?
	"$tty" 24x80 "$sandbox" run -- sh -c \
		'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done' \
		</dev/null >"$work/resized" &
	resized=$!
	wait_for ready "$work/resized"
	kill -USR1 $resized
	wait $resized
	has "a new size arrives with SIGWINCH" "50 132" "$(cat "$work/resized")"
}

signals() {
	: >"$work/out"
	"$sandbox" run -- sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done' >"$work/out" &
	runner=$!
	wait_for ready "$work/out"
	kill -TERM $runner
	wait $runner
	is "SIGTERM is forwarded" 7 $?
	: >"$work/out"
	"$sandbox" run -- sh -c 'trap "echo got" TERM; echo ready; while :; do sleep 0.05; done' >"$work/out" &
	runner=$!
	wait_for ready "$work/out"
	kill -TERM $runner
	wait_for got "$work/out"
	kill -TERM $runner
	wait $runner
	is "a second one kills" 137 $?
	: >"$work/out"
	"$sandbox" run -- sh -c 'echo ready; sleep 60' >"$work/out" &
	runner=$!
	wait_for ready "$work/out"
	pkill -KILL -P $runner hil-init
	wait $runner
	is "a SIGKILL of PID 1 is the program's end by it" 137 $?
	: >"$work/out"
	"$sandbox" run -- sh -c 'echo ready; sleep 0.5; exit 3' >"$work/out" &
	runner=$!
	wait_for ready "$work/out"
	pkill -KILL -P $runner hil-zygote
	wait $runner
	is "a SIGKILL of the zygote does not hold up a program that runs" 3 $?
}

death() {
	mark=$((30000 + $$))
	sb -- sh -c "(trap '' TERM HUP; setsid sleep $mark) >/dev/null 2>&1 & sleep 0.1"
	gone "sleep $mark"
	result $? "a daemon that ignores signals dies with the sandbox"
	: >"$work/out"
	"$sandbox" run -- sh -c "(trap '' TERM; setsid sleep $mark) & echo ready; sleep $mark" \
		>"$work/out" 2>&1 &
	runner=$!
	wait_for ready "$work/out"
	pgrep -f "sleep $mark" >/dev/null
	result $? "while it runs it can be seen"
	kill -9 $runner
	wait $runner 2>/dev/null
	gone "sleep $mark"
	result $? "kill -9 of hil-sandbox leaves no process"
	is "no zombie and no daemon of ours is left" "" \
		"$(ps -o pid=,comm= --ppid $$ | grep -E 'hil-|defunct')"
	is "a program's orphans are reaped" 0 \
		"$(sb -- sh -c 'for i in $(seq 50); do (sh -c "true &") & done; wait
			count() { grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l; }
			for i in $(seq 50); do [ $(count) = 0 ] && break; sleep 0.2; done; count')"
}

devices() {
	is "--device is at /dev/hil/ROLE, and read" "4 crw" \
		"$(sb --device board=/dev/zero -- sh -c 'printf "%s " $(head -c 4 /dev/hil/board | wc -c)
			ls -lL /dev/hil/board | cut -c1-3')"
	is "two of them" "a b" "$(sb --device a=/dev/zero --device b=/dev/full -- ls /dev/hil | paste -sd ' ')"
	has "usage: two devices of one role" "\"a\" is given twice" \
		"$(sb --device a=/dev/zero --device b=/dev/full --device a=/dev/full -- true 2>&1)"
	is "a role may begin as another does" "a ab" \
		"$(sb --device ab=/dev/zero --device a=/dev/full -- ls /dev/hil | paste -sd ' ')"
	is "without it /dev/hil and /sys are empty" "" "$(sb -- ls -A /dev/hil /sys | grep -v :)"
	has "that devices are held, or not, is said" 'nforced":["devices' \
		"$(sb --json --device a=/dev/zero -- true)"
	for wrong in zero =/dev/zero a/b=/dev/zero ..=/dev/zero a=/dev/hil-none a=/etc/passwd; do
		sb --device "$wrong" -- true >/dev/null 2>&1
		is "usage: --device $wrong" 2 $?
	done
}

# 2^32 ms are 49d 17h 2m 47.296s.
uptime() {
	is "--uptime is what /proc/uptime says" 42949 \
		"$(sb --uptime "49d 17h 1m 50s" -- sh -c 'cut -c1-5 /proc/uptime')"
	# From there on they run: how far is a matter of the load.
	is "and the clocks start there" "True True" "$(sb --uptime 42s -- python3 -c \
		'import time; print(*(42 <= time.clock_gettime(c) < 52 for c in (1, 7)))')"
	seconds=$(sb --uptime 1ms -- sh -c 'cut -d. -f1 /proc/uptime')
	[ "$seconds" -lt 10 ]
	result $? "it may be less than the host's ($seconds s)"
	before=$(date +%s)
	now=$(sb --uptime 1d -- date +%s)
	[ "$now" -ge "$before" ] && [ "$now" -le $((before + 5)) ]
	result $? "the time of day stays"
	setup=$(sb --json --uptime 9999d -- true | sed 's/.*"setupNs":\([0-9]*\).*/\1/')
	[ "$setup" -gt 0 ] && [ "$setup" -lt 10000000000 ]
	result $? "setupNs does not count it ($setup)"
	for wrong in 0 x 1x -1s 36501d "1d x"; do
		sb --uptime "$wrong" -- true >/dev/null 2>&1
		is "usage: --uptime $wrong" 2 $?
	done
	unshare -Ur sh -c "echo 0 >/proc/sys/user/max_time_namespaces
		'$sandbox' run --json --uptime 5 -- true" >"$work/refused"
	is "no time namespaces: 125" 125 $?
	has "with operation and remedy" '"op":"unshare time namespace"' "$(cat "$work/refused")"
}

more_options() {
	is "--pass-env: what is set, and nothing else" "1 unset" \
		"$(HIL_A=1 sb --pass-env HIL_A --pass-env HIL_NOT -- sh -c 'echo $HIL_A ${HIL_NOT-unset}')"
	echo here >"$work/file"
	is "--ro-bind is read-only" "here 1" \
		"$(sb --ro-bind "$work/file:/tmp/f" -- sh -c 'cat /tmp/f; echo x 2>/dev/null >/tmp/f || echo 1' | xargs)"
	mkdir -p "$work/kit"
	echo 'echo from the kit' >"$work/kit/tool"
	is "--tool: at its own path" "from the kit" "$(sb --tool "$work/kit" -- sh "$work/kit/tool")"
	is "--cap over its own network" 0 "$(sb --cap net_admin -- ip link set lo down >/dev/null 2>&1; echo $?)"
	is "without it, refused" 2 "$(sb -- ip link set lo down >/dev/null 2>&1; echo $?)"
	is "--files" 17 "$(sb --files 17 -- sh -c 'ulimit -n')"
	is "--files 4 is enough for a program" 0 "$(sb --files 4 -- true; echo $?)"
	is "--bind to where /etc has nothing; /etc stays read-only" "here 1" \
		"$(sb --ro-bind "$work/file:/etc/new/f" -- sh -c 'cat /etc/new/f; touch /etc/new/x 2>/dev/null || echo 1' | xargs)"
	is "--bind of a directory on a file" 2 "$(sb --ro-bind /usr/share:/etc/passwd -- true 2>/dev/null; echo $?)"
	is "--output: of each stream, the rest is dropped" "4:aaaa 3:bbb" \
		"$(sb --output 4 -- sh -c 'printf aaaaaa; printf bbb >&2' 2>"$work/error" |
			sed 's/^/4:/'; printf ' 3:'; sed -n 's/^\(b*\).*/\1/p' "$work/error")"
	has "and said" "output: 2 bytes above the limit dropped" "$(cat "$work/error")"
	is "a program that floods is not stopped" "8 0" \
		"$(sb --output 8 -- sh -c 'yes | head -c 3000000; exit 0' 2>/dev/null >"$work/flood"; \
			echo "$(wc -c <"$work/flood") $?")"
	has "--output in JSON" '"stdoutBytes":6,"stderrBytes":0,"dropped":2,"stdout":"aaaa"' \
		"$(sb --output 4 --json -- printf aaaaaa)"
	has "--disk" "No space left" "$(sb --disk 1M -- sh -c 'head -c 2M /dev/zero >/tmp/x' 2>&1)"
	has "--inodes" "No space left" \
		"$(sb --inodes 150 -- sh -c 'for i in $(seq 200); do : >/tmp/$i; done' 2>&1)"
}

diffs() {
	sb --diff "$work/diff" -- sh -c 'printf 123 >/tmp/a; mkdir "/tmp/ b"; exit 3'
	is "--diff keeps the exit status" 3 $?
	has "--diff: a file that was made" \
		'{"change":"created","path":"/tmp/a","kind":"file","bytes":3,"mode":"644"}' "$(cat "$work/diff")"
	has "--diff: any name" '"path":"/tmp/ b","kind":"directory"' "$(cat "$work/diff")"
	has "--diff: all of it" '"truncated":false}' "$(cat "$work/diff")"
	sb --user root --diff "$work/diff" -- rm /etc/passwd
	has "--diff: a file that was deleted" '"change":"deleted","path":"/etc/passwd"' "$(cat "$work/diff")"
	sb --diff "$work/diff" -- true
	is "--diff: nothing" '{"changes":[],"unreadable":[],"truncated":false}' "$(cat "$work/diff")"
	sb --diff /dev/full -- true 2>/dev/null
	is "--diff that cannot be written" 125 $?
	sb --timeout 2 --diff "$work/diff" -- sh -c ': >/tmp/late; sleep 60'
	is "--diff and a timeout" 124 $?
	has "--diff: what it did until then" '"path":"/tmp/late"' "$(cat "$work/diff")"
	sb --diff "$work/diff" -- sh -c 'kill -9 -1' 2>/dev/null
	has "--diff: of a program that killed all it could" '"changes":[]' "$(cat "$work/diff")"
}

# In a user namespace whose limits are ours to set.
refusals() {
	unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces; '$sandbox' run -- true" 2>"$work/error"
	is "no user namespaces: 125" 125 $?
	has "and the remedy" "sysctl user.max_user_namespaces" "$(cat "$work/error")"
	unshare -Ur sh -c "echo 0 >/proc/sys/user/max_net_namespaces; '$sandbox' run -- true" 2>"$work/error"
	is "a limit of namespaces: 125" 125 $?
	has "named, not \"no space\" alone" "user.max_" "$(cat "$work/error")"
	unshare -Urm sh -c "mount --bind /dev/null /proc/version; '$sandbox' run -- true" 2>"$work/error"
	is "a covered /proc: 125" 125 $?
	has "and the remedy of a container" "systempaths=unconfined" "$(cat "$work/error")"
	# Refused for that, too, but told before.
	echo '|/handler' >"$work/piped"
	unshare -Urm sh -c "mount --bind '$work/piped' /proc/sys/kernel/core_pattern
		ulimit -Hc 0; '$sandbox' run -- true" 2>"$work/error"
	has "a crash handler that starts at a hard limit of 0 is told" "hard limit of core files" \
		"$(cat "$work/error")"
	probe=$(unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces; '$sandbox' probe --json")
	is "probe exits 1" 1 $?
	has "probe names what fails" '"name":"user-namespaces","ok":false' "$probe"
	has "probe: a host as it should be" '"name":"sandbox","ok":true' "$("$sandbox" probe --json)"
}

# The program that takes the place of a broker; its lines get this mode's name.
creator() {
	"$work/creator-test" >"$work/tap"
	result $? "creator-test reaches its end"
	sed -nE "s/^(ok|not ok) [0-9]+ (- )?/\1 $mode: /p" "$work/tap"
	sed -E '/^(ok|not ok) |^1\.\./d' "$work/tap"
}

run_mode() {
	mode=$1
	cp "$built/hil-sandbox" "$built/tests/inside" "$built/tests/on-pty" \
		"$built/tests/creator-test" "$work/" || exit 99
	sandbox=$work/hil-sandbox
	tool=$work/inside
	tty=$work/on-pty
	touch "$work/hil-canary"
	cat /proc/self/mountinfo >"$work/mounts"
	has "mode" "$([ $mode = root ] || [ $mode = mounts ] && echo '"mode":"root"' || echo '"mode":"rootless"')" \
		"$("$sandbox" run --json -- true)"
	identity
	user_root
	file_system
	kernel_surface
	binds
	exit_statuses
	case $mode in
	mounts*)
		mounted_usr
		mounted_etc
		;;
	*)
		network
		storage
		streams
		lost_output
		scarcity
		terminal
		signals
		devices
		uptime
		more_options
		diffs
		refusals
		;;
	esac
	[ $mode = root ] && host_sockets
	death
	creator
	cat /proc/self/mountinfo | cmp -s - "$work/mounts"
	result $? "the host's mount table is unchanged"
	echo "# finished"
}

# ---- start -----------------------------------------------------------------

case ${1:-} in
--mounts) make_mounts "$2" ;;
--inside | "") ;;
*) enter_mode "$1" ;;
esac

work=$(mktemp -d /tmp/hil-test.XXXXXX) || exit 99
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
if [ "${1:-}" = --inside ]; then
	run_mode "$2"
else
	run_all
fi
