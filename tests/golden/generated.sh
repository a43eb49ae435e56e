#!/bin/bash
# Generated captures, whose makers know what is in them: every verdict and match of 2,000 calls; and a
# million SYNs of a port scan around one real failure, within 128 MB; and a million from random sources
# in 20 seconds, at relay ports and at the port where relays take their clients, in the midst of 100 calls.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
bin=build/release/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options=() # of edgewatch
read_generated() { # KIND GENERATOR-OPTION...
    local kind=$1
    shift
    $bin/generate "$kind" - --truth "$work/truth" "$@" 2>/dev/null |
        $bin/measure "$work/times" "$edgewatch" --config /dev/null --db "$work/$kind.db" read -q "${options[@]}" - \
            2>"$work/said"
}

read_generated calls --calls 2000 && ok "2,000 calls are read" || not_ok "2,000 calls are read" "$(head -n 1 "$work/said")"
verdict "2,000 calls: every verdict and match" "$(tests/bench/truth.sh "$work/calls.db" "$work/truth")"

told() {
    sqlite3 -readonly "$work/calls.db" "SELECT event_id, id, first_seen, verdict, grade, matched_by, call_id, finding FROM failures ORDER BY 1;
        SELECT call_id, outcome FROM calls ORDER BY 1"
}
once=$(told)
# joined with the first run in several slices of packet time
read_generated calls --calls 2000
verdict "2,000 calls read twice: every verdict and match" "$(tests/bench/truth.sh "$work/calls.db" "$work/truth")"
verdict "2,000 calls read twice: the same failures and calls" "$(diff <(echo "$once") <(told) | head -n 5)"

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

# Edges that are configured: what anybody sends to them matters, but must not crowd out what was negotiated.
for ((i = 40; i < 48; i++)); do
    options+=(--edge 10.3.1.$i)
done
read_generated flood && ok "a flood is read" || not_ok "a flood is read" "$(head -n 1 "$work/said")"
verdict "a flood: every verdict and match of the 100 in it" "$(tests/bench/truth.sh --strangers "$work/flood.db" "$work/truth")"
peak=$(awk 'END { print $3 }' "$work/times")
verdict "a flood: at most 128 MB resident" "$(awk -v mb="$peak" 'BEGIN { if (mb > 128) print mb " MB" }')"
verdict "a flood: rows are bounded, what is not stored is counted" "$(sqlite3 -readonly "$work/flood.db" "
    SELECT 'stored ' || stored || ', told ' || told || ', counted ' || counted || ', evicted ' || evicted FROM
    (SELECT count(*) AS stored FROM attempts), (SELECT count(*) AS told FROM failures WHERE call_id IS NULL),
    (SELECT ifnull(sum(aggregated), 0) AS counted, ifnull(sum(table_evictions), 0) AS evicted FROM health)
    WHERE stored > 20000 OR told > 800 OR counted = 0 OR stored + counted + evicted < 1000000")"
finish
