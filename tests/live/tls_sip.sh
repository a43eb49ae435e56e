#!/bin/bash
# SIP over TLS, carried by the openssl command between two namespaces: named calls out of it with a server's
# key, a key log, and a key log that is written while we listen; and what failed handshakes become.
#
# usage: tests/live/tls_sip.sh     needs: root, openssl, dumpcap, sqlite3
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need tls_sip openssl dumpcap sqlite3
make_work
add_ns far
add_ns edge
cable far eth0 edge eth0
address far eth0 198.51.100.20/24
address edge eth0 198.51.100.40/24
server=198.51.100.40

cd "$work" || exit 1
ssl() { openssl "$@" >>ssl.log 2>&1; }
certificate() { # NAME SUBJECT-NAME
    ssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.pem" -out "$1.crt" -days 30 \
        -subj "/O=Test/CN=$2" -addext "subjectAltName=DNS:$2"
}
certificate edge sip.contoso.com
certificate far sip.fabrikam.com
ssl req -new -key edge.pem -subj /CN=sip.contoso.com -out old.csr
ssl x509 -req -in old.csr -signkey edge.pem -days -1 -out old.crt
cat edge.crt old.crt >trust.crt
cd "$here/../.." || exit 1

within() { # TENTHS COMMAND...
    local left=$1
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}
listening() { [ -n "$(in_ns edge ss -Hltn "sport = :$1")" ]; }

invite() { # CALL-ID
    local sdp
    sdp=$(printf 'v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 50004 RTP/AVP 0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 50004 typ host\r\n_')
    sdp=${sdp%_}
    printf 'INVITE sip:user2@fabrikam.com SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.20:5061;branch=z9hG4bK%s\r\nFrom: <sip:user1@contoso.com>;tag=a\r\nTo: <sip:user2@fabrikam.com>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$1" ${#sdp} "$sdp"
}

# s_server ends a connection when its input ends: it gets one that never does
mkfifo "$work/silence"
exec 9<>"$work/silence"
serve() { # PORT ARGUMENTS...
    local port=$1
    shift
    (cd "$work" && exec ip netns exec "$lab-edge" openssl s_server -accept "$port" -quiet "$@") \
        <&9 >>"$work/server.$port" 2>&1 &
    started+=($!)
}

# The INVITE from the far side's server; the server's output says when it has come.
call() { # CALL-ID PORT ARGUMENTS...
    local id=$1 port=$2
    shift 2
    within 100 listening "$port" || echo "    no server on $port"
    (
        cd "$work" || exit
        { sleep 0.3 && invite "$id" && within 80 grep -qF "$id" "server.$port" && after_call "$id"; } |
            timeout 15 ip netns exec "$lab-far" openssl s_client -connect "$server:$port" \
                -servername sip.contoso.com "$@" >"client.$id" 2>&1
    ) &
    calls+=($!)
}
# The monitor is told this one's secrets only after it has seen the call, in a key log that was rotated.
after_call() { # CALL-ID
    [ "$1" = followed ] || return 0
    sleep 1
    mv live.keys live.keys.1
    (umask 022 && cat late.keys >live.keys)
    sleep 2
}
calls=()
# shellcheck disable=SC2068
hang_up() { wait ${calls[@]}; calls=(); }

ip netns exec "$lab-edge" dumpcap -q -i eth0 -w "$work/all.pcapng" >"$work/dumpcap.log" 2>&1 &
capture=$!
started+=($capture)
within 100 grep -q '^File:' "$work/dumpcap.log"
sleep 0.3

# a running monitor follows the key log of the last call
: >"$work/live.keys"
chmod 644 "$work/live.keys"
ip netns exec "$lab-edge" "$edgewatch" -q --db "$db" monitor -i eth0 --sip-port 5064 --keylog "$work/live.keys" \
    >"$work/monitor.log" 2>&1 &
monitor=$!
started+=($monitor)

cert="-cert edge.crt -key edge.pem"
# shellcheck disable=SC2086
{
    serve 5061 $cert -tls1_2 -cipher AES128-SHA
    serve 5062 $cert -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384
    serve 5063 $cert -tls1_3
    serve 5064 $cert -tls1_3
    # 5065: mutual, and the client has nothing to show; 5066: expired; 5067: another name; 5068: no common
    # cipher; 5069: another version; 5070: TCP that never answers
    serve 5065 $cert -tls1_2 -Verify 1 -verify_return_error -CAfile far.crt
    serve 5066 -cert old.crt -key edge.pem -tls1_2
    serve 5067 -cert far.crt -key far.pem -tls1_2
    serve 5068 $cert -tls1_2 -cipher AES256-SHA256
    serve 5069 $cert -tls1_3
    serve 5071 $cert -tls1_2 -Verify 1 -CAfile far.crt -cipher AES128-SHA
}
in_ns edge python3 -c '
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 5070)); s.listen(); c, _ = s.accept(); c.recv(9999); time.sleep(1); c.close(); time.sleep(60)' &
started+=($!)

call with-a-server-key 5061 -tls1_2
call with-a-key-log 5062 -tls1_2 -keylogfile one.keys
call with-a-key-log-13 5063 -tls1_3 -keylogfile two.keys
call mutual 5071 -tls1_2 -cert far.crt -key far.pem
hang_up
call followed 5064 -tls1_3 -keylogfile late.keys
hang_up

fail() { # PORT ARGUMENTS...
    local port=$1
    shift
    within 100 listening "$port" || echo "    no server on $port"
    (cd "$work" && timeout 5 ip netns exec "$lab-far" openssl s_client -connect "$server:$port" \
        -servername sip.contoso.com "$@" </dev/null >"client.$port" 2>&1) &
    calls+=($!)
}
fail 5065 -tls1_2
fail 5066 -tls1_2 -verify_return_error -CAfile trust.crt
fail 5067 -tls1_2 -verify_return_error -CAfile far.crt -verify_hostname sip.contoso.com
fail 5068 -tls1_2 -cipher AES128-SHA
fail 5069 -tls1_2
fail 5070 -tls1_2
hang_up
sleep 1
kill -TERM "$capture" "$monitor" 2>/dev/null
wait "$capture" "$monitor" 2>/dev/null

# ---- calls ----

ports=()
for p in 5062 5063 5064 5065 5066 5067 5068 5069 5070 5071; do ports+=(--sip-port $p); done
read_with() { # NAME ARGUMENTS...
    local name=$1
    shift
    "$edgewatch" -q --db "$work/db/$name.db" read "${ports[@]}" "$@" "$work/all.pcapng" 2>"$work/err.$name"
}
rows() { sqlite3 "$work/db/$1.db" "$2"; } # NAME SQL

read_with none
same "without a key no call is seen" "" "$(rows none 'SELECT call_id FROM calls')"
same "without a key every connection is told" "11" "$(rows none 'SELECT count(*) FROM tls_sessions')"
read_with key --tls-key "$work/edge.pem"
same "a server's key opens RSA key exchange" "mutual with-a-server-key" \
    "$(rows key 'SELECT call_id FROM calls ORDER BY 1' | xargs)"
same "... with users and grade A" "sip:user1@contoso.com sip:user2@fabrikam.com A" \
    "$(rows key "SELECT caller, callee, grade FROM calls WHERE call_id = 'with-a-server-key'" | tr '|' ' ')"
same "... and says why the rest stays closed" "no-key|ECDHE|0|key edge.pem" \
    "$(rows key 'SELECT state, key_exchange, readable, key FROM tls_sessions WHERE server_port = 5062')"
verdict "... and what to do" "$(rows key 'SELECT advice FROM tls_sessions WHERE server_port = 5062' |
    grep -v 'prefers ECDHE, so key edge.pem does not help')"
read_with log --keylog "$work/one.keys" --keylog "$work/two.keys"
same "a key log opens TLS 1.2 and 1.3" "with-a-key-log with-a-key-log-13" \
    "$(rows log 'SELECT call_id FROM calls ORDER BY 1' | xargs)"
read_with both --tls-key "$work/edge.pem" --keylog <(cat "$work"/one.keys "$work/two.keys" "$work/late.keys")
same "keys and a key log through a pipe" "5" "$(rows both 'SELECT count(*) FROM calls')"
same "a key log that is rotated and comes after the call, live" "followed" "$(sqlite3 "$db" 'SELECT call_id FROM calls')"
verdict "the monitor had nothing to complain of" "$(grep -v 'listening on' "$work/monitor.log")"

# ---- certificates and failures ----

same "mutual TLS names both ends" "yes|sip.fabrikam.com|sip.contoso.com" \
    "$(rows none 'SELECT mutual, client_names, server_names FROM tls_sessions WHERE server_port = 5071')"
told() { # PORT PATTERN
    local got
    got=$(rows none "SELECT leg, verdict, finding, explanation FROM failures WHERE dst_port = $1")
    verdict "port $1: $2" "$(grep -qE "^signaling\|tls-fail\|signaling-tls-failed\|.*$2" <<<"$got" || echo "is: $got")"
}
told 5065 'the server sent the alert handshake_failure'
told 5066 'the client sent the alert certificate_expired \(45\).*\(sip.contoso.com\) expired on'
told 5067 'the client sent the alert .*the client asked for sip.contoso.com, which the server.s certificate \(sip.fabrikam.com\) does not name'
told 5068 'the server sent the alert handshake_failure \(40\): no cipher'
told 5069 'the server sent the alert protocol_version \(70\)'
told 5070 'had not answered the ClientHello'
same "working connections are no failures" "6" "$(rows none 'SELECT count(*) FROM failures')"
same "the partner is who the certificate says" "sip.contoso.com" \
    "$(rows none 'SELECT partner FROM failures WHERE dst_port = 5066')"

# ---- what must not leak ----

needle=$(awk '/^SERVER_TRAFFIC_SECRET_0/ { print $3 }' "$work/two.keys")
found=$(for f in "$work"/db/*.db "$work"/err.* "$work/monitor.log"; do
    grep -lai "$needle" "$f"
    python3 - "$f" "$needle" <<'P'
import sys
if bytes.fromhex(sys.argv[2]) in open(sys.argv[1], "rb").read(): print(sys.argv[1])
P
done)
verdict "no secret is in a database or message" "$found"

# The process that runs commands has none of the keys, nor the passphrase. That the monitor itself has the key
# shows that looking finds it.
(cd "$work" && ssl pkcs8 -topk8 -in edge.pem -v2 aes-256-cbc -passout pass:open-sesame-90 -out enc.p8)
SESAME=open-sesame-90 ip netns exec "$lab-edge" "$edgewatch" -q --db "$work/db/run.db" monitor -i lo \
    --tls-key "$work/enc.p8" --tls-passphrase env:SESAME --on-failure /bin/true >"$work/run.log" 2>&1 &
monitor=$!
started+=($monitor)
within 100 grep -q 'listening on' "$work/run.log"
prime=$(openssl rsa -in "$work/edge.pem" -noout -text 2>/dev/null |
    sed -n '/^prime1/,/^prime2/p' | grep '^ ' | tr -d ' :\n' | sed 's/^00//')
memory_of() { # PID: which of the secrets it has
    python3 - "$1" "$prime" <<'P'
import re, sys
prime = bytes.fromhex(sys.argv[2])
needles = {"prime": prime, "prime, little end first": prime[::-1], "passphrase": b"open-sesame-90"}
found, size = set(), 0
with open(f"/proc/{sys.argv[1]}/maps") as maps, open(f"/proc/{sys.argv[1]}/mem", "rb") as mem:
    for line in maps:
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
        if not m or "[v" in line: continue
        start, end = int(m[1], 16), int(m[2], 16)
        try:
            mem.seek(start); data = mem.read(end - start)
        except OSError: continue
        size += len(data)
        found |= {name for name, n in needles.items() if n in data}
print(" and ".join(sorted(found)) if size > 100000 else f"only {size} bytes could be read")
P
}
runner=$(pgrep -P "$monitor" | head -n 1)
same "the runner of commands" "edgewatch-run" "$(cat "/proc/${runner:-0}/comm" 2>/dev/null)"
verdict "its memory has no key and no passphrase" "$(memory_of "$runner")"
verdict "the monitor's memory has the key" "$(memory_of "$monitor" | grep -q prime || echo "not found there")"
same "the runner has the monitor's account" "$(awk '/^Uid/ { print $2 }' "/proc/$monitor/status")" \
    "$(awk '/^Uid/ { print $2 }' "/proc/$runner/status")"
kill -TERM "$monitor"
wait "$monitor" 2>/dev/null

# ---- cut, lossy and reordered ----

# shellcheck disable=SC2016
python3 - "$work/all.pcapng" "$work" <<'P'
import struct, sys
blocks, at = [], 0
data = open(sys.argv[1], "rb").read()
while at + 12 <= len(data):
    n = struct.unpack_from("<I", data, at + 4)[0]
    blocks.append(data[at:at + n]); at += n
packet = [i for i, b in enumerate(blocks) if b[:4] == b"\6\0\0\0"]
def write(name, keep):
    open(f"{sys.argv[2]}/{name}.pcapng", "wb").write(b"".join(keep))
for every in (2, 3, 5, 7, 11, 13, 17):
    gone = set(packet[every::every])
    write(f"lossy{every}", [b for i, b in enumerate(blocks) if i not in gone])
swapped = list(blocks)
for k in range(0, len(packet) - 1, 2):
    i, j = packet[k], packet[k + 1]
    swapped[i], swapped[j] = swapped[j], swapped[i]
write("swapped", swapped)
for part in range(1, 8):
    write(f"cut{part}", blocks[:packet[len(packet) * part // 8]])
P
bad=
for f in "$work"/lossy*.pcapng "$work"/swapped.pcapng "$work"/cut*.pcapng; do
    name=$(basename "$f" .pcapng)
    timeout 60 "$edgewatch" -q --db "$work/db/$name.db" read "${ports[@]}" --tls-key "$work/edge.pem" \
        --keylog "$work/one.keys" --keylog "$work/two.keys" --keylog "$work/late.keys" "$f" 2>"$work/err"
    code=$?
    [ $code = 0 ] || bad+="$name ends with $code: $(head -n 1 "$work/err")"$'\n'
    strange=$(rows "$name" "SELECT DISTINCT state FROM tls_sessions WHERE state NOT IN ('decrypted', 'no-key',
        'bad-mac', 'gap', 'unsupported', 'mid-stream', 'handshake', 'failed')
        UNION ALL SELECT call_id FROM calls WHERE call_id NOT IN ('with-a-server-key', 'with-a-key-log',
        'with-a-key-log-13', 'mutual', 'followed')
        UNION ALL SELECT 'bad-mac' FROM tls_sessions WHERE state = 'bad-mac'")
    [ -z "$strange" ] || bad+="$name: $strange"$'\n'
done
verdict "cut and lossy captures: a clear state, no made-up text" "$bad"
same "what arrives out of order is all read" "5" "$(rows swapped 'SELECT count(*) FROM calls')"
finish
