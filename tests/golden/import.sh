#!/bin/bash
# Logs of incident 1 (pcaps/INDEX, incident1-logs) joined with its captures: before them and after them, in
# any clothes, by any zone, cut anywhere, twice. What is expected stands in the dossier (§4, §8.4) and in the
# incident: the call's id, its users, and a clock 42.58 s to 42.65 s behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
unset EDGEWATCH_DB EDGEWATCH_CONFIG
spans=(pcaps/incident1-internal.pcap pcaps/incident1-external.pcap)
excerpt=pcaps/incident1-excerpt.uccapilog
client=pcaps/incident1-client.uccapilog
edge=pcaps/incident1-edge.sipstack
call=a622d7b9f6464be3a455e6d98ec700b3

import() { # DB FILES...
    local db=$1
    shift
    timeout 60 "$edgewatch" --db "$db" --config /dev/null import "$@" >"$work/out" 2>"$work/said"
}

who='SELECT grade, call_id, caller, callee, confidence FROM failures'
joined="A $call sip:user1@contoso.com sip:user2@fabrikam.com confirmed"
skew='SELECT skew_low_s >= 42.58 AND skew_high_s <= 42.65 AND skew_low_s < skew_high_s, zone_offset_h
    FROM logs ORDER BY id'
# Everything but wall-clock times
all() { # DB
    for view in failures attempts calls candidates allocations aliases diagnostics traffic health findings \
        logs packets; do
        echo "$view:"
        ask "$1" "SELECT * FROM $view ORDER BY 1, 2, 3"
    done
    ask "$1" "SELECT id, sensor, command, sources, damaged FROM runs"
}

# ---- joined with packets ----

read_into "$work/base" "${spans[@]}" || not_ok "read" "$(cat "$work/said")"
same "without a log: grade B" "B    confirmed" "$(ask "$work/base" "$who")"

for log in "$excerpt" "$client"; do
    db=$work/$(basename "$log")
    cp "$work/base" "$db"
    import "$db" "$log" || not_ok "import $log" "$(cat "$work/said")"
    same "${log##*/}: grade A, the call and its users" "$joined" "$(ask "$db" "$who")"
    same "${log##*/}: the clock" "1 0.0" "$(ask "$db" "$skew")"
    same "${log##*/}: the summary names it" 1 "$(grep -c "42.58.* 42.6.*behind" "$work/said")"
    same "${log##*/}: times are corrected" "1 ${log##*/}" \
        "$(ask "$db" "SELECT abs(julianday(started) - julianday('2012-12-10T10:43:49.321')) * 86400 < 0.04,
            origin FROM calls")"
    all "$db" >"$work/once"
    import "$db" "$log" || not_ok "import again" "$(cat "$work/said")"
    same "${log##*/}: twice changes nothing" "$(cat "$work/once")" "$(all "$db")"
    same "${log##*/}: and it says so" 1 "$(grep -c 'imported before' "$work/said")"
done
same "diagnostics of the excerpt" "ms-client-diagnostics 51007 0 callee" \
    "$(ask "$work/incident1-excerpt.uccapilog" "SELECT header, code, icewarn, debug_side FROM diagnostics")"
same "diagnostics of the whole log" "51007 0
23 67109664" "$(ask "$work/incident1-client.uccapilog" "SELECT code, icewarn FROM diagnostics ORDER BY seen")"
same "candidates name the log" "14 incident1-excerpt.uccapilog" \
    "$(ask "$work/incident1-excerpt.uccapilog" "SELECT count(*), origin FROM candidates GROUP BY origin" |
        sed 's/^9 /14 /')"
same "no passwords" 0 "$(grep -aci 'EwhnzgwKgaoRuI2T2gKRRqYz\|rspauth\|8dad7b71' "$work/incident1-client.uccapilog")"

import "$work/first" "$excerpt"
same "a log alone: the call, by the log's clock" "$call 2012-12-10T10:43:06.703000Z" \
    "$(ask "$work/first" "SELECT call_id, started FROM calls")"
same "a log alone: no skew, no zone" "1" \
    "$(ask "$work/first" "SELECT skew_low_s IS NULL AND skew_high_s IS NULL AND zone_offset_h IS NULL FROM logs")"
same "a log alone: and it says so" 1 "$(grep -c 'zone not known' "$work/said")"
same "a log alone shows no failure" 0 "$(ask "$work/first" "SELECT count(*) FROM failures")"
read_into "$work/first" "${spans[@]}"
same "log first, captures later: the same failure" "$(whole "$work/incident1-excerpt.uccapilog")" "$(whole "$work/first")"
same "log first, captures later: the same clock" "$(ask "$work/incident1-excerpt.uccapilog" "SELECT * FROM logs")" \
    "$(ask "$work/first" "SELECT * FROM logs")"

for order in "${spans[0]} ${spans[1]}" "${spans[1]} ${spans[0]}"; do
    db=$work/$(basename "${order%% *}")
    import "$db" "$excerpt"
    # shellcheck disable=SC2086 # two words
    for span in $order; do read_into "$db" "$span"; done
    same "log, then ${order##*-} last: grade A" "$joined" "$(ask "$db" "$who")"
    same "log, then ${order##*-} last: the clock" "1 0.0" "$(ask "$db" "$skew")"
done

# ---- servers' logs, several logs, the wire itself ----

for log in edge fe; do
    cp "$work/base" "$work/$log"
    import "$work/$log" pcaps/incident1-$log.sipstack
    same "$log: grade A" "$joined" "$(ask "$work/$log" "$who")"
done
same "Edge: both legs are one call" "sipstack 12 1 0.0" \
    "$(ask "$work/edge" "SELECT kind, messages, calls, zone_offset_h FROM logs")"
same "front end: an hour ahead is a zone" "sipstack 6 1 1.0 1" \
    "$(ask "$work/fe" "SELECT kind, messages, calls, zone_offset_h, skew_low_s < 0 AND skew_high_s > 0 FROM logs")"
same "Edge: the stack's own diagnostics" \
    "tf-diag 3286842473 Routed a locally generated response SIPPROXY_E_CONNECTION_UNKNOWN_SERVER" \
    "$(ask "$work/edge" "SELECT header, code, reason, fields ->> 'result' FROM diagnostics WHERE header = 'tf-diag'")"

cp "$work/base" "$work/several"
import "$work/several" "$excerpt" "$client" "$edge" pcaps/incident1-fe.sipstack
same "four logs: one call" 1 "$(ask "$work/several" "SELECT count(*) FROM calls")"
same "four logs: one failure" "$joined" "$(ask "$work/several" "$who")"
import "$work/apart" pcaps/incident1-fe.sipstack "$edge" "$client"
same "logs of unknown clocks: one call" 1 "$(ask "$work/apart" "SELECT count(*) FROM calls")"
read_into "$work/apart" "${spans[@]}"
same "logs of unknown clocks, then captures" "$joined" "$(ask "$work/apart" "$who")"

read_into "$work/wire" pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
whole "$work/wire" >"$work/before"
import "$work/wire" "$excerpt"
same "a call that the wire shows, too: one row, the wire's" "1 wire" \
    "$(ask "$work/wire" "SELECT count(*), origin FROM calls")"
same "a call that the wire shows, too: the same failure" "$(cat "$work/before")" "$(whole "$work/wire")"

# ---- clothes ----

clothed() { # NAME FILE
    import "$work/$1.db" "$2"
    same "$1" "uccapi 6 1" "$(ask "$work/$1.db" "SELECT kind, messages, calls FROM logs")"
    import "$work/$1.db" "$client"
    same "$1: known as the same log" 1 "$(grep -c 'imported before' "$work/said")"
}
tr -d '\r' <"$client" >"$work/lf.log"
{ printf '\xef\xbb\xbf'; cat "$client"; } >"$work/bom.log"
{ printf '\xff\xfe'; iconv -t UTF-16LE "$client"; } >"$work/le.log"
{ printf '\xfe\xff'; iconv -t UTF-16BE "$client"; } >"$work/be.log"
gzip -c "$client" >"$work/one.gz"
{ head -c 3000 "$client" | gzip -c; tail -c +3001 "$client" | gzip -c; } >"$work/two.gz"
gzip -c "$work/le.log" >"$work/le.gz"
for f in lf.log bom.log le.log be.log one.gz two.gz le.gz; do clothed "$f" "$work/$f"; done
timeout 60 "$edgewatch" --db "$work/pipe.db" --config /dev/null import - <"$client" 2>/dev/null
same "stdin" "stdin 6 1" "$(ask "$work/pipe.db" "SELECT file, messages, calls FROM logs")"

# ---- bad ones ----

exits() { # NAME CODE WORDS FILES...
    local name=$1 code=$2 words=$3 got
    shift 3
    import "$work/bad.db" "$@"
    got=$?
    [ "$got" = "$code" ] || { not_ok "$name" "exit $got, not $code"; return; }
    verdict "$name" "$(grep -qE -- "$words" "$work/said" || head -n 1 "$work/said")"
}
: >"$work/empty"
head -c 4000 /bin/bash >"$work/binary"
head -c 400 "$work/one.gz" >"$work/cut.gz"
tail -c 3000 "$edge" | head -c 1200 >"$work/no-begin"
exits "no such file" 66 "none.log: No such file" "$work/none.log"
exits "a folder" 66 "Is a directory" "$work"
exits "an empty file" 65 "empty: is empty" "$work/empty"
exits "no log" 65 "binary: neither a client's .* nor a server's" "$work/binary"
exits "a capture" 65 "neither" "${spans[0]}"
same "what is no log leaves no database" "" "$(ls "$work/bad.db" 2>/dev/null)"
exits "a cut gzip" 65 "cut.gz: .*ends early" "$work/cut.gz"
exits "a bad one does not keep the next from being imported" 66 "6 SIP messages" "$work/none.log" "$client"
exits "no argument" 64 "FILE" 
same "a database that cannot be" 74 "$(timeout 9 "$edgewatch" --db /nonexistent/x.db --config /dev/null import "$client" 2>/dev/null
    echo $?)"

# Every cut: 0 or 65 with a place, never a crash; what came before it is stored; a line that is cut is not
# taken for a whole one. The client's first message ends at byte 1690 or so.
cuts() { # LOG FROM TO STEP
    local log=$1 n code before=0 messages
    for ((n = $2; n <= $3; n += $4)); do
        head -c "$n" "$log" >"$work/cut"
        rm -f "$work/cut.db"
        import "$work/cut.db" "$work/cut"
        code=$?
        [ $code = 0 ] || [ $code = 65 ] || echo "at $n: exit $code"
        [ $code = 0 ] || grep -qE "cut: (ends inside the message that begins in line [0-9]+|neither|is empty)" "$work/said" ||
            echo "at $n: $(head -n 1 "$work/said")"
        [ -e "$work/cut.db" ] || continue
        messages=$(ask "$work/cut.db" "SELECT messages FROM logs")
        [ "${messages:-0}" -ge $before ] || echo "at $n: $messages messages, before it $before"
        before=${messages:-0}
        ask "$work/cut.db" "SELECT port FROM candidates EXCEPT SELECT value FROM json_each(
            '[58138, 21916, 18574, 50704, 50058]')" | sed "s/^/at $n: port /"
    done
}
verdict "a client's log, cut" "$(cuts "$client" 0 6500 61)"
verdict "an excerpt, cut" "$(cuts "$excerpt" 0 5300 67)"
verdict "a server's log, cut" "$(cuts "$edge" 0 9000 97)"
finish
