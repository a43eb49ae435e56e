#!/bin/bash
# Runs one cmocka program and tells its results as tests/help/protocol.sh has them.
# usage: cmocka.sh PROGRAM      (UNDER: a command in front of it, such as valgrind)
# A program that ends before all its tests were told, or badly without a failed one, has failed.
set -u
name=${1##*/}

# shellcheck disable=SC2086 # UNDER is a command with its options
out=$(CMOCKA_MESSAGE_OUTPUT=TAP timeout "${TEST_SECONDS:-300}" ${UNDER:-} "$1" 2>&1)
status=$?

awk -v name="$name" -v status="$status" '
    /^1\.\.[0-9]+$/ { planned += substr($0, 4); next }
    /^not ok [0-9]+ # SKIP/ { sub(/^[^S]*SKIP */, ""); print "skip " name ": " $0; told++; next }
    /^ok [0-9]+ - / { sub(/^ok [0-9]+ - /, ""); print "ok " name ": " $0; told++; next }
    /^not ok [0-9]+ - / { sub(/^not ok [0-9]+ - /, ""); print "not ok " name ": " $0; told++; bad++; next }
    { print "    " $0 }
    END {
        if (status != 0 && !bad)
            print "not ok " name ": ended with status " status " and no failed test"
        else if (told != planned)
            print "not ok " name ": " told + 0 " results of " planned + 0 " tests"
    }' <<<"$(sed 's/\(.\)\(not ok [0-9]* - \)/\1\n\2/' <<<"$out")"
exit "$status"
