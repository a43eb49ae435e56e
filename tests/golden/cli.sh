#!/bin/bash
# The command line from outside: exit codes, where output goes, formats, help, times, configuration.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
samples=$PWD/pcaps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset EDGEWATCH_DB EDGEWATCH_CONFIG COLUMNS
export TZ=UTC
cd "$work" || exit 1

# Runs edgewatch; leaves $code, and what it wrote in the files out and err.
run() { # ARGUMENT...
    "$edgewatch" "$@" >out 2>err </dev/null
    code=$?
}

# Exit code and a pattern that standard error must have ("" = nothing on it).
ends() { # NAME CODE PATTERN ARGUMENT...
    local name=$1 want=$2 pattern=$3
    shift 3
    run "$@"
    if [ $code != "$want" ]; then
        not_ok "$name" "exit code $code, not $want: $(head -n 1 err)"
    elif [ -z "$pattern" ] && [ -s err ]; then
        not_ok "$name" "standard error is not empty: $(head -n 1 err)"
    elif [ -n "$pattern" ] && ! grep -qe "$pattern" err; then
        not_ok "$name" "standard error lacks '$pattern': $(head -n 1 err)"
    else
        ok "$name"
    fi
}

holds() { # NAME COMMAND...: it succeeds
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "$* is not so"; fi
}

# ---- reading ----
ends read 0 'failures *1 refused' --db a.db read --sensor s "$samples/incident1-sip-internal.pcap" \
    "$samples/incident1-external.pcap"
same read-is-silent-on-stdout "" "$(cat out)"
ends read-options-behind-files 0 "" read "$samples/incident1-external.pcap" --db b.db --quiet
ends read-exit-code 1 "" -q --db c.db read --exit-code --sensor s "$samples/incident1-sip-internal.pcap" \
    "$samples/incident1-external.pcap"
# the failure that two runs make together, whichever comes last
for order in "sip-internal external" "external sip-internal"; do
    rm -f j.db*
    run -q --db j.db read --sensor s "$samples/incident1-${order% *}.pcap"
    ends "read-exit-code-joined-$order" 1 'failures *1 refused' --db j.db read --exit-code --sensor s \
        "$samples/incident1-${order#* }.pcap"
    ends "read-exit-code-of-other-sensors-$order" 0 'failures *1 for information' --db j.db read --exit-code --sensor t \
        "$samples/incident1-sip-internal.pcap"
    ends "read-exit-code-of-another-day-$order" 0 'failures *none' --db j.db read --exit-code --sensor s \
        "$samples/verdict-connected.pcap"
done
for nat in --nat=10.3.0.40=9.9.9.9 -q; do
    run --db w.db read "$nat" --sensor s "$samples/incident1-sip-internal.pcap" "$samples/incident1-external.pcap"
done
same read-a-wrong-alias-is-mended "2.2.2.2 A" "$(sqlite3 -separator ' ' w.db "SELECT src_public, grade FROM failures WHERE verdict = 'refused'")"
run --db w.db report --day 2012-12-10 --format json
same read-a-wrong-alias-hides-no-attempts "2.2.2.2 1" "$(sqlite3 -separator ' ' :memory: "SELECT value ->> 'edge',
    value ->> 'attempts' FROM json_tree(readfile('out')) WHERE type = 'object' AND value ->> 'edge' IS NOT NULL")"
ends read-stdin-empty 65 'stdin' --db d.db read -
"$edgewatch" --db d.db read - <"$samples/incident1-external.pcap" 2>err
same read-stdin "0 stdin" "$? $(grep -o 'stdin' err | head -n 1)"

printf 'this is no capture\n' >garbage
: >empty
head -c 400 "$samples/incident1-external.pcap" >cut.pcap
ends read-garbage 65 garbage --db e.db read garbage
ends read-empty 65 empty --db e.db read empty
ends read-cut 65 'cut.pcap.*offset' --db e.db read cut.pcap
# file header 24, then records of 16 + 66 and 16 + 60 in turn: the fifth ends beyond 400
same read-cut-keeps-what-was-before 4 "$(sqlite3 e.db 'SELECT sum(packets) FROM health WHERE interface = "cut.pcap"')"
ends read-missing 66 'nowhere.pcap: No such file' --db e.db read nowhere.pcap
ends read-bad-filter 64 'filter' --db e.db read --filter 'no such words' "$samples/incident1-external.pcap"
ends read-no-file 64 'FILE... is missing' read
ends read-key-missing 78 'nokey' --db e.db read --tls-key nokey cut.pcap
printf -- '-----BEGIN PRIVATE KEY-----\n' >key.pem
printf '\x30\x82\x01\x00' >key.der
ends read-key-is-damaged 78 'key.pem: is no private key' --db e.db read --tls-key key.pem cut.pcap
ends read-key-is-damaged-der 78 'key.der: is no private key' --db e.db read --tls-key key.der cut.pcap
ends read-passphrase-form 64 'none of file:PATH' --db e.db read --tls-passphrase sesame cut.pcap
printf 'CLIENT_RANDOM 00 11\n' >bad.log
ends read-keylog-damaged 65 'no secret in it' --db e.db read --keylog bad.log cut.pcap
ends read-key-is-none 78 'garbage: is no private key' --db e.db read --tls-key garbage cut.pcap
ends read-key-is-empty 78 'empty: is no private key' --db e.db read --tls-key empty cut.pcap
ends read-key-is-a-directory 78 'is not a file' --db e.db read --tls-key . cut.pcap
ends read-keylog-is-a-directory 78 'is not a file' --db e.db read --keylog . cut.pcap
ends read-nat-of-two-families 64 'one family' --db e.db read --nat 10.0.0.1=2001:db8::1 cut.pcap
ends read-database-without-a-name 64 'names no file' --db "" read cut.pcap
ends read-no-directory 74 'nowhere' --db nowhere/x.db read cut.pcap
ends read-not-a-database 74 garbage --db garbage read cut.pcap

# ---- lists ----
for list in failures calls allocations health; do
    ends "$list" 0 "" --db a.db $list
    holds "$list-table" [ -s out ]
    run --db a.db $list --format csv
    same "$list-csv" "$(sqlite3 a.db "SELECT group_concat(name) FROM pragma_table_info('$list')")" \
        "$(head -n 1 out | tr -d '\r')"
    run --db a.db $list --format json
    same "$list-json" "$(sqlite3 a.db "SELECT count(*) FROM $list")" \
        "$(sqlite3 :memory: "SELECT json_array_length(readfile('out'))")"
    run --db a.db $list --format jsonl
    same "$list-jsonl" "$(sqlite3 a.db "SELECT count(*) FROM $list")" "$(wc -l <out)"
done
for list in failures calls allocations health; do
    run --db a.db $list --all -f csv
    same "$list-all" "0 $(sqlite3 a.db "SELECT count(*) FROM $list")" "$code $(($(wc -l <out) - 1))"
done
run --db a.db calls --addr 1.1.1.1 -f jsonl
same calls-of-a-candidate 1 "$(wc -l <out)"
run --db a.db calls --addr 1.1.1.9 -f jsonl
same calls-of-another-address 0 "$(wc -l <out)"
ends no-rows-are-said 0 'no failures here' --db a.db failures --since 2020-01-01
same no-rows-no-table "" "$(cat out)"
ends no-rows-says-where 0 'failures from 2012-12-10 10:43:[0-9]* to 2012-12-10 10:4' --db a.db failures --addr 192.0.2.77
same no-rows-one-line 1 "$(wc -l <err)"
ends clock-day-is-said 0 "times read as UTC (+00:00), 00:01 as of $(date +%F)" --db a.db failures --since 00:01
ends failures-exit-code 1 "" --db a.db failures --exit-code
ends failures-exit-code-none 0 'no failures' --db a.db failures --exit-code --user nobody
ends filters 0 "" --db a.db failures --verdict refused --addr 1.1.1.1 --user USER1 -f jsonl
same filters-find-it 1 "$(wc -l <out)"
ends filter-other 0 'no failures' --db a.db failures --verdict timeout
ends around 0 'times read as UTC (+00:00)' --db a.db failures --around 2012-12-10T10:45 -f jsonl
same around-finds-it 1 "$(wc -l <out)"
ends around-too-far 0 'no failures' --db a.db failures --around 2012-12-10T10:52Z
ends around-within 0 "" --db a.db failures --around 2012-12-10T10:52Z --within 10m
export TZ=Europe/Berlin
ends zone-is-said 0 'times read as Europe/Berlin (+01:00)' --db a.db failures --since 2012-12-10
ends zone-is-local 0 'Europe/Berlin (+01:00)' --db a.db failures --around 2012-12-10T11:44 -f jsonl
same zone-finds-it 1 "$(wc -l <out)"
export TZ=UTC
ends bad-period 64 'ends before' --db a.db failures --since 2012-12-12 --until 2012-12-10
ends bad-time 64 'banana' --db a.db failures --since banana
ends within-what 64 '--within needs --around' --db a.db failures --within 5m
ends bad-finding 64 'nope.*silent-drop' --db a.db failures --finding nope
for code in $(awk '$1 == "finding" { for (i = 2; i <= NF; i++) print $i }' "$samples/INDEX" | sort -u); do
    ends "finding-$code" 0 "no failures" --db a.db failures --finding "$code" --user nobody
done
ends no-database 74 'none.db' --db none.db failures
ends not-a-database 74 'garbage' --db garbage failures
ends an-empty-file-is-none 74 'empty: is no edgewatch database' --db empty failures
same an-empty-file-stays-empty 0 "$(stat -c %s empty)"

run --db a.db failures --addr 10.3.0.34 -f jsonl # the relay's server, in no column of failures
same failures-of-a-server 1 "$(wc -l <out)"
run --db a.db failures --addr 10.3.0.35 -f jsonl
same failures-of-no-server 0 "$(wc -l <out)"
ends around-with-zone 0 'as of' --db a.db failures --around 10:43Z

# ---- show, export, report, decode ----
ends show 0 "" --db a.db show 1
holds show-ladder grep -q 'SYN again' out
same show-80-columns "" "$(awk 'length > 80' out)"
ends show-json 0 "" --db a.db show --format json 1
cp a.db odd.db
sqlite3 odd.db "UPDATE failure SET caller = 'a' || char(0x85) || 'b' || char(0x202e) || 'c' || char(0x2066, 0xfc, 0x7f, 0x7a)"
for command in 'failures -f json' 'failures -f jsonl' 'show 1 -f json' 'report --day 2012-12-10 -f json'; do
    run --db odd.db $command
    same "json-escapes-${command%% *}-${command##* }" 0 "$(LC_ALL=C grep -cP '\xc2\x85|\xe2\x80\xae|\xe2\x81\xa6' out)"
done
run --db odd.db failures -f jsonl
same json-escaped 'a\u0085b\u202ec\u2066ü\u007fz' "$(grep -o 'a.u0085[^"]*' out)"
ends show-no-id 66 'no failure 99' --db a.db show 99
ends show-not-an-id 64 '"x" is not an ID' --db a.db show x
ends export 0 '6 packets' --db a.db export 1 -o x.pcapng
same export-tshark "0x0002 0x0014 0x0002 0x0014 0x0002 0x0014" \
    "$(tshark -r x.pcapng -T fields -e tcp.flags 2>/dev/null | xargs)"
ends show-html 0 "" --db a.db show 1 -f html -o s.html
holds show-html-is-a-page grep -q '^<!DOCTYPE html>$' s.html
ends show-file-nowhere 73 'nowhere/s' --db a.db show 1 -f html -o nowhere/s.html
ends show-form 64 'none of text, html, json' --db a.db show 1 -f csv
ends export-no-id 66 'no failure 99' --db a.db export 99 -o y.pcapng
holds export-leaves-nothing [ ! -e y.pcapng ]
ends export-no-output 73 'nowhere/x' --db a.db export 1 -o nowhere/x.pcapng
ends export-where 64 '\-o FILE' --db a.db export 1
ends report 0 "" --db a.db report --day 2012-12-10
same report-sentence-first '1.1.1.1 unreachable on 50000-59999 since 10:43; 1 of 1 attempts refused; nothing' "$(sed -n 3p out)"
ends report-file 0 "" --db a.db report --day 2012-12-10 --format json -o r.json
same report-json 1 "$(sqlite3 :memory: "SELECT json_extract(readfile('r.json'), '$.totals.failures')")"
ends report-no-output 73 'nowhere/r' --db a.db report --day 2012-12-10 -o nowhere/r
ends report-html 0 '' --db a.db report --day 2012-12-10 --format html -o r.html
holds report-html-is-one-page grep -q '^</html>$' r.html
ends report-days-and-night 64 'days goes with' --db a.db report --days 7 --last-night
ends report-by 64 'is not partner' --db a.db report --by edge
ends report-hint 0 'report --day 2012-12-10' --db a.db report
ends report-two-periods 64 'one of' --db a.db report --day 2012-12-10 --last-night
ends decode 0 "" decode 0x320
same decode-sum 'ICEWarn 0x320 = 0x20 + 0x100 + 0x200' "$(head -n 1 out)"
ends decode-nonsense 64 'neither' decode nonsense
ends decode-too-long 64 'neither' decode 0xffffffffff
run decode '24; reason="x"; CallerMediaDebug="audio:ICEWarn=0x20"'
same decode-no-sites 0 "$(grep -c RemoteMR out)"
run decode '24; reason="x"; CallerMediaDebug="audio:ICEWarn=0x20,LocalSite=10.1.2.3:5,LocalMR=2.2.2.2:6"'
same decode-no-remote-relay 1 "$(grep -c 'RemoteMR.*offered none' out)"
"$edgewatch" decode 0x320 >/dev/full 2>err
same full-disk 73 $?

# ---- commands, help, configuration ----
ends no-command 64 usage
ends unknown-command 64 'did you mean failures' failurs
ends unknown-option 64 'did you mean --verdict' failures --verdit x
ends not-yet 64 'unknown command' frobnicate
ends version 0 "" --version
same version-text "edgewatch $(sed -n '1s/^edgewatch \([0-9.]*\).*/\1/p' "$samples/../CHANGES")" "$(cat out)"
for command in read monitor failures calls allocations health show export report doctor decode; do
    ends "help-$command" 0 "" help $command
    cp out help
    ends "$command-help" 0 "" $command --help
    same "help-$command-same" "$(cat help)" "$(cat out)"
    for part in usage: 'exit codes' examples; do
        holds "help-$command-${part% *}" grep -q "$part" help
    done
done
printf '[storage]\ndb = a.db\n' >good.conf
printf '[storage]\nbd = a.db\n' >bad.conf
ends config 0 "" --config good.conf failures
ends config-line 78 'bad.conf:2: unknown key "bd"' --config bad.conf failures
ends config-missing 78 'no.conf' failures --config no.conf
EDGEWATCH_CONFIG=bad.conf ends config-environment 78 'bad.conf:2' failures
EDGEWATCH_DB=a.db ends database-environment 0 "" failures
ends monitor-no-interface 64 'no interface' monitor
ends monitor-unknown-interface 69 'nosuch0' --db f.db monitor -i nosuch0
same monitor-says-it-once 1 "$(grep -io 'no such device' err | wc -l)"

finish
