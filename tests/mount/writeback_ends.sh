#!/usr/bin/env bash
# A mount with a writeback cache may end while the kernel still holds back what was
# written.  Unmounted lazily, it goes on for whoever has a file open, byte by byte,
# full or not, and the daemon ends with the last close; killed, it makes nobody
# hang: not the writers, sync(2) nor umount, and leaves nothing behind.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3

daemon_ends() {
    local status=0
    wait_until 20 gone "$daemon" || fail "the daemon does not end: $1"
    wait "$daemon" 2>/dev/null || status=$?
    daemon=
    [[ $status == "$2" ]] || fail "the daemon ends with $status: $1"
    [[ -z $(ls -A "$swap") ]] || fail "left in the swap directory: $1"
}

# lazily MIB: of so much, more than the mount has if it does not fit.
lazily() {
    mount_fs ram=8m,size=64m,writeback
    python3 - "$mnt" "$1" <<'END' || fail "see above"
import errno, os, subprocess, sys
mnt, mib = sys.argv[1], int(sys.argv[2])
fd = os.open(mnt + "/file", os.O_RDWR | os.O_CREAT)
other = os.open(mnt + "/other", os.O_RDWR | os.O_CREAT)
block, accepted = os.urandom(1 << 20), 0
for i in range(mib):
    if i == 3:
        os.write(other, block)
        subprocess.run(["fusermount3", "-uz", mnt], check=True)
    try:
        accepted += os.write(fd, block)
    except OSError as error:
        assert error.errno == errno.ENOSPC and i > 20, (i, error)
        break
assert (accepted == mib << 20) == (mib < 40), accepted
for uncached in range(2):
    for at in range(0, accepted, 1 << 20):
        assert os.pread(fd, 1 << 20, at) == block[:accepted - at], at
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
os.close(fd)
assert os.pread(other, 1 << 20, 0) == block
if mib < 40:
    os.pwrite(other, block[:5000], 100)
os.close(other)
END
    daemon_ends "unmounted lazily, $1 MiB" 0
}

lazily 20
lazily 100

# Four who write without end, and one who has yet to close.
mount_fs ram=8m,size=256m,writeback
writers=()
for i in 1 2 3 4; do
    (while dd if=/dev/zero of="$mnt/$i" bs=64k count=200 conv=notrunc; do :; done) \
        2>/dev/null &
    writers+=($!)
done
exec {open}<>"$mnt/open"
head -c 3000000 /dev/zero >&"$open"
wait_until 10 test -s "$mnt/4" || fail "nobody writes"
kill -9 "$daemon"
for i in "${writers[@]}"; do
    wait_until 20 gone "$i" || fail "a writer hangs"
    wait "$i" || true
done
timeout 60 sync || fail "sync hangs"
exec {open}<&-
timeout 20 fusermount3 -u "$mnt" || fail "a dead mount cannot be unmounted"
is_mounted && fail "it is still mounted"
daemon_ends "killed" 137
