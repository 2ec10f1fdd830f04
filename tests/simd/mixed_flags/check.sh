#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh PROGRAM: the kernels of the unit without flags hold no register of AVX, in whatever order
# the units were linked. Without objdump the program's own check has to do.
set -eu
"$1"
command -v objdump >/dev/null || exit 0
code=$(objdump -d --no-show-raw-insn "$1" |
    awk '/^[0-9a-f]+ <.*13flags_default.*8baseline/ { inside = 1 } /^$/ { inside = 0 } inside')
[ -n "$code" ] || { echo "no baseline kernel of the plain unit in $1"; exit 1; }
if printf '%s\n' "$code" | grep -E '%[yz]mm|[[:space:]]v[a-z]+[0-9a-z]*[[:space:]]+.*%xmm'; then
    echo "the plain unit's baseline kernel in $1 needs AVX"
    exit 1
fi
