#!/usr/bin/env bash
# Four fsx at once at ram=8m, mapped operations included, see no wrong byte.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

operations=$(($(long 60000 1000000) / 4))
# Twenty times slower, and for races: there are many in the first thousand.
[[ -z ${SANITIZED:-} ]] || operations=$((operations / 4))
sizes=(300000 5000000 16m 16m)
longest=(64k 256k 512k 512k)

mount_fs ram=8m,size=128m
running=()
for i in 0 1 2 3; do
    "$FSX" -q -P "$work" -S $((i + 1)) -N $operations -l "${sizes[i]}" \
        -o "${longest[i]}" "$mnt/file$i" &
    running+=($!)
done
for i in 0 1 2 3; do
    wait "${running[i]}" || fail "fsx of ${sizes[i]}, seed $((i + 1))"
done
paged_out 100
max_rss 16 "ram=8m"
umount_fs
