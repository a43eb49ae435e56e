#!/bin/bash
# SIP over TLS between two real servers (Kamailio), as between two Edges: sipp calls through them, only the
# TLS connection between them is captured, and the calls are read out of it with the server's private key.
#
# usage: tests/live/sip_tls.sh     needs: root, kamailio with its TLS module, sip-tester, openssl, dumpcap, tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need sip_tls kamailio sipp openssl dumpcap tshark sqlite3
[ -n "$(find /usr/lib -name tls.so -path '*kamailio*' 2>/dev/null)" ] || { skip sip_tls "Kamailio has no TLS module here" && exit 0; }
make_work
add_ns sensor # its loopback is all that is needed
cd "$work" || exit 1
calls=10

openssl req -x509 -newkey rsa:2048 -nodes -keyout edge.pem -out edge.crt -days 30 -subj /CN=sip.fabrikam.com \
    -addext subjectAltName=DNS:sip.fabrikam.com 2>ssl.log
server() { # NAME UDP-PORT TLS-PORT NEXT-URI
    cat >"$1.tls" <<-END
		[server:default]
		method = TLSv1.2
		private_key = $work/edge.pem
		certificate = $work/edge.crt
		cipher_list = AES128-SHA
		[client:default]
		method = TLSv1.2
		verify_certificate = no
		cipher_list = AES128-SHA
	END
    sed "s/UDPPORT/$2/; s/TLSPORT/$3/; s#TLSCONFIG#$work/$1.tls#; s/NEXTURI/\"$4\"/" \
        "$here/kamailio-tls.cfg" >"$1.cfg"
    start sensor "$1" kamailio -f "$1.cfg" -DD -E -m 32 -M 8 -w "$work" -Y "$work"
}
listens() { # u|t PORT
    in_ns sensor ss -Hln"$1" "sport = :$2" | grep -q .
}

start sensor dumpcap dumpcap -q -i lo -f "port 5061 or port 5070" -w "$work/all.pcapng"
capture=$last
wait_for 10 "the capture" grep -q '^File:' dumpcap.log
start sensor far env TERM=dumb sipp -sf "$here/sipp/farend.xml" -t u1 -i 127.0.0.1 -p 5070 -nostdin
server fabrikam 5062 5061 "sip:127.0.0.1:5070"
server contoso 5064 5063 "sip:127.0.0.1:5061;transport=tls"
for at in "u 5070" "t 5061" "u 5064"; do
    wait_for 15 "port ${at#* }" listens ${at% *} "${at#* }"
done
{ echo SEQUENTIAL; seq 52000 2 52100 | sed 's/$/;/'; } >ports.csv
in_ns sensor env TERM=dumb timeout 30 sipp -sf "$here/sipp/answered.xml" -inf ports.csv -t u1 -i 127.0.0.1 -p 6064 -m $calls \
    -r 20 -cid_str "over-tls-%u@%s" -nostdin 127.0.0.1:5064 >calls.log 2>&1
same "sipp made $calls calls through two servers" 0 $?
sleep 0.5
kill -TERM "$capture"
wait "$capture" 2>/dev/null
for pid in $(in_ns sensor pgrep -x kamailio); do
    [ "$(ip netns identify "$pid")" = "$lab-sensor" ] && kill -KILL "$pid"
done

# what passed between the servers alone, and beside it what the second one handed on in clear
tshark -r all.pcapng -Y 'tcp.port == 5061' -w tls.pcapng 2>tshark.log
wanted=$(tshark -r all.pcapng -Y 'udp.port == 5070 && sip.Method == "INVITE"' -T fields -e sip.Call-ID 2>>tshark.log | sort -u)
same "tshark sees them in clear behind the second server" $calls "$(grep -c over-tls <<<"$wanted")"
"$edgewatch" -q --config /dev/null --db "$work/db/none.db" read tls.pcapng 2>none.log
same "without a key: no call, and the connection says why" "0 no-key TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA" \
    "$(sqlite3 -separator ' ' "$work/db/none.db" "SELECT DISTINCT (SELECT count(*) FROM calls), state, version, cipher FROM tls_sessions")"
"$edgewatch" -q --config /dev/null --db "$work/db/key.db" read --tls-key edge.pem tls.pcapng 2>key.log
same "with the server's key: every call by its Call-ID" "$wanted" \
    "$(sqlite3 "$work/db/key.db" "SELECT call_id FROM calls ORDER BY call_id")"
same "... answered" "$calls 200" "$(sqlite3 -separator ' ' "$work/db/key.db" "SELECT count(*), status FROM calls GROUP BY status")"
same "every message was read" \
    "$(tshark -r tls.pcapng -o "uat:rsa_keys:\"$work/edge.pem\",\"\"" -Y sip -T fields -e sip.CSeq.method 2>>tshark.log | tr ',' '\n' | grep -c .)" \
    "$(sqlite3 "$work/db/key.db" "SELECT sum(messages) FROM tls_sessions WHERE state = 'decrypted'")"
finish
