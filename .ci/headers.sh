#!/bin/bash
# Every header compiles alone, and twice in one file.  usage: .ci/headers.sh [COMPILER...]
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/help/protocol.sh
flags=$(make -s print-flags)

for cc in "${@:-gcc}"; do
    found=$(for h in capture/*.h flows/*.h flows/wire/*.h storage/*.h report/*.h cli/*.h; do
        # shellcheck disable=SC2086
        printf '#include "%s"\n#include "%s"\n' "$h" "$h" |
            "$cc" $flags -Werror -Wno-unused-macros -fsyntax-only -x c - 2>&1 | head -n 3
    done)
    verdict "headers stand alone and twice ($cc)" "$found"
done
finish
