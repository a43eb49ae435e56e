#!/bin/bash
# SDN messages of Skype for Business by HTTP POST into a monitor: calls from them, what is refused, and what
# is bounded; again with TLS and a token.
# needs: iproute2 nftables python3 sqlite3 tshark openssl
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need sdn openssl
make_work
add_ns sensor # its loopback is all that is needed
echo "a-secret-of-ours" >"$work/token"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 \
    -subj /CN=localhost -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null

start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor --sdn 9333 --sensor lab
monitor=$last
start sensor guarded "$edgewatch" --config /dev/null --db "$work/db/guarded.db" monitor --sdn 9334 \
    --sdn-cert "$work/cert.pem" --sdn-key "$work/key.pem" --sdn-token-file "$work/token"
guarded=$last
wait_for 10 "the monitor to listen" listening
wait_for 10 "the guarded monitor to listen" said guarded '^edgewatch: listening on '

cat >"$work/post.py" <<'PY'
import http.client, socket, ssl, sys, time
MESSAGE = """<?xml version="1.0"?><LyncDiagnostics Version="C"><ConnectionInfo><CallId>%s</CallId>
<CSEQ>1</CSEQ><TimeStamp>%s</TimeStamp></ConnectionInfo>%s</LyncDiagnostics>"""
ENDS = "<%s><URI>sip:user1@contoso.com</URI></%s><%s><URI>sip:user2@fabrikam.com</URI></%s>"
SDP = """<RawSDP>v=0
o=- 0 0 IN IP4 203.0.113.40
s=session
c=IN IP4 203.0.113.40
t=0 0
m=applicationsharing %d TCP/RTP/AVP 127
a=candidate:3 1 TCP-PASS 6556159 203.0.113.40 %d typ relay raddr 10.77.0.2 rport 13211
</RawSDP>"""
now = time.strftime("%Y-%m-%dT%H:%M:%S.1234567Z", time.gmtime())

def post(body, port=9333, tls=False, method="POST", **headers):
    context = ssl.create_default_context(cafile=sys.argv[1] + "/cert.pem") if tls else None
    c = (http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context) if tls
         else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
    c.request(method, "/LDL/CallInfo", body, headers)
    return c.getresponse().status

invite = lambda call: MESSAGE % (call, now, "<Invite>" + ENDS % (("Caller",) * 2 + ("Callee",) * 2) + "</Invite>" + SDP % (52000, 52000))
start = lambda call: MESSAGE % (call, now, "<Start Type='applicationsharing'>" + ENDS % (("From",) * 2 + ("To",) * 2) + "</Start>" + SDP % (50704, 50704))
ended = lambda call: MESSAGE % (call, now, "<Ended><EndPoint><URI>sip:user1@contoso.com</URI></EndPoint></Ended>")
refused = lambda call: MESSAGE % (call, now, "<Error/><Properties><ResponseCode Code='488'/></Properties>")
quality = lambda call: MESSAGE % (call, now, "<QualityUpdate Type='audio'/>")
statuses = [post(m("good")) for m in (invite, start, ended, quality)]
statuses += [post(invite("refused") + refused("refused"))]
print("accepted", *statuses)
print("get", post(None, method="GET"))
print("too large", post("<a>" + "x" * 200000))
print("garbage", post("{}"))
lol = "".join('<!ENTITY l%d "%s">' % (i, ("&l%d;" % (i - 1)) * 10) for i in range(1, 10))
print("bomb", post('<!DOCTYPE l [<!ENTITY l0 "lol">%s]><LyncDiagnostics>&l9;</LyncDiagnostics>' % lol))
raw = socket.create_connection(("127.0.0.1", 9333), timeout=40)
raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<")
began = time.time()
try:
    over = raw.recv(1) == b""
except ConnectionError:
    over = True
print("a slow client is hung up on", over and time.time() - began < 35)

print("no token", post(invite("g"), 9334, True))
print("wrong token", post(invite("g"), 9334, True, Authorization="Bearer not-a-secret-of-ours"))
print("short token", post(invite("g"), 9334, True, Authorization="Bearer a"))
print("token", post(invite("g"), 9334, True, Authorization="Bearer a-secret-of-ours"))
try:
    print("without TLS", post(invite("g"), 9334, False, Authorization="Bearer a-secret-of-ours"))
except Exception:
    print("without TLS: no answer")
PY
in_ns sensor /usr/bin/python3 "$work/post.py" "$work" >"$work/post.log" 2>&1
same "what clients are answered" "accepted 200 200 200 200 200
get 405
too large 413
garbage 200
bomb 200
a slow client is hung up on True
no token 401
wrong token 401
short token 401
token 200
without TLS: no answer" "$(cat "$work/post.log")"
sleep 0.5
kill -TERM $monitor $guarded
wait $monitor
same "SIGTERM ends the monitor with exit code 0" 0 $?
wait $guarded
same "and the guarded one" 0 $?

same "the calls that they tell of" "good sip:user1@contoso.com sip:user2@fabrikam.com 200 203.0.113.40:52000 203.0.113.40:50704 sdn:127.0.0.1
refused sip:user1@contoso.com sip:user2@fabrikam.com 488 203.0.113.40:52000 - sdn:127.0.0.1" \
    "$(ask "SELECT call_id, caller, callee, status, offer_relay, answer_relay, origin FROM calls ORDER BY 1")"
same "one row in logs" "sdn sdn:127.0.0.1 6 2 1" \
    "$(ask "SELECT kind, file, messages, calls, skew_high_s BETWEEN -1 AND 5 FROM logs")"
same "refused and damaged requests are counted" "9 5" \
    "$(ask "SELECT sum(packets) - 1, sum(decode_errors) FROM health WHERE interface = 'sdn:127.0.0.1:9333'")"
same "only the one with the token came through" "g" \
    "$(db=$work/db/guarded.db ask "SELECT group_concat(call_id) FROM calls")"
verdict "the token is not in the database" "$(grep -l a-secret-of-ours "$work"/db/*)"
finish
