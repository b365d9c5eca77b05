#!/usr/bin/env bash
# The four recorded traces, on which other systems' pagers failed, replay without
# a wrong byte.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

mount_fs ram=8m,size=64m
for trace in "$here"/../fsx/traces/*.fsxops; do
    for seed in 1 2 3; do
        "$FSX" -q -P "$work" -S $seed --replay-ops "$trace" "$mnt/file" ||
            fail "$trace"
    done
done
umount_fs
