#!/usr/bin/env bash
# fsx on files of one level of the pagemap, two and three (above 256 KiB, above
# 4 MiB), with memory short, by every way of reading and writing, finds nothing.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

factor=$(long 1 20)

# Memory is short because somebody always reads another file, everywhere.
mount_fs ram=8m,size=128m
"$HELPERS/blob" write 9 $((24 << 20)) "$mnt/ballast" >/dev/null
while [[ ! -e $work/enough ]]; do
    "$HELPERS/blob" peek 9 $((24 << 20)) "$mnt/ballast" 500 || exit 1
done >/dev/null &
reader=$!

exercise() {
    local operations=$(($1 * factor))
    shift
    "$FSX" -q -P "$work" -S 1 -N "$operations" "$@" "$mnt/file" || fail "fsx $*"
}

exercise 6000 -l 200
exercise 6000 -l 256k
exercise 6000 -l 300000
exercise 3000 -l 5000000 -o 300000
exercise 800 -l 16m -o 1m
# The kernel's tmpfs shows bytes stored beyond the end of the file.
if [[ $PAGERFS_FSTYPE != tmpfs ]]; then
    exercise 3000 -l 300000 -e
fi
exercise 3000 -l 300000 -Z 1 -R -W
exercise 3000 -l 5000000 -Z 3
exercise 3000 -l 5000000 -R -W
exercise 3000 -l 1m -t 4096 -w 4096 -r 4096
exercise 500 -l 5000000 -v 10
paged_out 32
: >"$work/enough"
wait $reader || fail "the other file"
"$HELPERS/blob" read 9 $((24 << 20)) "$mnt/ballast" || fail "the other file"
umount_fs
