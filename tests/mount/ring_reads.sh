#!/usr/bin/env bash
# Over io_uring a read from swap is the business of the ring's own thread: no worker
# takes part, and it is woken twice.  Pages that are sent out meanwhile, a failing
# disk, and the end of the mount in the middle of such reads do no harm.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3
need_uring
TRANSPORT=uring
bytes=$((48 << 20))

figure() {
    "$PAGERCTL" stat --json "$mnt" | json "$@"
}

# Voluntary switches so far of all threads of that name.
switches() {
    # The kernel's workers of io_uring come and go.
    { cat /proc/"$daemon"/task/*/status 2>/dev/null || true; } | awk -v name="$1" '
        /^Name:/ { ours = $2 == name }
        /^voluntary_ctxt_switches:/ && ours { sum += $2 }
        END { print sum + 0 }'
}

mount_out() {
    mount_fs "$1"
    "$HELPERS/blob" write 1 $bytes "$mnt/file" >/dev/null || fail "writing"
    "$PAGERCTL" evict "$mnt/file" >/dev/null || fail "evict"
}

mount_out ram=64m,size=128m
[[ $(figure swap_engine) == io_uring ]] ||
    skip "swap is paged by threads here: its disk refuses O_DIRECT"
reads=$(figure paging pagein_ios)
workers=$(switches worker) rings=$(switches ring)
"$HELPERS/blob" peek 1 $bytes "$mnt/file" 400 >/dev/null || fail "reading at random"
reads=$(($(figure paging pagein_ios) - reads))
workers=$(($(switches worker) - workers)) rings=$(($(switches ring) - rings))
say "$reads reads from swap: $workers switches of workers, $rings of rings"
((reads >= 200)) || fail "only $reads reads from swap"
((workers <= reads / 10)) || fail "workers take part"
# Twice for each, and what else there was to serve.
((rings <= 3 * reads + 100)) || fail "rings wake up too often"

# Pages go while they are read.
readers=()
for i in 1 2 3; do
    "$HELPERS/blob" peek 1 $bytes "$mnt/file" 1000 >/dev/null &
    readers+=($!)
done
for ((i = 0; i < 20; i++)); do
    "$PAGERCTL" evict "$mnt/file" >/dev/null || fail "evict beside readers"
done
for reader in "${readers[@]}"; do
    wait "$reader" || fail "reading while pages are sent out"
done
umount_fs

# The end in the middle of it: told to go while files are open and read.
mount_out ram=8m,size=128m
readers=()
for i in 1 2 3; do
    (while "$HELPERS/blob" peek 1 $bytes "$mnt/file" 200; do :; done) \
        >/dev/null 2>&1 &
    readers+=($!)
done
sleep 0.3
kill -TERM "$daemon"
wait_until 20 gone "$daemon" || fail "the daemon does not end"
wait "$daemon" || fail "the daemon ends with status $?"
daemon=
for reader in "${readers[@]}"; do
    wait "$reader" || true
done

# A disk that fails under it: EIO, and only there.
[[ $(id -u) == 0 ]] || exit 0
truncate -s 128M "$work/disk"
device=$(losetup --show -f --direct-io=on "$work/disk" 2>/dev/null) ||
    skip "no loop device with direct I/O"
at_exit "losetup -d $device"
mount_out "ram=16m,size=100m,swap=$device"
truncate -s 0 "$work/disk"
uncache <<<"$mnt/file"
if "$HELPERS/blob" peek 1 $bytes "$mnt/file" 20 >"$work/out" 2>&1; then
    fail "what the disk has lost is read"
fi
grep -q 'Input/output error' "$work/out" || fail "no EIO: $(cat "$work/out")"
"$HELPERS/blob" write 2 $((4 << 20)) "$mnt/other" >/dev/null || fail "writing on"
"$HELPERS/blob" read 2 $((4 << 20)) "$mnt/other" >/dev/null || fail "reading on"
umount_fs
