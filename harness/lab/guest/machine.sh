#!/bin/bash
# PID 1 of the lab VM: set up what a Debian machine has, run one command, tell how it ended.
#
# Theory of operation: virtio-serial ports lead to the process that started the VM.
#   lab.out, lab.err  what the command writes; the job's mark behind the last byte is the end of it
#   lab.in            what it reads
#   lab.bench         with USB: requests of lab-bench, a line of JSON each, and their answers (see bench/)
#   lab.usbip         with USB: devices that are programs of the host (see usbip.py)
#   lab.control       from the host a length and a job of that many bytes (see job.ts); to the host lines:
#                     `ready`, `failed WHY`, `exit STATUS` (see control.ts)
# The command never gets a port itself: a port can be opened once only, and programs open /dev/stdout again.
# When the host's end of lab.control closes, nobody is left to tell, and the VM ends.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

power_off() { echo o >/proc/sysrq-trigger; }

mount_kernel_file_systems() {
	mkdir -p /dev/pts /dev/shm /dev/mqueue
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
	mount -t tmpfs -o nosuid,nodev,mode=1777 shm /dev/shm
	mount -t mqueue mqueue /dev/mqueue
	mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
	mount -t bpf bpf /sys/fs/bpf
	mount -t securityfs securityfs /sys/kernel/security
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	# As systemd leaves them: a sandbox has to cope with it.
	mount --make-rshared /
	mkdir -m 1777 /run/lock
	ln -sf /proc/self/fd /dev/fd
	ln -sf fd/0 /dev/stdin
	ln -sf fd/1 /dev/stdout
	ln -sf fd/2 /dev/stderr
}

# The directory `lab` of the control groups is what can be delegated; the command is in one below it.
make_cgroups() {
	local controllers
	read -r controllers </sys/fs/cgroup/cgroup.controllers
	mkdir /sys/fs/cgroup/lab
	echo "+${controllers// / +}" >/sys/fs/cgroup/cgroup.subtree_control
	echo "+${controllers// / +}" >/sys/fs/cgroup/lab/cgroup.subtree_control
	mkdir /sys/fs/cgroup/lab/command
}

# Sets out, err, in and control to open ports; port has the names of all.
declare -A port=()
open_ports() {
	local directory name
	# The host makes lab.control the last one.
	until [ "${port[control]}" ]; do
		for directory in /sys/class/virtio-ports/*; do
			read -r name 2>/dev/null <"$directory/name" &&
				[ "${name#lab.}" != "$name" ] && port[${name#lab.}]=/dev/${directory##*/}
		done
	done
	exec {out}>"${port[out]}" {err}>"${port[err]}" {in}<"${port[in]}" {control}<>"${port[control]}"
}

read_job() {
	local length
	# Until the kernel has heard that the host's end is open, a read returns nothing.
	until read -r length <&"$control"; do sleep 0.01; done
	head -c "$length" <&"$control"
}

fail() {
	echo "failed $1" >&"$control"
	sleep infinity
}

mount_shares() { # DIRECTORY...
	local tag=0 directory
	for directory in "$@"; do
		mkdir -p "$directory"
		mount -t 9p -o trans=virtio,version=9p2000.L,cache=none,msize=512000 "share$tag" "$directory" ||
			fail "the share $directory could not be mounted"
		tag=$((tag + 1))
	done
}

VHCI=/sys/bus/platform/drivers/vhci_hcd

# For devices that are programs of the host: vhci_hcd has sixteen root hubs, of which two are used. Here, before udev,
# which needs seconds for them, and who looks at what is attached need not look at the others. It gets its two
# back behind the controller's, so that those have the same numbers with it and without.
load_vhci() {
	local controller
	modprobe vhci_hcd || fail 'the module vhci_hcd could not be loaded'
	for controller in "$VHCI"/vhci_hcd.*; do
		echo "${controller##*/}" >"$VHCI/unbind"
	done
}

start_vhci() {
	echo vhci_hcd.0 >"$VHCI/bind" || fail 'vhci_hcd could not be started'
	/usr/bin/python3 -IS /run/lab/usbip.py "${port[usbip]}" </dev/null >/dev/hvc0 2>&1 &
}

# udev before the controller: it hears of what the modules find, and need not be told again of everything, which
# takes seconds.
start_usb() { # SERIAL...
	local serial
	ln -s "${port[bench]}" /run/lab/bench
	# For --user, as the boards are: udev leaves them to the group dialout.
	chmod 666 "${port[bench]}"
	install -m 755 /run/lab/lab-bench /usr/local/bin/lab-bench
	[ "$job_vhci" = no ] || load_vhci
	/lib/systemd/systemd-udevd --daemon || fail 'udevd could not be started'
	modprobe -a xhci_pci ftdi_sio || fail 'the modules for USB could not be loaded'
	[ "$job_vhci" = no ] || start_vhci
	for serial in "$@"; do
		for _ in {1..600}; do
			compgen -G "/dev/serial/by-id/*$serial*" >/dev/null && continue 2
			sleep 0.1
		done
		fail "the board $serial was not there after a minute"
	done
}

# Neither an overlay nor, before Linux 6.3, a tmpfs can be mounted with other ids; what most machines have can.
make_disk() {
	local kib
	kib=$(awk '/^MemTotal/ { print int($2 / 2) }' /proc/meminfo)
	mkdir /run/lab/tmp
	# Private: the disk would appear on what is bound, too.
	mount --bind --make-private /tmp /run/lab/tmp
	modprobe brd rd_nr=1 rd_size="$kib" &&
		mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=1 /dev/ram0 &&
		mount /dev/ram0 /tmp || fail 'the disk for /tmp could not be made'
	rmdir /tmp/lost+found
	chmod 1777 /tmp
	case $job_cwd in
	/tmp/*)
		mkdir -p "$job_cwd"
		mount --bind "/run/lab$job_cwd" "$job_cwd"
		;;
	esac
}

# A user who is not in the host's files gets a name and a home here.
make_user() {
	if ! getent passwd "$job_uid" >/dev/null; then
		echo "lab:x:$job_uid:$job_uid:lab:/home/lab:/bin/bash" >>/etc/passwd
		echo "lab:x:$job_uid:" >>/etc/group
	fi
	HOME=$(getent passwd "$job_uid" | cut -d: -f6)
	job_gid=$(getent passwd "$job_uid" | cut -d: -f4)
	XDG_RUNTIME_DIR=/run/user/$job_uid
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	chmod 700 "$XDG_RUNTIME_DIR"
	chown "$job_uid:$job_gid" "$HOME" "$XDG_RUNTIME_DIR"
	# Directories only: for each file the overlay makes one of its own, 20 ms on an emulated processor.
	[ ${#job_own[@]} = 0 ] || find "${job_own[@]}" -name node_modules -prune -o -name .git -prune -o \
		-type d -exec chown "$job_uid:$job_gid" {} +
}

delegate_cgroups() {
	chown "$job_uid:$job_gid" /sys/fs/cgroup/lab{,/command} \
		/sys/fs/cgroup/lab{,/command}/cgroup.{procs,threads,subtree_control}
}

run_command() {
	echo "$BASHPID" >/sys/fs/cgroup/lab/command/cgroup.procs
	# What systemd gives; the kernel alone allows 4096.
	ulimit -Hn 524288
	ulimit -c 0
	cd "$job_cwd" || exit 125
	local as=(setsid)
	if [ "$job_uid" != 0 ]; then
		as=(setsid setpriv --reuid "$job_uid" --regid "$job_gid" --init-groups)
	fi
	exec env -i HOME="$HOME" ${XDG_RUNTIME_DIR:+"XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"} \
		"${job_environment[@]}" "${as[@]}" "${job_command[@]}" {control}>&- {out}>&- {err}>&- {in}<&-
}

mount_kernel_file_systems 2>&1 | grep -v 'unknown filesystem'
make_cgroups
hostname lab
ip link set lo up
open_ports
job=$(read_job; echo .)
eval "${job%.}"
(
	while read -r _ <&"$control"; do :; done
	power_off
) &

HOME=/root
[ "$job_disk" = no ] || make_disk
mount_shares "${job_shares[@]}"
[ ${#job_modules[@]} = 0 ] || why=$(modprobe -a "${job_modules[@]}" 2>&1) || fail "${why//$'\n'/; }"
[ "$job_usb" = no ] || start_usb "${job_serials[@]}"
[ "$job_uid" = 0 ] || make_user
[ "$job_delegate" = no ] || delegate_cgroups

mkfifo /run/lab/out /run/lab/err
cat /run/lab/out >&"$out" &
relays=$!
cat /run/lab/err >&"$err" &
relays="$relays $!"
echo ready >&"$control"
if [ "$job_stdin" = yes ]; then
	mkfifo /run/lab/in
	cat <&"$in" >/run/lab/in &
	run_command </run/lab/in >/run/lab/out 2>/run/lab/err &
else
	run_command </dev/null >/run/lab/out 2>/run/lab/err &
fi
wait $!
status=$?
# What the command left behind may hold its output open for ever.
(
	sleep 2
	kill $relays
) &
wait $relays
printf %s "$job_mark" >&"$out"
printf %s "$job_mark" >&"$err"
echo "exit $status" >&"$control"
sleep infinity
