#!/bin/bash
# Generated captures, whose makers know what is in them: every verdict and match of 2,000 calls; and a
# million SYNs of a port scan around one real failure, within 128 MB.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
bin=build/release/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

read_generated() { # KIND GENERATOR-OPTION...
    local kind=$1
    shift
    $bin/generate "$kind" - --truth "$work/truth" "$@" 2>/dev/null |
        $bin/measure "$work/times" "$edgewatch" --config /dev/null --db "$work/$kind.db" read -q - 2>"$work/said"
}

read_generated calls --calls 2000 && ok "2,000 calls are read" || not_ok "2,000 calls are read" "$(head -n 1 "$work/said")"
verdict "2,000 calls: every verdict and match" "$(tests/bench/truth.sh "$work/calls.db" "$work/truth")"

read_generated scan && ok "a port scan is read" || not_ok "a port scan is read" "$(head -n 1 "$work/said")"
verdict "a port scan: the one failure in it is found" "$(tests/bench/truth.sh "$work/scan.db" "$work/truth")"
peak=$(awk 'END { print $3 }' "$work/times")
verdict "a port scan: at most 128 MB resident" "$(awk -v mb="$peak" 'BEGIN { if (mb > 128) print mb " MB" }')"
# Every SYN is a row, or counted as one of too many, or as pushed out of the table.
verdict "a port scan: what is not stored is counted" "$(sqlite3 -readonly "$work/scan.db" "
    SELECT 'stored ' || stored || ', counted ' || counted || ', evicted ' || evicted FROM
    (SELECT count(*) AS stored FROM attempts),
    (SELECT ifnull(sum(aggregated), 0) AS counted, ifnull(sum(table_evictions), 0) AS evicted FROM health)
    WHERE stored > 20000 OR counted = 0 OR stored + counted + evicted < 1000000")"
finish
