#!/bin/bash
# The report against plain SQL over the contract's views, written here and nowhere else: what it says must
# be what the rows say. Then its pages: valid, without script or outside resource, hostile text as text.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset EDGEWATCH_DB EDGEWATCH_CONFIG COLUMNS
export TZ=UTC LC_ALL=C
db=$work/n.db
since=2026-01-30T18:00:00.000000Z until=2026-01-31T07:59:59.999999Z

tests/help/night.sh "$db" 2000 "$edgewatch" || not_ok night "cannot be made"
cd "$work" || exit 1
ew() { "$edgewatch" -q --db "$db" "$@"; }
ew report --since $since --until $until -f json >r.json || not_ok report-json "exit code $?"

sql() { sqlite3 -batch -noheader "$db" "$1"; }
told() { # SQL over the table j(r), the report
    sqlite3 -batch -noheader :memory: "WITH j(r) AS (SELECT readfile('r.json')) $1"
}
figures() { # NAME SQL-OVER-VIEWS SQL-OVER-THE-REPORT
    local want
    want=$(sql "$2")
    [ -n "$want" ] || not_ok "$1" "the views say nothing"
    same "$1" "$want" "$(told "$3")"
}

F="FROM failures WHERE severity = 'failure' AND first_seen <= '$until' AND last_seen >= '$since'"
T="FROM traffic WHERE hour <= '$until' AND hour > '2026-01-30T17:00:00.000000Z'"
NET="substr(dst_addr, 1, length(dst_addr) - 1) || '0/24'"

# ---- findings across failures that several runs saw ----
# Five partners refused, in captures of 30 seconds that were read one by one: each shows one failure.
editcap -i 30 "$root/pcaps/finding-own-outbound-range-blocked.pcap" part.pcap 2>/dev/null
for part in part_*; do
    "$edgewatch" -q --db parts.db read --sensor s "$part" || not_ok parts-read "exit code $?"
done
across="SELECT scope, code FROM findings WHERE scope NOT LIKE 'failure:%'"
same no-part-shows-it "" "$(sqlite3 parts.db "$across")"
"$edgewatch" -q --db parts.db report --day 2013-02-05 >parts.txt
same the-report-draws-the-day "night:2013-02-05|own-outbound-range-blocked" "$(sqlite3 parts.db "$across")"
same the-report-tells-it 1 "$(grep -c 'own-outbound-range-blocked, .*: over many failures' parts.txt)"
"$edgewatch" -q --db parts.db report --day 2013-02-05 >again.txt
same the-report-again-is-the-same "" "$(diff parts.txt again.txt)"
"$edgewatch" -q --db parts.db read --sensor s "$root/pcaps/finding-own-outbound-range-blocked.pcap"
"$edgewatch" -q --db parts.db report --day 2013-02-05 >again.txt
same what-a-run-drew-is-not-told-twice 1 "$(grep -c 'over many failures' again.txt)"

# ---- figures ----
figures failures "SELECT count(*) $F" "SELECT r ->> '$.totals.failures' FROM j"
figures attempts "SELECT sum(connected + refused + timeout + other), sum(connected), sum(refused), sum(timeout) $T" \
    "SELECT r ->> '$.totals.attempts', r ->> '$.totals.connected', r ->> '$.totals.refused', r ->> '$.totals.timeout' FROM j"
figures lossy "SELECT count(*) $F AND capture_quality = 'lossy'" "SELECT r ->> '$.totals.lossy' FROM j"
figures calls-that-failed "SELECT count(DISTINCT call_id) $F" "SELECT r ->> '$.totals.failed_calls' FROM j"
figures by-partner "SELECT dst_addr, count(*) AS n, count(DISTINCT call_id), min(first_seen) $F GROUP BY 1 ORDER BY n DESC, 1" \
    "SELECT value ->> 'partner', value ->> 'failures', value ->> 'calls', value ->> 'first_seen' FROM j, json_each(r, '$.by_partner')"
figures partner-attempts "SELECT p, sum(connected + refused + timeout + other), sum(connected) FROM (SELECT DISTINCT
    dst_addr AS p, $NET AS net $F) JOIN (SELECT * $T) ON dst_net = net GROUP BY 1 ORDER BY 1" \
    "SELECT value ->> 'partner', value ->> 'attempts', value ->> 'connected' FROM j, json_each(r, '$.by_partner') ORDER BY 1"
figures by-edge "SELECT src_public, count(*) $F GROUP BY 1" \
    "SELECT value ->> 'edge', value ->> 'failures' FROM j, json_each(r, '$.by_edge')"
figures by-leg "SELECT leg, count(*) $F GROUP BY 1" \
    "SELECT value ->> 'leg', value ->> 'failures' FROM j, json_each(r, '$.by_leg')"
figures by-verdict "SELECT verdict, count(*) AS n, sum(attempts), sum(syns) $F GROUP BY 1 ORDER BY n DESC" \
    "SELECT value ->> 'verdict', value ->> 'failures', value ->> 'attempts', value ->> 'syns' FROM j, json_each(r, '$.by_verdict')"
figures by-ports "SELECT dst_port_from, dst_port_to, sum(connected + refused + timeout + other) AS n, sum(connected) $T
    GROUP BY 1, 2 ORDER BY 1" "SELECT value ->> 'port_from', value ->> 'port_to', value ->> 'attempts', value ->> 'connected'
    FROM j, json_each(r, '$.by_port_range') ORDER BY 1"
figures ports-failures "SELECT count(*) $F AND dst_port BETWEEN 50000 AND 59999" \
    "SELECT value ->> 'failures' FROM j, json_each(r, '$.by_port_range') WHERE value ->> 'port_from' = 50000"
figures by-hour "SELECT substr(first_seen, 1, 13), count(*) $F GROUP BY 1" \
    "SELECT substr(value ->> 'hour', 1, 13), value ->> 'failures' FROM j, json_each(r, '$.by_hour')"
figures hour-attempts "SELECT hour, sum(connected + refused + timeout + other) $T GROUP BY 1" \
    "SELECT value ->> 'hour', value ->> 'attempts' FROM j, json_each(r, '$.by_hour')"
figures new "SELECT dst_addr, count(*) $F AND dst_addr NOT IN (SELECT dst_addr FROM failures WHERE first_seen < '$since' AND
    last_seen >= '2026-01-23T18:00:00.000000Z') GROUP BY 1 ORDER BY 2 DESC, 1" \
    "SELECT value ->> 'partner', value ->> 'failures' FROM j, json_each(r, '$.new_partners')"
figures over "SELECT dst_addr, count(*) FROM failures WHERE first_seen < '$since' AND last_seen >=
    '2026-01-23T18:00:00.000000Z' AND dst_addr NOT IN (SELECT dst_addr $F) GROUP BY 1" \
    "SELECT value ->> 'partner', value ->> 'failures' FROM j, json_each(r, '$.ended_partners')"
figures findings "SELECT code, count(*) AS n FROM findings JOIN failures ON scope = 'failure:' || id WHERE severity = 'failure'
    AND first_seen >= '$since' GROUP BY 1 ORDER BY n DESC" "SELECT value ->> 'code', value ->> 'failures' FROM j,
    json_each(r, '$.findings') WHERE value ->> 'scope' = 'failure'"
figures blind "SELECT sum(kernel_drops + nic_drops + ring_drops), count(*) * 60 FROM health WHERE from_time >= '$since' AND
    kernel_drops + nic_drops + ring_drops > 0" "SELECT sum(value ->> 'lost'), CAST(sum(round((julianday(value ->> 'to_time')
    - julianday(value ->> 'from_time')) * 86400)) AS INTEGER) FROM j, json_each(r, '$.blind')"
unreachable=$(sql "SELECT count(*) || ' partners unreachable on 50000-59999 since ' || substr(min(t), 12, 5) || '; ' ||
    sum(a) || ' of ' || sum(a) || ' attempts refused; new.' FROM (SELECT dst_net, sum(refused) AS a, sum(connected) AS c $T AND
    dst_port_from = 50000 GROUP BY 1) JOIN (SELECT $NET AS net, min(first_seen) AS t $F GROUP BY 1) ON net = dst_net WHERE c = 0")
same sentence "$unreachable" "$(told "SELECT r ->> '$.sentence' FROM j")"

# ---- partners by their names ----
# seen in certificates at the address, or of the callee's domain; the report asks the view once a group, here once a row
cp "$db" named.db
sqlite3 named.db "INSERT INTO tls_peer VALUES ('198.18.1.5', 'edge.one.example', 'one.example', 1), ('198.18.2.5', 'edge.two.example', 'two.example', 1),
    ('192.0.2.9', 'sip.five.example', 'partner5.example', 1); UPDATE failure SET partner = 'own.name.example' WHERE dst_addr = '198.18.7.5' AND id % 2"
named() { sqlite3 -batch -noheader named.db "$1"; }
"$edgewatch" -q --db named.db report --since $since --until $until -f json >r.json || not_ok named-json "exit code $?"
want=$(named "SELECT coalesce(partner, dst_addr) AS p, count(*) AS n, count(DISTINCT call_id) $F GROUP BY 1 ORDER BY n DESC, 1")
same named-partners "$want" "$(told "SELECT value ->> 'partner', value ->> 'failures', value ->> 'calls' FROM j, json_each(r, '$.by_partner')")"
same names-are-used 4 "$(grep -cE '^(edge.one|edge.two|sip.five|own.name).*example' <<<"$want")"
same named-heat "$(head -n 20 <<<"$want" | cut -d'|' -f1)" "$(told "SELECT value ->> 'partner' FROM j, json_each(r, '$.partner_ports') GROUP BY 1 ORDER BY min(key)")"
same named-new "$(named "SELECT coalesce(partner, dst_addr) AS p, count(*) $F AND p NOT IN (SELECT coalesce(partner, dst_addr) FROM failures WHERE first_seen <
    '$since' AND last_seen >= '2026-01-23T18:00:00.000000Z') GROUP BY 1 ORDER BY 2 DESC, 1")" \
    "$(told "SELECT value ->> 'partner', value ->> 'failures' FROM j, json_each(r, '$.new_partners')")"
same partner-note 1 "$(told "SELECT r ->> '$.notes.by_partner' LIKE '%all of the partner''s network (/24, /48)%' FROM j")"
"$edgewatch" -q --db named.db report --since $since --until $until -f html -o named.html
heat=$(sed -n '/Partners by port range/,/<\/svg>/p' named.html)
same named-picture "yes yes" "$(for n in edge.two.example edge.one.example; do grep -q ">$n<" <<<"$heat" && echo yes; done | xargs)"
grep -q "all of the partner&#39;s network (/24, /48)\|all of the partner's network (/24, /48)" named.html && ok partner-note-html || not_ok partner-note-html "no note beside the table"

# ---- a night with 100,000 failures, of more kinds than are held at once ----
if [ -z "${EDGEWATCH:-}" ]; then
    tests=$root/tests
    (cd "$root" && "$tests/help/night.sh" "$work/big.db" 100000 "$edgewatch") || not_ok big-night "cannot be made"
    big() { sqlite3 -batch -noheader big.db "$1"; }
    spent() { # seconds of CPU and MB of the last report
        /usr/bin/env bash -c 'TIMEFORMAT="%U %S"; time "$0" "$@"' "$edgewatch" -q --db big.db report --since $since --until $until "$@" 2>&1 >big.out | tail -n 1 | awk '{ print $1 + $2 }'
    }
    cpu=$(spent -f html)
    awk -v t="$cpu" 'BEGIN { exit !(t < 2) }' && ok "big-night-in-time ($cpu s)" || not_ok big-night-in-time "$cpu s of CPU, 2 are allowed"
    sqlite3 big.db "UPDATE failure SET callee = 'sip:u@d' || id || '.example', local_candidate = 'relay TCP-PASS 203.0.113.1:' || src_port WHERE id <= 52000"
    (ulimit -v 120000; "$edgewatch" -q --db big.db report --since $since --until $until -f json >r.json) || not_ok big-night-memory "exit code $?"
    same big-night "$(big "SELECT count(*), count(DISTINCT call_id), count(DISTINCT dst_addr) $F")" \
        "$(told "SELECT r ->> '$.totals.failures', r ->> '$.totals.failed_calls', r ->> '$.totals.partners' FROM j")"
    same big-partners "$(big "SELECT dst_addr, count(*) AS n, count(DISTINCT call_id), min(first_seen), max(last_seen) $F GROUP BY 1 ORDER BY n DESC, 1")" \
        "$(told "SELECT value ->> 'partner', value ->> 'failures', value ->> 'calls', value ->> 'first_seen', value ->> 'last_seen' FROM j, json_each(r, '$.by_partner')")"
fi

# ---- the rest is counted ----
sqlite3 "$db" "UPDATE failure SET dst_addr = '198.51.' || (id % 30) || '.' || (id % 7) WHERE id <= 1500" ".exit"
ew report --since $since --until $until >many.txt
same rest-is-counted "$(sql "SELECT count(*) || ' ' || sum(n) FROM (SELECT count(*) AS n $F GROUP BY dst_addr ORDER BY n DESC,
    dst_addr LIMIT -1 OFFSET 20)")" "$(sed -n '/^BY PARTNER/,/^BY EDGE/s/^ *\.\.\. and \([0-9]*\) more, with \([0-9]*\) failures/\1 \2/p' many.txt)"

# ---- text ----
tests_width() { awk -v most="$2" 'length($0) > most { n++ } END { exit n > 0 }' "$1"; }
if tests_width many.txt 80; then ok text-fits-80; else not_ok text-fits-80 "$(awk 'length($0) > 80' many.txt | head -n 1)"; fi
if LC_ALL=C grep -q '[^ -~]' many.txt; then not_ok text-is-plain "control or foreign bytes"; else ok text-is-plain; fi

# ---- pages ----
ew report --since $since --until $until -f html -o night.html || not_ok night.html "exit code $?"
ew report --since $since --until $until --by partner -f html -o partners.html || not_ok partners.html "exit code $?"
ew report --days 7 --day 2026-01-30 -f html -o week.html || not_ok week.html "exit code $?"
ew report --since 2026-03-01 --until 2026-03-02 -f html -o dark.html || not_ok dark.html "exit code $?"
ew report --since 2026-01-26T18:00Z --until 2026-01-27T08:00Z -f html -o empty.html || not_ok empty.html "exit code $?"
ew report --since 2026-01-23T18:00Z --until 2026-01-24T08:00Z -f html -o first.html || not_ok first.html "exit code $?"
for id in 5 7; do # hostile names
    ew show $id -f html -o show$id.html || not_ok show$id.html "exit code $?"
done
pages='night partners week dark empty first show5 show7'
for page in $pages; do
    if grep -qE '<script|javascript:|style=| on[a-z]+=|https?:|@import|<(img|link|iframe|object)' $page.html; then
        not_ok "$page-is-self-contained" "$(grep -oE '.{20}(<script|javascript:|style=| on[a-z]+=|https?:|@import|<img|<link).{20}' $page.html | head -n 1)"
    else
        ok "$page-is-self-contained"
    fi
done
if grep -q '&lt;script&gt;alert(1)&lt;/script&gt;' partners.html; then ok hostile-text-is-text; else not_ok hostile-text-is-text missing; fi
if grep -q '&lt;script&gt;alert(1)&lt;/script&gt;' show5.html; then ok hostile-name-is-text; else not_ok hostile-name-is-text missing; fi
if LC_ALL=C grep -q "$(printf '\342\200\256')" ./*.html; then not_ok no-bidi-override "U+202E stands in a page"; else ok no-bidi-override; fi
grep -q 'saw no packets in this time' dark.html && ok dark-night-says-so || not_ok dark-night-says-so "$(grep '<h1>' dark.html)"
grep -q '<h1>Nothing failed: 0 calls, no attempt of a relay seen.' empty.html && ok empty-night-says-so || not_ok empty-night-says-so "$(grep '<h1>' empty.html)"

if bin=$("$root/tests/help/node.sh" 2>why); then
    for page in $pages; do
        found=$("$bin/html-validate" --config "$root/tests/help/html-validate.json" $page.html 2>&1) &&
            ok "$page-validates" || not_ok "$page-validates" "$found"
    done
else
    skip html-validates "$(cat why)"
fi
finish
