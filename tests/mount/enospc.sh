#!/usr/bin/env bash
# Writers fill the mount until each has met ENOSPC: every acknowledged byte is
# there, df says full, and when all is deleted usage is the same to the block.
#   enospc.sh WRITERS
# shellcheck disable=SC2034  # for lib.sh
name=enospc-$1
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

writers=$1
mount_fs ram=8m,size=160m
baseline=$(usage)
for round in 1 2; do
    mkdir "$mnt/files"
    "$HELPERS/filler" fill "$mnt/files" "$writers" "$work/ledger" ||
        fail "filling, round $round"
    # A page at a new place may need a page of metadata too: one may be left.
    (($(free_blocks) <= writers)) || fail "df says $(free_blocks) blocks are free"
    [[ $(df --output=pcent "$mnt" | tail -n 1) == *100% ]] ||
        fail "df does not say full: $(df "$mnt")"
    "$HELPERS/filler" verify "$mnt/files" "$work/ledger" ||
        fail "what was acknowledged is not there, round $round"
    # Full is full: not one more page, and the refusal changes nothing.
    before=$(usage)
    if head -c 8192 /dev/zero >>"$mnt/files/more" 2>/dev/null; then
        fail "a write to a full file system succeeds"
    fi
    rm -f "$mnt/files/more"
    expect_usage "$before" "after a refused write"
    rm -r "$mnt/files"
    expect_usage "$baseline" "all deleted, round $round"
done
max_rss 16 "ram=8m"
umount_fs
