#!/usr/bin/env bash
# An ordinary user mounts, works, and unmounts; others, root included, are kept
# out unless allow_other is given.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
if [[ $(id -u) == 0 ]]; then
    need setpriv unshare
    # udev opens /dev/fuse to everybody; where it has not been here, do so in a
    # mount namespace of our own.
    if ! as_user test -r /dev/fuse -a -w /dev/fuse; then
        [[ -z ${IN_NAMESPACE:-} ]] || skip "/dev/fuse cannot be opened to users"
        mknod -m 666 "$work/fuse" c 10 229 2>/dev/null ||
            skip "/dev/fuse is closed to users"
        # shellcheck disable=SC2016  # expanded by the inner shell
        IN_NAMESPACE=1 unshare -m sh -c \
            'mount --bind "$1" /dev/fuse && exec "$2"' sh "$work/fuse" "$0"
        exit
    fi
    as_user test -x "$PAGERFS" || skip "nobody cannot reach $PAGERFS"
    runner=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chown nobody:nogroup "$mnt" "$swap"
else
    as_user() {
        "$@"
    }
fi

umount_as_user() {
    as_user fusermount3 -u "$mnt" || fail "fusermount3 -u"
    wait_until 10 gone "$daemon" || fail "the daemon does not end"
    daemon=
}

mount_fs ram=8m,size=64m
as_user "$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file" || fail "writing"
as_user "$HELPERS/blob" read 1 $((24 << 20)) "$mnt/file" || fail "reading"
as_user "$PAGERCTL" verify "$mnt" >&2 || fail "verify"
owner=$(as_user stat -c %U "$mnt/file")
[[ $owner == "$(as_user id -un)" ]] || fail "the file is owned by $owner"
if [[ $(id -u) == 0 ]]; then
    ls "$mnt" >/dev/null 2>&1 && fail "root can look into a user's mount"
fi
umount_as_user

# Less than the kernel allows, or more: a user is told that neither holds.
for max in 1m 200m; do
    mount_fs "ram=8m,size=1g,writeback,writeback_max=$max"
    wait_until 10 grep -q "writeback_max=$max could not be set.*only root" "$log" ||
        fail "writeback_max=$max is ignored without a word: $(<"$log")"
    umount_as_user
done

# Root's own is as closed, whatever the modes say.
if [[ $(id -u) == 0 ]]; then
    runner=()
    chown root:root "$mnt" "$swap"
    mount_fs ram=8m,size=64m,mode=777
    echo open >"$mnt/open"
    chmod 666 "$mnt/open"
    for try in "ls $mnt" "stat $mnt/open" "cat $mnt/open" "touch $mnt/new"; do
        # shellcheck disable=SC2086  # command and path
        LC_ALL=C as_user $try >/dev/null 2>"$work/err" &&
            fail "no allow_other, and yet: $try"
        grep -q 'Permission denied' "$work/err" ||
            fail "no allow_other: $try says $(cat "$work/err")"
    done
    umount_fs
fi

if grep -qs '^user_allow_other' /etc/fuse.conf || [[ $(id -u) == 0 ]]; then
    mount_fs ram=8m,size=64m,allow_other
    echo open >"$mnt/open"
    echo closed >"$mnt/closed"
    chmod 600 "$mnt/closed"
    if [[ $(id -u) == 0 ]]; then
        as_user cat "$mnt/open" >/dev/null || fail "allow_other: cannot read"
        as_user cat "$mnt/closed" 2>/dev/null && fail "mode 600 does not protect"
        as_user rm -f "$mnt/open" 2>/dev/null && fail "the sticky bit does not protect"
    fi
    umount_fs
fi
true
