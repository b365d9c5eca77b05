#!/usr/bin/env bash
# The linter of shell scripts has nothing to say about any of ours.
set -euo pipefail

cd "$(dirname "$0")/.."
{
    find tests scripts -name '*.sh'
    grep -rlE '^#!/usr/bin/env bash' scripts .ci
} | sort -u | xargs shellcheck -x
