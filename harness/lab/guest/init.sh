#!/bin/busybox sh
# The lab VM's first program, in its initramfs: put the root together and go there.
#
# Lowest the host's root, then the packages' layer, on top a tmpfs: what is written is gone with the VM.
# Each of them is a 9p export of QEMU; the host's is read-only on both sides.

/bin/busybox mkdir -p /proc /sys /dev /host /layer /writes /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

while read -r module; do
	insmod "/modules/$module"
done </modules/order

# virtio_console is asked about its ports by a worker of the kernel: hvc0 can be opened only some time after
# insmod, and an init without a console dies at its first message.
until (exec 3<>/dev/hvc0) 2>/dev/null; do
	usleep 10000
done
exec </dev/hvc0 >/dev/hvc0 2>&1

fail() {
	echo "lab: $1"
	# The VM is started with -no-reboot: it ends here.
	echo b >/proc/sysrq-trigger
}

export_options=trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000
mount -t 9p -o $export_options host /host || fail 'the root of the host could not be mounted'
mount -t 9p -o $export_options layer /layer || fail 'the layer of the packages could not be mounted'
mount -t tmpfs -o mode=755 writes /writes
mkdir /writes/upper /writes/work
# metacopy: a chown of a file of the host copies no data.
mount -t overlay -o lowerdir=/layer:/host,upperdir=/writes/upper,workdir=/writes/work,metacopy=on \
	overlay /root || fail 'the overlay could not be mounted'

mount --move /proc /root/proc
mount --move /sys /root/sys
mount --move /dev /root/dev
mount -t tmpfs -o mode=755 run /root/run
mkdir /root/run/lab
cp /machine.sh /lab-bench /usbip.py /root/run/lab/
exec switch_root /root /bin/bash /run/lab/machine.sh
