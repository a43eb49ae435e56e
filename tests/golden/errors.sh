#!/bin/bash
# Bad input and bad circumstances: the exit code of the contract, a message that names the object, and
# what was good is kept.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
edgewatch=$work/edgewatch # where everybody may run it
cp "${EDGEWATCH:-$PWD/edgewatch}" "$edgewatch"
db=$work/good.db
sample=pcaps/incident1-external.pcap
pair=(pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap)
unset EDGEWATCH_DB EDGEWATCH_CONFIG

ew() {
    timeout 60 "$edgewatch" --config /dev/null "$@"
}

# The command ends with the code, and its message has the words.
exits() { # NAME CODE WORDS COMMAND...
    local name=$1 code=$2 words=$3 got
    shift 3
    "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ "$got" != "$code" ]; then
        not_ok "$name" "exit $got, not $code; it said: $(head -n 1 "$work/err")"
    elif [ -n "$words" ] && ! grep -qiE -- "$words" "$work/err"; then
        not_ok "$name" "the message lacks /$words/: $(head -n 1 "$work/err")"
    else
        ok "$name"
    fi
}

# As somebody whom file permissions bind.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

fails() { # DB: failures in it
    sqlite3 -readonly "$1" "SELECT count(*) FROM failures"
}

# ---- captures ----

ew --db "$db" read -q "${pair[@]}" || not_ok "read the samples" "exit $?"
head -c 5000 /dev/zero | tr '\0' 'g' >"$work/garbage.pcap"
: >"$work/empty.pcap"
head -c 10 "$sample" >"$work/short.pcap"
{ head -c 20 "$sample"; printf '\xff\x7f\0\0'; tail -c +25 "$sample"; } >"$work/linktype.pcap"
{ head -c 32 "$sample"; printf '\xff\xff\xff\x7f'; tail -c +37 "$sample"; } >"$work/length.pcap"
exits "a file that is no capture" 65 "garbage.pcap" ew --db "$work/1.db" read "$work/garbage.pcap"
exits "an empty file" 65 "empty.pcap" ew --db "$work/1.db" read "$work/empty.pcap"
exits "half a file header" 65 "short.pcap" ew --db "$work/1.db" read "$work/short.pcap"
exits "a link type that nobody knows" 65 "linktype.pcap.*link" ew --db "$work/1.db" read "$work/linktype.pcap"
exits "a record length that lies" 65 "length.pcap.*offset 24" ew --db "$work/1.db" read "$work/length.pcap"
exits "a missing file" 66 "nowhere.pcap" ew --db "$work/1.db" read "$work/nowhere.pcap"
exits "a folder" 66 "$work" ew --db "$work/1.db" read "$work"
exits "one good file and a missing one" 66 "nowhere.pcap" ew --db "$work/1.db" read "$sample" "$work/nowhere.pcap"
exits "nothing on stdin" 65 "stdin|-:" ew --db "$work/1.db" read -
touch "$work/secret.pcap" && chmod 000 "$work/secret.pcap"
exits "a file without permission" 66 "secret.pcap" as_nobody timeout 60 "$edgewatch" --db "$work/none.db" read "$work/secret.pcap"

cp "$sample" "$work/tail.pcap" && printf 'x' >>"$work/tail.pcap"
exits "a capture with a byte too many" 65 "tail.pcap" ew --db "$work/2.db" read "${pair[0]}" "$work/tail.pcap"
same "what came before the damage is stored" 1 "$(fails "$work/2.db")"
same "the damage is told in runs.damaged" 1 \
    "$(sqlite3 -readonly "$work/2.db" "SELECT count(*) FROM runs WHERE damaged LIKE '%tail.pcap%'")"
ew --db "$work/3.db" read -q - <"$sample" && ok "a capture from stdin" || not_ok "a capture from stdin" "exit $?"

# ---- hostile content beside a good failure: it must still be found ----

# TCP or UDP packets with the payload of a file, in pieces.
packets() { # OUT PIECE-BYTES text2pcap-OPTIONS...   (payload on stdin)
    local out=$1 piece=$2
    shift 2
    split -b "$piece" -d -a 5 - "$work/piece."
    local f
    for f in "$work"/piece.*; do
        od -Ax -tx1 -v "$f"
    done | text2pcap -q -F pcap -4 192.0.2.1,192.0.2.2 "$@" - "$out" 2>/dev/null
    rm -f "$work"/piece.*
}

invite() { # BODY-FILE [HEADER]
    printf 'INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n%s' "${2:-}"
    printf 'From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: hostile\r\nCSeq: 1 INVITE\r\n'
    printf 'Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n' "$(stat -c %s "$1")"
    cat "$1"
}

survives() { # NAME CAPTURE
    local name=$1 code
    rm -f "$work/h.db"*
    ew --db "$work/h.db" read -q "$2" "${pair[@]}" >"$work/out" 2>"$work/err"
    code=$?
    if [ $code != 0 ]; then
        not_ok "$name" "exit $code; it said: $(head -n 1 "$work/err")"
    else
        same "$name" 1 "$(fails "$work/h.db")"
    fi
}

{
    printf 'v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 50000 RTP/AVP 0\r\n'
    for i in {1..5000}; do
        printf 'a=candidate:%d 1 UDP %d 192.0.2.%d %d typ host\r\n' "$i" "$i" $((i % 250 + 1)) $((i + 1024))
    done
} >"$work/sdp"
invite "$work/sdp" | packets "$work/candidates.pcap" 1400 -T 40000,5060
survives "5,000 candidates" "$work/candidates.pcap"
: >"$work/nothing"
invite "$work/nothing" "X: $(head -c 1048576 /dev/zero | tr '\0' 'x')" | packets "$work/header.pcap" 60000 -T 40001,5060
survives "a header line of 1 MB" "$work/header.pcap"
{ printf '\x16\x03\x01\x00\x2d'; printf '\x02\x00\xff\xff'; head -c 70000 /dev/zero; } |
    packets "$work/frame.pcap" 1400 -T 40002,443
survives "a frame length of 65535" "$work/frame.pcap"
printf '\x00\x03\x00\x24\x21\x12\xa4\x42AAAABBBBCCCC\x00\x0f\x00\x04\x72\xc6\x4b\xc6\x00\x06\xff\xff0123456789012345678901234567' |
    packets "$work/attribute.pcap" 1400 -u 40003,3478
survives "an attribute length that lies" "$work/attribute.pcap"
head -c 300000 /dev/urandom | packets "$work/noise.pcap" 1400 -T 40004,5060
survives "noise on port 5060" "$work/noise.pcap"

# ---- databases ----

exits "a database that is not there" 74 "nodb.db" ew --db "$work/nodb.db" failures
exits "a database in a folder that is not there" 74 "nofolder" ew --db "$work/nofolder/x.db" read "$sample"
head -c 8192 /dev/urandom >"$work/random.db"
exits "reading from a file that is no database" 74 "random.db" ew --db "$work/random.db" failures
exits "writing to a file that is no database" 74 "random.db" ew --db "$work/random.db" read "$sample"
sqlite3 "$work/other.db" "CREATE TABLE t (x); INSERT INTO t VALUES (1)"
exits "another program's database, read" 74 "other.db" ew --db "$work/other.db" failures
exits "another program's database, written" 74 "other.db" ew --db "$work/other.db" read "$sample"
same "another program's database is left alone" t "$(sqlite3 "$work/other.db" .tables | tr -d ' ')"
cp "$db" "$work/newer.db" && sqlite3 "$work/newer.db" "PRAGMA user_version = 9999"
exits "a newer database, read" 74 "newer.db.*(newer|version)" ew --db "$work/newer.db" failures
exits "a newer database, written" 74 "newer.db.*(newer|version)" ew --db "$work/newer.db" read "$sample"

cp "$db" "$work/locked.db"
mkfifo "$work/hold"
sqlite3 "$work/locked.db" "PRAGMA locking_mode = EXCLUSIVE" "BEGIN EXCLUSIVE" ".read $work/hold" >/dev/null &
holder=$!
sleep 1
exits "a locked database, written" 74 "locked.db.*lock" ew --db "$work/locked.db" read "$sample"
exits "a locked database, read" 74 "locked.db.*lock" ew --db "$work/locked.db" failures
echo .quit >"$work/hold"
wait $holder 2>/dev/null

mkdir "$work/ro" && cp "$db" "$work/ro/ro.db" && chmod 444 "$work/ro/ro.db" && chmod 555 "$work/ro"
exits "a read-only database, written" 74 "ro.db" as_nobody timeout 60 "$edgewatch" --db "$work/ro/ro.db" read "$sample"
exits "a read-only database, read" 0 "" as_nobody timeout 60 "$edgewatch" --db "$work/ro/ro.db" failures
chmod 755 "$work/ro"

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    exits "a full disk" 74 "full.db|disk" unshare -m sh -c \
        "mkdir $work/small && mount -t tmpfs -o size=64k none $work/small &&
        exec timeout 60 $edgewatch --db $work/small/full.db read ${pair[*]}"
else
    skip "a full disk" "needs root to make a small one"
fi

# ---- arguments ----

exits "no command" 64 "" ew
exits "an unknown command" 64 "fialures" ew fialures
exits "an unknown option" 64 "--frobnicate" ew failures --frobnicate
exits "an option without its value" 64 "verdict" ew --db "$db" failures --verdict
exits "a verdict that does not exist" 64 "tired" ew --db "$db" failures --verdict tired
exits "a format that does not exist" 64 "xml" ew --db "$db" failures --format xml
exits "a time that is none" 64 "teatime" ew --db "$db" failures --around teatime
exits "an alias that is none" 64 "10.0.0.1" ew --db "$work/1.db" read --nat 10.0.0.1 "$sample"
exits "a port range that is none" 64 "9-1" ew --db "$work/1.db" read --relay-ports 9-1 "$sample"
exits "a filter that does not compile" 64 "" ew --db "$work/1.db" read --filter "port of call" "$sample"
exits "read without a file" 64 "" ew --db "$work/1.db" read
exits "show without an ID" 64 "" ew --db "$db" show
exits "show of something that is no ID" 64 "seven" ew --db "$db" show seven
exits "show of an ID that does not exist" 66 "4711" ew --db "$db" show 4711
exits "export of an ID that does not exist" 66 "4711" ew --db "$db" export 4711 -o "$work/x.pcapng"
exits "show of ID 0" 66 "no failure 0" ew --db "$db" show 0
exits "export of ID 0" 66 "no failure 0" ew --db "$db" export 0 -o "$work/x.pcapng"
ew --db "$work/alloc.db" read -q pcaps/verdict-alloc-fail.pcap
exits "export of what has no packets" 66 "no packets are kept" ew --db "$work/alloc.db" export 1 -o "$work/x.pcapng"
same "no file then" "none" "$([ -e "$work/x.pcapng" ] || echo none)"
exits "export to nowhere" 73 "nofolder" ew --db "$db" export 1 -o "$work/nofolder/x.pcapng"
exits "a privacy key that is none" 78 "64 hexadecimal" ew --db "$work/1.db" read --users drop --privacy-key "$sample" "$sample"
exits "a privacy key that is not there" 78 "nokey" ew --db "$work/1.db" read --users drop --privacy-key "$work/nokey" "$sample"
exits "backup to nowhere" 73 "nofolder" ew --db "$db" backup "$work/nofolder/x.db"
exits "backup onto itself" 73 "itself" ew --db "$db" backup "$db"
exits "backup of nothing" 74 "none.db" ew --db "$work/none.db" backup "$work/x.db"
exits "backup to a full disk" 73 "/dev/full" ew --db "$db" backup /dev/full
exits "backup without a file" 64 "" ew --db "$db" backup
exits "backup" 0 "copy of" ew --db "$db" backup "$work/copy.db"
exits "what was copied" 0 "" cmp <(sqlite3 "$db" .dump) <(sqlite3 "$work/copy.db" .dump)
exits "backup in place of an older copy" 0 "copy of" ew --db "$db" backup "$work/copy.db"
: >"$work/mktemp.db"
exits "backup into an empty file" 0 "copy of" ew --db "$db" backup "$work/mktemp.db"
cp "$sample" "$work/precious"
exits "backup in place of something else" 73 "precious.*not replaced" ew --db "$db" backup "$work/precious"
same "it is still there" "same" "$(cmp -s "$sample" "$work/precious" && echo same)"
exits "backup in place of another program's database" 73 "other.db.*not replaced" ew --db "$db" backup "$work/other.db"
cp "$work/copy.db" "$work/busy.db" && printf x >"$work/busy.db-wal"
exits "backup in place of a database in use" 73 "busy.db.*in use" ew --db "$db" backup "$work/busy.db"
exits "report to nowhere" 73 "nofolder" ew --db "$db" report --day 2012-12-10 -o "$work/nofolder/x"
exits "monitor without an interface" 64 "" ew --db "$work/1.db" monitor
exits "decode of nothing known" 64 "" ew decode gibberish

exits "a full device for output" 73 "" sh -c "$edgewatch --config /dev/null --db $db failures --format csv >/dev/full"

exits "failures, with --exit-code" 1 "" ew --db "$db" failures --exit-code
exits "no failures, with --exit-code" 0 "" ew --db "$db" failures --exit-code --user nobody-of-that-name
exits "read, with --exit-code" 1 "" ew --db "$work/4.db" read --exit-code "${pair[@]}"
same "read says nothing on stdout" "" "$(cat "$work/out")"

for command in read monitor failures calls allocations health show export report decode; do
    exits "$command --help" 0 "" ew $command --help
    verdict "$command --help is on stdout" "$([ -s "$work/out" ] || echo "nothing there")"
done

# ---- configuration ----

exits "a configuration that is not there" 78 "noconf" timeout 60 "$edgewatch" --config "$work/noconf" --db "$db" failures
printf '[edge]\nnat = 10.0.0.1\n' >"$work/value.conf"
exits "a bad value in the configuration" 78 "value.conf.*2" timeout 60 "$edgewatch" --config "$work/value.conf" --db "$work/1.db" read "$sample"
printf '[edge]\nnot a line of it\n' >"$work/line.conf"
exits "a bad line in the configuration" 78 "line.conf.*2" timeout 60 "$edgewatch" --config "$work/line.conf" --db "$work/1.db" read "$sample"
printf '[storage]\ndb = %s\n' "$db" >"$work/good.conf"
exits "the database named by the configuration" 1 "" timeout 60 "$edgewatch" --config "$work/good.conf" failures --exit-code
exits "a key file that is not there" 78 "nokey" ew --db "$work/1.db" read --tls-key "$work/nokey" "$sample"

if [ "$(id -u)" = 0 ]; then
    exits "an interface that is not there" 69 "nowhere0" ew --db "$work/1.db" monitor -i nowhere0
    exits "an interface without permission" 77 "lo" as_nobody timeout 60 "$edgewatch" --db "$work/none.db" monitor -i lo
else
    skip "an interface that is not there" "needs root"
    exits "an interface without permission" 77 "lo" ew --db "$work/1.db" monitor -i lo
fi
finish
