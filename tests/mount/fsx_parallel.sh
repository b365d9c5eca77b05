#!/usr/bin/env bash
# Four fsx at once at ram=8m, mapped operations included, see no wrong byte.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

operations=$(($(long 60000 1000000) / 4))
sizes=(256k 1m 5000000 16m)

mount_fs ram=8m,size=128m
running=()
for i in 0 1 2 3; do
    "$FSX" -q -P "$work" -S $((i + 1)) -N $operations -l "${sizes[i]}" \
        "$mnt/file$i" &
    running+=($!)
done
for i in 0 1 2 3; do
    wait "${running[i]}" || fail "fsx of ${sizes[i]}, seed $((i + 1))"
done
max_rss 16 "ram=8m"
umount_fs
