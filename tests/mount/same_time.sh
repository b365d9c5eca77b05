#!/usr/bin/env bash
# A slow reader of a huge file does not stop others: while eight processes page
# data in and out, a stat of another file is answered.  How fast is told; what
# fails is one that hangs behind them.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

mount_fs ram=8m,size=400m
: >"$mnt/idle"
hogs=()
for i in 1 2 3 4; do
    (
        while :; do
            "$HELPERS/blob" write "$i" $((64 << 20)) "$mnt/hog$i"
            "$HELPERS/blob" peek "$i" $((64 << 20)) "$mnt/hog$i" 500
        done
    ) >/dev/null &
    hogs+=($!)
done
slowest=0
for ((i = 0; i < 50; i++)); do
    begin=$(date +%s%N)
    touch "$mnt/new$i"
    stat "$mnt/new$i" "$mnt/idle" >/dev/null
    rm "$mnt/new$i"
    took=$((($(date +%s%N) - begin) / 1000000))
    ((took <= slowest)) || slowest=$took
    sleep 0.1
done
for hog in "${hogs[@]}"; do
    kill -0 "$hog" 2>/dev/null || fail "a reader or writer has failed"
    kill "$hog"
done
wait "${hogs[@]}" || true
say "the slowest create, stat and remove took $slowest ms"
((slowest < 20000)) || fail "others were stopped for $slowest ms"
hogs_left() {
    ! pgrep -f "$HELPERS/blob .*$mnt" >/dev/null
}
wait_until 20 hogs_left || fail "a reader does not end"
umount_fs
