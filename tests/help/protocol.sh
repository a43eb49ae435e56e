# How shell tests tell their results (sourced). One line per test, counted by tests/run.sh:
#   ok NAME        not ok NAME: why        skip NAME: why
# shellcheck shell=bash

failed_tests=0

ok() { # NAME
    echo "ok $1"
}

not_ok() { # NAME WHY
    failed_tests=$((failed_tests + 1))
    echo "not ok $1: $2"
}

skip() { # NAME WHY
    echo "skip $1: $2"
}

# Passes if nothing was found; else the finding is the reason, its lines behind it.
verdict() { # NAME FOUND
    if [ -z "$2" ]; then
        ok "$1"
    else
        not_ok "$1" "$(head -n 1 <<<"$2")"
        tail -n +2 <<<"$2" | head -n 40 | sed 's/^/    /'
    fi
}

# Two texts that must be the same; the difference is the reason.
same() { # NAME EXPECTED GOT
    verdict "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed 's/^</expected /; s/^>/got /' |
        grep -E '^(expected|got)')"
}

# Ends the script: non-zero if a test failed.
finish() {
    exit $((failed_tests > 0))
}
