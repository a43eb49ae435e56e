#!/bin/bash
# Runs every fuzzer for its share of the time, two at once.
# usage: tests/fuzz/run.sh SECONDS-IN-ALL [CORPUS]   (CORPUS: keeps what is found; else forgotten)
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=build/fuzz/fuzz
seconds=$1
keep=${2:-}
forgotten=$(mktemp -d)
trap 'rm -rf "$forgotten"' EXIT

fuzz() { # FUZZER SECONDS CORPUS
    local name=${1##*/} seeds=tests/fuzz/seeds/${1##*/fuzz_} log
    log=$(mktemp)
    mkdir -p "$3/$name" "$bin/found"
    "$1" -max_total_time="$2" -seed=1 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$bin/found/$name-" "$3/$name" "$seeds" >"$log" 2>&1
    local status=$? runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ $status = 0 ] && [ "${runs:-0}" -gt 0 ]; then
        echo "ok $name ($runs runs)"
    else
        echo "not ok $name: status $status after ${runs:-0} runs"
        tail -n 40 "$log" | sed 's/^/    /'
    fi
    rm -f "$log"
    return $status
}
export -f fuzz
export bin

fuzzers=("$bin"/fuzz_*)
[ -x "${fuzzers[0]}" ] || { echo "not ok fuzzers: none is built"; exit 1; }
share=$((seconds * 2 / ${#fuzzers[@]}))
printf '%s\0' "${fuzzers[@]}" |
    xargs -0 -P 2 -I{} bash -c 'fuzz "$@"' fuzz {} $((share > 0 ? share : 1)) "${keep:-$forgotten}"
