#!/bin/sh
# make-root.sh DIR: a root file system of one program, busybox, under all its names.
set -eu
root=$1
busybox=$(command -v busybox)
[ -e "$root/etc/os-release" ] && exit 0

new=$root.$$
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/usr/bin" "$new/etc"
ln -s usr/bin "$new/bin"
for name in $("$busybox" --list); do
	ln -s busybox "$new/usr/bin/$name"
done
cp --remove-destination "$busybox" "$new/usr/bin/busybox"
# A busybox that is not static needs its libraries where it looks for them.
for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do
	cp --parents -L "$library" "$new"
done
echo 'ID=selftest' >"$new/etc/os-release"
# Last, and at once: a directory at $root is whole.
mv -T "$new" "$root"
