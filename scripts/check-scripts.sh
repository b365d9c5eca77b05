#!/usr/bin/env bash
# shellcheck has nothing to say about any script.
set -euo pipefail

cd "$(dirname "$0")/.."
{
    find tests scripts -name '*.sh'
    grep -rlE '^#!/usr/bin/env bash' scripts .ci
} | sort -u | xargs shellcheck -x
