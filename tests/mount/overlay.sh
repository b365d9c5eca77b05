#!/usr/bin/env bash
# An overlay with its upper directory on the mount: copies up, whiteouts, opaque
# directories, redirects and indexed links, seen again after mounting it anew.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need getfattr setfattr
modprobe -q overlay 2>/dev/null || true
grep -qw overlay /proc/filesystems || skip "the kernel has no overlay"

over=$work/over lower=$work/lower
upper=$mnt/upper

mount_over() {
    mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$mnt/work,$1" \
        pagerfs-overlay "$over" || fail "no overlay with $1"
}

# holds FILE TEXT
holds() {
    [[ $(<"$1") == "$2" ]] || fail "${1#"$work/"} holds $(<"$1"), not $2"
}

# is FORMAT FILE WANTED
is() {
    [[ $(stat -c "$1" "$2") == "$3" ]] ||
        fail "${2#"$work/"}: $1 is $(stat -c "$1" "$2"), not $3"
}

# flagged FILE ATTRIBUTE VALUE
flagged() {
    [[ $(getfattr --absolute-names -h --only-values -n "trusted.overlay.$2" "$1") == "$3" ]] ||
        fail "${1#"$work/"} has no $2=$3"
}

mkdir "$over" "$lower"
mount -t tmpfs -o size=16m pagerfs-lower "$lower"
mkdir "$lower"/{kept,gone,moved}
for file in kept/changed kept/deleted kept/renamed gone/old moved/inside; do
    echo "$file" >"$lower/$file"
done
echo linked >"$lower/one"
ln "$lower/one" "$lower/two"
chown 7:8 "$lower/kept/changed"
chmod 2755 "$lower/kept"
printf '#!/bin/sh\n' >"$lower/capable"
setfattr -n security.capability -v 0x0100000280000000000000000000000000000000 \
    "$lower/capable"
setfattr -n trusted.mine -v value "$lower/kept/changed"

mount_fs ram=8m,size=64m,allow_other,suid,dev
mkdir "$upper" "$mnt/work"
mount_over redirect_dir=on,index=on
echo more >>"$over/kept/changed"
chmod 755 "$over/capable"
rm "$over/kept/deleted"
mv "$over/kept/renamed" "$over/kept/new"
rm -r "$over/gone"
mkdir "$over/gone"
echo new >"$over/gone/new"
mv "$over/moved" "$over/elsewhere"
echo both >"$over/one"
ln "$over/kept/new" "$over/gone/link"
mknod "$over/null" c 1 3
mkfifo "$over/fifo"
ln -s kept/new "$over/symlink"
setfattr -n trusted.mine -v other "$over/kept/new"

look() {
    holds "$over/kept/changed" $'kept/changed\nmore'
    is %u:%g "$over/kept/changed" 7:8
    is %a "$over/kept" 2755
    [[ $(ls "$over/kept") == $'changed\nnew' ]] || fail "wrong names in kept"
    [[ $(ls "$over/gone") == $'link\nnew' ]] || fail "wrong names in gone"
    holds "$over/elsewhere/inside" moved/inside
    holds "$over/two" both
    is %h "$over/one" 2
    is %i "$over/one" "$(stat -c %i "$over/two")"
    holds "$over/gone/link" kept/renamed
    is %i "$over/gone/link" "$(stat -c %i "$over/kept/new")"
    holds "$over/symlink" kept/renamed
    echo lost >"$over/null"
    is %F "$over/fifo" fifo
    getfattr --absolute-names -n security.capability "$over/capable" >/dev/null ||
        fail "a capability was not copied up"
    [[ $(getfattr --absolute-names --only-values -n trusted.mine "$over/kept/changed") == value ]] ||
        fail "an attribute was not copied up"
}

look
umount "$over"
is %F:%t:%T "$upper/kept/deleted" "character special file:0:0"
flagged "$upper/gone" opaque y
flagged "$upper/elsewhere" redirect moved
holds "$lower/kept/changed" kept/changed
mount_over redirect_dir=on,index=on
look

# Much of it at once: a tree copied up, emptied, and filled again.
for ((i = 0; i < 200; i++)); do
    echo "$i" >"$over/elsewhere/$i"
done
rm "$over"/elsewhere/*
[[ -z $(ls "$over/elsewhere") ]] || fail "names stay in an emptied directory"
umount "$over"
umount "$lower"
umount_fs
