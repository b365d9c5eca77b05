#!/usr/bin/env bash
# mount -t fuse.pagerfs mounts, with the type and the source shown; /etc/fstab's
# way of doing so is the same program, mount.fuse3.
# mount(8) hands no PATH on: the shell that mount.fuse3 starts looks in its own
# default places, of which one is ours in a namespace for this test.
if [[ $(id -u) == 0 && -z ${IN_NAMESPACE:-} ]]; then
    export IN_NAMESPACE=1
    exec unshare -m --propagation private "$0" "$@"
fi
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root
need mount.fuse3

mkdir "$work/bin"
ln -s "$(realpath "$PAGERFS")" "$work/bin/pagerfs"
mount --bind "$work/bin" /usr/local/bin

mount -t fuse.pagerfs my-source "$mnt" \
    -o "ram=8m,size=64m,swap=$swap,nosuid,nodev,noatime" || fail "mount(8)"
wait_until 10 is_mounted || fail "not mounted"
daemon=$(pgrep -f -- "pagerfs .*$mnt" | head -n 1)
echo "$daemon" >>"$work/daemons"
read -r source type options < <(awk -v mnt="$mnt" '$2 == mnt {print $1, $3, $4}' \
    /proc/mounts)
[[ $type == fuse.pagerfs ]] || fail "the type is $type"
[[ $source == my-source ]] || fail "the source is $source"
[[ $options == *nosuid* && $options == *nodev* && $options == *noatime* ]] ||
    fail "the options are $options"
echo data >"$mnt/file"
[[ $(cat "$mnt/file") == data ]] || fail "no data"
[[ $(df --output=size -k "$mnt" | tail -n 1) -eq 65536 ]] || fail "df: not 64 MiB"
umount "$mnt" || fail "umount(8)"
wait_until 10 gone "$daemon" || fail "the daemon does not end"
daemon=

# Called directly it is nosuid and nodev, if nothing else is said; by mount(8) not.
flags_are() {
    local options
    options=$(awk -v mnt="$mnt" '$2 == mnt {print $4}' /proc/mounts)
    [[ $(grep -oE 'nosuid|nodev' <<<"$options" | xargs) == "$1" ]] ||
        fail "$2: not '$1' in $options"
}

mount_fs ram=8m,size=64m
flags_are "nosuid nodev" "called directly"
umount_fs
mount_fs ram=8m,size=64m,suid,dev
flags_are "" "suid,dev"
umount_fs

# An fstab of our own, in the same words.
printf 'pagerfs %s fuse.pagerfs ram=8m,size=64m,swap=%s,noauto 0 0\n' \
    "$mnt" "$swap" >"$work/fstab"
mount -T "$work/fstab" "$mnt" || fail "mount by fstab"
wait_until 10 is_mounted || fail "not mounted by fstab"
daemon=$(pgrep -f -- "pagerfs .*$mnt" | head -n 1)
echo "$daemon" >>"$work/daemons"
flags_are "" "by fstab"
mount -i -o remount,size=1m "$mnt" || fail "remount with -i"
[[ $(df --output=size -k "$mnt" | tail -n 1) -eq 65536 ]] || fail "remount: size="
umount "$mnt"
wait_until 10 gone "$daemon" || fail "the daemon does not end"
daemon=
