#!/usr/bin/env bash
# With -o ro everything is read and nothing changed, each with EROFS; and a mount
# that is remounted so keeps what it has, until it may be written again.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need getfattr setfattr

# read_only COMMAND...: because the file system is read-only.
read_only() {
    "$@" 2>"$work/err" >/dev/null && fail "$state: done: $*"
    grep -qi 'read-only file system' "$work/err" ||
        fail "$state: $* says: $(cat "$work/err")"
}

# Each kind of change, on what `fill` makes.
refuse_all() {
    read_only sh -c "echo more >>$mnt/file"
    read_only sh -c ": >$mnt/file"
    read_only sh -c ": >$mnt/new"
    read_only truncate -s 1 "$mnt/file"
    read_only fallocate -l 4096 "$mnt/file"
    read_only mkdir "$mnt/new"
    read_only rmdir "$mnt/dir"
    read_only mkfifo "$mnt/new"
    read_only mknod "$mnt/new" c 1 3
    read_only ln -s file "$mnt/new"
    read_only ln "$mnt/file" "$mnt/new"
    read_only mv -T "$mnt/file" "$mnt/new"
    read_only mv -T "$mnt/file" "$mnt/dir/file"
    read_only rm "$mnt/file"
    read_only chmod 600 "$mnt/file"
    read_only chown 12:34 "$mnt/file"
    read_only chown -h 12:34 "$mnt/link"
    read_only touch -d @5 "$mnt/file"
    read_only setfattr -n user.b -v 2 "$mnt/file"
    read_only setfattr -x user.a "$mnt/file"
}

fill() {
    echo data >"$mnt/file"
    mkdir "$mnt/dir"
    ln -s file "$mnt/link"
    setfattr -n user.a -v 1 "$mnt/file"
}

is_whole() {
    [[ $(cat "$mnt/link") == data ]] || fail "$state: the file has changed"
    [[ $(getfattr --absolute-names --only-values -n user.a "$mnt/file") == 1 ]] ||
        fail "$state: the attribute has changed"
    [[ $(echo "$mnt"/*) == "$mnt/dir $mnt/file $mnt/link" ]] || fail "$state: names have changed"
}

state="mounted ro"
options=ram=8m,size=64m
if [[ $PAGERFS_FSTYPE == pagerfs ]]; then
    mount_fs "$options,ro"
    grep -q " $mnt ro" /proc/self/mountinfo || fail "$state: it is not"
    [[ -z $(ls -A "$mnt") ]] || fail "$state: not empty"
    read_only mkdir "$mnt/new"
    read_only sh -c ": >$mnt/new"
    read_only chmod 700 "$mnt"
    read_only touch "$mnt"
    umount_fs
fi

mount_fs "$options"
fill
state="remounted ro"
exec {writer}>>"$mnt/file"
mount -i -o remount,ro "$mnt" 2>/dev/null && fail "$state: in spite of a writer"
exec {writer}>&-
mount -i -o remount,ro "$mnt" || fail "$state: refused"
is_whole
refuse_all
is_whole
state="remounted rw"
mount -i -o remount,rw "$mnt" || fail "$state: refused"
is_whole
echo more >>"$mnt/file"
rm "$mnt/file"
rmdir "$mnt/dir"

# A mount of the same by another path may be read-only alone.
state="bound ro"
mkdir "$mnt/dir" "$mnt/place"
mount --bind "$mnt/dir" "$mnt/place"
mount -i -o remount,bind,ro "$mnt/place"
read_only mkdir "$mnt/place/new"
mkdir "$mnt/dir/new"
[[ -d $mnt/place/new ]] || fail "$state: does not see what is made"
umount "$mnt/place"
umount_fs
