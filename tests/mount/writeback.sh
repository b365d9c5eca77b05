#!/usr/bin/env bash
# With a writeback cache in the kernel a full mount is told by write(2) all the
# same: whatever it accepted is there, fsync and close take nothing back, by one
# writer or eight, in small pieces or large.  What is opened after that uses the
# rest, and what is deleted can be used again.  Small writes come gathered.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3

figure() {
    "$PAGERCTL" stat --json "$mnt" | json "$@"
}

exercise() {
    "$FSX" -q -P "$work" -S 1 -N "$@" "$mnt/file" || fail "fsx $*"
}

# fills WRITERS LENGTH: nothing that was accepted is missing.
fills() {
    mkdir "$mnt/files"
    "$HELPERS/filler" fill "$mnt/files" "$1" "$work/ledger" "${2:-0}" ||
        fail "filling by $1, $2 bytes"
    "$HELPERS/filler" verify "$mnt/files" "$work/ledger" ||
        fail "what was accepted is not there: $1 writers, $2 bytes"
}

# No more is left unused than the half of it; and that for those who come now, of
# whom the first may be cached, too.
rest_is_used() {
    local file
    (($(free_blocks) < 8192)) || fail "$(free_blocks) blocks of 16384 are free"
    for file in first second; do
        if head -c 100m /dev/zero >"$mnt/files/$file" 2>/dev/null; then
            fail "100 MiB go into the rest of 64"
        fi
    done
    # A page at a new place may need a page of metadata too.
    (($(free_blocks) <= 1)) || fail "$(free_blocks) blocks cannot be used"
}

mount_fs ram=8m,size=64m,writeback
baseline=$(usage)

# 8192 writes of one byte each.
before=$(figure requests write)
dd if=/dev/zero of="$mnt/bytes" bs=1 count=8192 status=none
writes=$(($(figure requests write) - before))
((writes <= 64)) || fail "8192 bytes took $writes requests"
rm "$mnt/bytes"

exercise "$(long 2000 200000)" -l 300000
exercise "$(long 600 60000)" -l 5000000 -o 300000
rm "$mnt/file"

# Through rings only what is different there: more at once.
writers=(1 8) lengths=(4096 1048576)
[[ ${TRANSPORT:-} != uring ]] || { writers=(8) lengths=(4096); }
for nr in "${writers[@]}"; do
    for length in "${lengths[@]}"; do
        fills "$nr" "$length"
        # As long as they were open it was held back for them.
        rest_is_used
        rm -r "$mnt/files"
        expect_usage "$baseline" "all deleted"
    done
done
fills 8
rest_is_used
rm -r "$mnt/files"
expect_usage "$baseline" "all deleted"

# One file, refused while it stays open: to be looked at and read to its end is
# nothing that needs room; and there is room again when there is.
python3 - "$mnt" <<'END' || fail "see above"
import errno, os, sys, time
os.chdir(sys.argv[1])
fd = os.open("open", os.O_RDWR | os.O_CREAT)
page, size = os.urandom(4096), 0
def append():
    global size
    try:
        size += os.write(fd, page)
        return True
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
        return False
with open("ballast", "wb") as ballast:
    ballast.write(bytes(24 << 20))
for turn in range(3):
    while append():
        pass
    os.fsync(fd)
    assert not append(), "there is room again, for nothing"
    assert os.fstat(fd).st_size == os.stat("open").st_size == size
    assert os.lseek(fd, 0, os.SEEK_END) == size
    assert len(os.pread(fd, 8192, size - 4096)) == 4096
    if turn == 0:
        os.unlink("ballast")
    else:
        size //= 2
        os.ftruncate(fd, size)
        os.lseek(fd, 0, os.SEEK_END)
    deadline = time.monotonic() + 60
    while not append():
        assert time.monotonic() < deadline, "no room after deleting"
        time.sleep(0.02)
os.close(fd)
os.unlink("open")
END
expect_usage "$baseline" "all deleted"

# Stores to mapped pages that are there need no room: they go on beside write(2)
# that is refused.
python3 - "$mnt" <<'END' || fail "see above"
import errno, mmap, os, sys
os.chdir(sys.argv[1])
fd, other = (os.open(name, os.O_RDWR | os.O_CREAT) for name in ("f", "mapped"))
block, written, shadow = os.urandom(65536), bytearray(), bytearray(4 << 20)
os.write(other, shadow)
os.fsync(other)
mapped = mmap.mmap(other, len(shadow))
for i in range(3000):
    at = i * 40961 % len(shadow)
    mapped[at] = shadow[at] = i % 251
    if i % 100 == 99:
        mapped.flush()
    try:
        written += block[:os.write(fd, block)]
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
mapped.flush()
for file, wanted in (fd, written), (other, shadow):
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    assert os.pread(file, len(wanted) + 1, 0) == wanted
for name in "f", "mapped":
    os.unlink(name)
END
expect_usage "$baseline" "all deleted"

# In plenty it does not ask: far fewer requests than writes.
before=$(figure requests getattr)
dd if=/dev/zero of="$mnt/plenty" bs=512 count=20000 status=none
asked=$(($(figure requests getattr) - before))
((asked <= 100)) || fail "20000 writes asked $asked times"

# What is dirty goes with the file that is deleted, and with the mount.
dd if=/dev/zero of="$mnt/gone" bs=1M count=4 status=none
rm "$mnt/gone" "$mnt/plenty"
expect_usage "$baseline" "deleted at once"
exec {held}>"$mnt/held"
head -c 1000000 /dev/zero >&"$held"
exec {held}>&-
umount_fs

# The kernel's limit as it was asked for, and all that was accepted fits then, too.
limit_is() {
    local bytes
    bytes=$(<"/sys/class/bdi/$(mountpoint -d "$mnt")/max_bytes")
    ((bytes > $1 * 9 / 10 << 20 && bytes < $1 * 11 / 10 << 20)) ||
        fail "the kernel holds back $bytes bytes, not $1 MiB"
}

mount_fs ram=8m,size=256m,writeback,writeback_max=96m
if [[ -w /sys/class/bdi/$(mountpoint -d "$mnt")/max_bytes ]]; then
    limit_is 64 # a quarter of the size
    grep -q 'writeback_max=96m is more than a quarter' "$log" ||
        fail "nothing said about writeback_max"
else
    grep -q 'only root' "$log" || fail "nothing said about writeback_max"
fi
fills 8 65536
umount_fs

# What was asked for holds: nothing is said.
if [[ $(id -u) == 0 ]]; then
    mount_fs ram=8m,size=256m,writeback,writeback_max=32m
    limit_is 32
    grep writeback_max "$log" && fail "writeback_max holds, and yet it talks"
    umount_fs
fi
