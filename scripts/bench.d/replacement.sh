# replacement.sh - which page goes next: S3-FIFO against CLOCK.
#
# A source tree is unpacked and built on a mount whose RAM budget is a small part
# of it.  The kernel keeps nothing (cache=none): what the compiler reads again asks
# the pool, and a miss is a read from swap.  Beside it stand the miss ratios of
# workloads made up for the purpose, over the pure algorithm
# (tests/unit/pool/bench_replace.c).
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with common.sh

title="Which page goes next"
page=replacement.md
subjects=(s3fifo clock)
rows=("seconds|unpack and build|s" "in|paged in|MiB" "out|paged out|MiB")
targets=("seconds|clock|1.0")
modules=1000 ram=12

bench_prepare() {
    ((small)) && modules=200 ram=4
    place=$work/place
    mkdir "$place"
    # shellcheck source=tests/mount/tree.sh
    source "$root/tests/mount/tree.sh"
    tree_generate "$modules"
    models=$(dirname "$PAGERFS")/../../tests/unit/pool/bench_replace
    [[ -x $models ]] || die "there is no $models: build the tests too"
}

# MiB of swap that the daemon has read or written.
moved() {
    awk -v field="$1:" '$1 == field {print $2 / 1048576}' "/proc/$daemon/io"
}

bench_subject() {
    local began
    daemon_start "$place" "$PAGERFS" -f \
        -o "ram=${ram}m,size=1g,swap=$work,cache=none,replacement=$1" pagerfs "$place"
    began=$EPOCHREALTIME
    tar -C "$place" -xf "$work/tree.tar"
    make -C "$place" -s -j2 >"$work/make.out" 2>&1 || die "the build fails"
    record seconds "$1" \
        "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')"
    record in "$1" "$(moved read_bytes)"
    record out "$1" "$(moved write_bytes)"
}

bench_describe() {
    cat <<TEXT
$modules modules of 30 kB; ram=${ram}m. Miss ratios of the pure algorithms, with their time
for a request:

$("$models" | sed 's/^/    /')
TEXT
}
