#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs that must not compile, and the sentence that must stand in the first error line.
# Usage: run.sh [COMPILER [FLAG...]], from anywhere. The sentence is in each program's second line.
here=$(cd "$(dirname "$0")" && pwd)
compiler=${1:-${CXX:-c++}}
[ $# -gt 0 ] && shift
failed=0
total=0
for program in "$here"/*.cpp; do
    total=$((total + 1))
    sentence=$(sed -n 's|^// expected: ||p' "$program" | head -n 1)
    if said=$("$compiler" -std=c++20 -fsyntax-only -I "$here/../../include" "$@" \
        "$program" 2>&1); then
        echo "FAILED $(basename "$program"): it compiles"
        failed=$((failed + 1))
        continue
    fi
    first=$(printf '%s\n' "$said" | grep -m 1 'error:')
    case $first in
    *"$sentence"*) echo "passed $(basename "$program")" ;;
    *)
        echo "FAILED $(basename "$program"): expected \"$sentence\", the first error is"
        echo "    $first"
        failed=$((failed + 1))
        ;;
    esac
done
echo "$((total - failed)) passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$total" -gt 0 ]
