# wait.sh - waiting for what happens elsewhere; sourced by the tests of this folder
# and by the benchmarks.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2317  # $mnt is the test's; called by wait_until

# wait_until SECONDS CMD...: until CMD succeeds.
wait_until() {
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.05
    done
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

# is_mounted [PLACE]: $mnt if it is not named.
is_mounted() {
    grep -q " ${1:-$mnt} " /proc/self/mountinfo
}
