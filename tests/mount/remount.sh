#!/usr/bin/env bash
# The rule of atime follows `mount -i -o remount`: an open after it sees it.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"
need_root

# Of the time of last access: expect moves|stays PATH COMMAND...
expect() {
    local wanted=$1 path=$2 before moved=moves
    shift 2
    before=$(stat -c %x "$path")
    "$@" >/dev/null
    [[ $(stat -c %x "$path") != "$before" ]] || moved=stays
    [[ $moved == "$wanted" ]] ||
        fail "atime of ${path##*/} $moved with $rule after: $*"
}

remount() {
    rule=$1
    mount -i -o "remount,$rule" "$mnt"
}

rule=relatime
mount_fs ram=8m,size=64m
file=$mnt/file dir=$mnt/dir
mkdir "$dir"
echo data >"$file"
touch "$dir/entry"
expect moves "$file" cat "$file"
expect stays "$file" cat "$file"
expect moves "$dir" ls "$dir"
expect stays "$dir" ls "$dir"

remount strictatime
expect moves "$file" cat "$file"
expect moves "$file" cat "$file"
expect moves "$dir" ls "$dir"
expect moves "$dir" ls "$dir"

remount strictatime,nodiratime
expect moves "$file" cat "$file"
expect stays "$dir" ls "$dir"

remount noatime
echo more >>"$file"
touch "$dir/another"
expect stays "$file" cat "$file"
expect stays "$dir" ls "$dir"

# What the kernel has cached, it reads without telling a daemon.
remount atime,diratime,relatime
uncache <<<"$file"
expect moves "$file" cat "$file"
expect moves "$dir" ls "$dir"
expect stays "$file" cat "$file"

# Other mounts come and go: nothing of it is ours.
for _ in 1 2 3; do
    mount --bind "$dir" "$dir"
    mount -i -o remount,bind,noatime "$dir"
    umount "$dir"
done
echo again >>"$file"
uncache <<<"$file"
expect moves "$file" cat "$file"
umount_fs
