#!/usr/bin/env bash
# FUSE over io_uring is used where it can be had and was not declined; all that
# may happen to a mount ends well with it; nobody is woken while nobody uses the
# mount, on either transport; and without it there is /dev/fuse, or a clear word.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
unset TRANSPORT # each mount says what it wants

threads_named() {
    cat /proc/"$daemon"/task/*/comm | grep -c "^$1" || true
}

# They are made when the mount is there already.
has_rings() {
    [[ $(threads_named ring) -ge $(nproc) ]]
}

has_no_rings() {
    [[ $(threads_named ring) == 0 ]]
}

# Rings were tried and could not be had; it says so once.
fell_back() {
    [[ $(grep -c "/dev/fuse is used" "$log") == 1 ]]
}

# Something that never ends, in the background.
hammer() {
    local i
    for i in 1 2 3; do
        while :; do
            head -c 3000000 /dev/urandom >"$mnt/big$i"
            cat "$mnt/big$i" && rm "$mnt/big$i"
        done >/dev/null 2>&1 &
    done
    sleep 0.5
}

hammers_down() {
    jobs -p | grep -vx "${daemon:-none}" | xargs -r kill 2>/dev/null || true
}

ends_well() {
    wait_until 20 gone "$daemon" || fail "$1: the daemon does not end"
    wait "$daemon" || fail "$1: it ends with status $?"
    daemon=
    hammers_down
    ! is_mounted || fail "$1: still mounted"
}

# no_rings WORD: nothing but rings, which cannot be had.
no_rings() {
    local status=0
    timeout 20 "${runner[@]}" "$PAGERFS" \
        -o "ram=8m,swap=$swap,transport=uring" source "$mnt" 2>"$work/err" ||
        status=$?
    ((status != 0 && status < 124)) || fail "$1: status $status"
    grep -q "transport=uring.*$1" "$work/err" || fail "$1: not in $(<"$work/err")"
    ! is_mounted || fail "$1: mounted all the same"
}

mount_fs ram=8m,size=64m,transport=dev
has_no_rings || fail "transport=dev has rings"
echo data >"$mnt/file"
rests transport=dev
umount_fs

mount_fs ram=8m,size=64m,transport=dev,writeback
echo data >"$mnt/file"
sync "$mnt/file"
rests transport=dev,writeback
umount_fs

[[ $(cat /sys/module/fuse/parameters/enable_uring 2>/dev/null) == Y ]] ||
    no_rings enable_uring
need_uring

mount_fs ram=8m,size=128m
wait_until 20 has_rings || fail "not used: $(<"$log")"
"$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file"
uncache <<<"$mnt/file"
"$HELPERS/blob" read 1 $((24 << 20)) "$mnt/file"
paged_out 8
rests io_uring
max_rss 16 "ram=8m"
umount_fs

mount_fs ram=8m,size=64m,transport=uring,writeback
echo data >"$mnt/file"
sync "$mnt/file"
rests transport=uring,writeback
umount_fs

for signal in TERM KILL; do
    mount_fs ram=8m,size=128m,transport=uring
    hammer
    kill -$signal "$daemon"
    if [[ $signal == TERM ]]; then
        ends_well "SIGTERM under load"
        continue
    fi
    wait_until 20 gone "$daemon" || fail "the daemon survives SIGKILL"
    wait "$daemon" 2>/dev/null || true
    daemon=
    hammers_down
    fusermount3 -u "$mnt" 2>/dev/null || fusermount3 -uz "$mnt"
done

mount_fs ram=8m,size=128m,transport=uring
hammer
fusermount3 -uz "$mnt" || fail "lazy unmount"
hammers_down
ends_well "unmounted under load"

# Rings would end too late for it.
refused auto_unmount "$PAGERFS" -o "ram=8m,swap=$swap,transport=uring,auto_unmount" \
    source "$mnt"
mount_fs ram=8m,size=64m,auto_unmount
has_no_rings || fail "auto_unmount has rings"
fell_back || fail "no word of the fallback, with auto_unmount: $(<"$log")"
kill -9 "$daemon"
not_mounted() {
    ! is_mounted
}
wait_until 10 not_mounted || fail "auto_unmount leaves a dead mount"
wait "$daemon" 2>/dev/null || true
daemon=

[[ $(id -u) == 0 ]] || exit 0
for call in io_uring_{setup,enter,register}; do
    runner=("$HELPERS/forbid" "$call")
    no_rings permitted
    mount_fs ram=8m,size=64m
    wait_until 20 fell_back ||
        fail "no word of the fallback, without $call: $(<"$log")"
    wait_until 20 has_no_rings || fail "rings, without $call"
    "$HELPERS/blob" write 1 $((24 << 20)) "$mnt/file"
    uncache <<<"$mnt/file"
    "$HELPERS/blob" read 1 $((24 << 20)) "$mnt/file"
    paged_out 8
    say "without $call: $(<"$log")"
    umount_fs
done
