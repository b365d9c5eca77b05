#!/usr/bin/env bash
# fsx finds nothing wrong with the host's file systems, and finds what has been
# made wrong: by each way of reading, at the right place, with the right log.
set -euo pipefail

fsx=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
disk=$(mktemp -d)
memory=$disk
if [[ $(stat -f -c %T /dev/shm 2>/dev/null) == tmpfs && -w /dev/shm ]]; then
    memory=$(mktemp -d -p /dev/shm)
fi
trap 'rm -rf "$disk" "$memory"' EXIT

die() {
    echo "fsx selftest: $*" >&2
    exit 1
}

# Runs fsx, which must end with status 1 and a report of exactly one bad byte.
must_notice() {
    local what=$1 status=0
    shift
    "$fsx" -S 1 "$@" "$disk/bad" >"$disk/out" || status=$?
    [[ $status == 1 ]] || die "$what: status $status, not 1"
    grep -q '^READ BAD DATA: ' "$disk/out" || die "$what: no report"
    [[ $(cmp -l "$disk/bad" "$disk/bad.fsxgood" | wc -l) == 1 ]] ||
        die "$what: .fsxgood differs from the file by more than the sabotage"
    grep -q '^LOG DUMP' "$disk/bad.fsxlog" || die "$what: no .fsxlog"
    rm -f "$disk"/bad*
}

direct_works() {
    dd if=/dev/zero of="$disk/direct" bs=4096 count=1 oflag=direct 2>"$disk/out"
}

# A recording of two operations: write, then read in the given way.
two_ops() {
    printf 'write 0x0 0x3000 0x0\n%s\n' "$1" >"$disk/two.fsxops"
}

for trace in "$here"/traces/*.fsxops; do
    "$fsx" -q --replay-ops "$trace" "$disk/file" || die "$trace on disk"
    "$fsx" -q --replay-ops "$trace" "$memory/file" || die "$trace in memory"
done
"$fsx" -q -N 200000 -S 1 "$memory/file" || die "200000 operations in memory"
direct=()
if direct_works; then
    direct=(-Z 4)
fi
"$fsx" -q -N 10000 -S 2 "${direct[@]}" "$disk/file" || die "10000 operations on disk"
"$fsx" -q -N 1000 -l 16m -o 2m -S 3 "$disk/file" || die "large file on disk"

# What was recorded can be replayed and does the same.
"$fsx" -q -N 500 -S 4 --record-ops "$disk/recorded" "$disk/file"
cp "$disk/file" "$disk/first"
"$fsx" -q -S 4 --replay-ops "$disk/recorded" "$disk/file"
cmp "$disk/file" "$disk/first" || die "a replay gave another file"

must_notice "last check" -N 1000 --sabotage 1000
must_notice "check every operation" -N 1000 --sabotage 500 -v 1
two_ops 'read 0x1000 0x1234 0x3000'
must_notice read --replay-ops "$disk/two.fsxops" --sabotage 1 --sabotage-at 0x1800
two_ops 'mapread 0x1000 0x1234 0x3000 private'
must_notice mapread --replay-ops "$disk/two.fsxops" --sabotage 1 --sabotage-at 0x1800
if ((${#direct[@]} > 0)); then
    two_ops 'read 0x1000 0x2000 0x3000 direct'
    must_notice direct -Z 1 --replay-ops "$disk/two.fsxops" --sabotage 1 --sabotage-at 0x1800
fi
printf 'truncate 0x0 0x3000 0x0\nseek 0x0 0x0 0x3000\n' >"$disk/two.fsxops"
must_notice seek --replay-ops "$disk/two.fsxops" --sabotage 1 --sabotage-at 0x1800

# The report is the one of the first bug this trace found, line by line.
if "$fsx" -S 1 --replay-ops "$here/traces/t1_22nov16.fsxops" --sabotage 15 \
    --sabotage-at 0x1f000 "$disk/bad" >"$disk/out"; then
    die "a sabotaged trace passed"
fi
diff -w <(tr -s ' \t' ' ' <"$disk/out" | head -n 21) "$here/seed_t1.log" ||
    die "the report has changed"
