#!/bin/bash
# The look of the tree: formatting, no paths of one machine, files of one noun, scripts that parse.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/help/protocol.sh
mapfile -t code < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)

found=$(clang-format --dry-run --Werror "${code[@]}" 2>&1 | grep -E 'error:' | cut -d: -f1 | sort | uniq -c)
verdict "clang-format has nothing to change (make format)" "$found"

# Homes, work folders and temporary files of whoever wrote it have no place in what others clone.
found=$(git grep -nIE '(^|[^A-Za-z0-9_.])/(home|root|work|Users)/[A-Za-z0-9]' -- . ':!.ci/tidy.sh')
verdict "no machine paths" "$found"

found=$(wc -l "${code[@]}" | awk '$2 != "total" && $1 > 600 { print $2 " has " $1 " lines" }')
verdict "no file over 600 lines" "$found"

found=$(git grep -nIwE 'TODO|FIXME' -- '*.c' '*.h' '*.sh' Makefile ':!.ci/tidy.sh')
verdict "nothing is left for later" "$found"

found=$(deploy/deps.sh list | awk '{ print $1 }' | while read -r package; do
    grep -qE "^ +$package " INSTALL || echo "INSTALL does not name $package"
done)
verdict "INSTALL names every package" "$found"

found=$(for s in "${scripts[@]}"; do bash -n "$s" 2>&1; done)
verdict "scripts parse" "$found"

found=$(for s in "${scripts[@]}"; do
    read -r first <"$s"
    [[ $first != "#!"* || -x $s ]] || echo "$s begins with #! and is not executable"
done)
verdict "scripts can be run" "$found"
finish
