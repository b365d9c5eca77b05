#!/usr/bin/env bash
# The layers of meson.build hold only if nobody reaches around them: quoted
# includes name a header and no path, and the libraries for FUSE and io_uring
# are included in the rooms that own them.
set -euo pipefail

cd "$(dirname "$0")/.."
status=0

# complain WHAT: lines on stdin, if any, are wrong.
complain() {
    local lines
    lines=$(cat)
    [[ -n $lines ]] || return 0
    printf '%s:\n%s\n' "$1" "$lines" >&2
    status=1
}

sources() {
    find src include tests -name '*.[ch]' | sort
}

complain "a quoted include with a path" < <(
    sources | xargs grep -nE '^\s*#\s*include\s+"[^"]*/' || true)

complain "libfuse outside the room fuse" < <(
    sources | grep -vE '^(src|include|tests/unit)/fuse/' |
        xargs grep -nE '^\s*#\s*include\s+[<"](fuse3/)?(fuse|fuse_[a-z]+|cuse_[a-z]+)\.h' || true)

complain "liburing outside the rooms swap and fuse" < <(
    sources | grep -vE '^(src|include|tests/unit)/(swap|fuse)/' |
        xargs grep -nE '^\s*#\s*include\s+<liburing' || true)

# A unit test may compile one of its own room into itself, to replace what is below.
complain "another room's source file included" < <(
    sources | xargs grep -nE '^\s*#\s*include\s+["<].*\.c[">]' |
        while IFS= read -r line; do
            name=${line#*[\"<]}
            room=${line#tests/unit/}
            [[ $line == tests/unit/* &&
               -f src/${room%%/*}/${name%[\">]*} ]] || printf '%s\n' "$line"
        done || true)

exit $status
