#!/bin/bash
# import of SDN messages: those that a front end would have posted about incident 1 turn its failure from
# grade B to A; twice changes nothing; what is damaged is told with its line.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
python3 - "$work" <<'PY'
import struct, sys, xml.sax.saxutils as xml
data = open("pcaps/incident1-hep.pcap", "rb").read()
out, at = [], 24
while at < len(data):
    seconds, micros, size, _ = struct.unpack("<IIII", data[at:at + 16])
    sip = data[at + 16 + 42:at + 16 + size]
    sip = sip[sip.index(b"\0\0\0\x0f") + 6:].decode()
    at += 16 + size
    head, body = sip.split("\r\n\r\n", 1)
    start = head.split(" ")
    kind = ("Invite" if start[0] == "INVITE" else "Ended" if start[0] == "BYE" else
            "Start" if start[1] == "200" and "INVITE" in head else None)
    if not kind:
        continue
    value = lambda name: [l for l in head.split("\r\n") if l.lower().startswith(name + ":")][0].split(":", 1)[1].strip()
    uri = lambda name: value(name).split("<")[1].split(">")[0].split(";")[0]
    ends = {"Invite": ("Caller", "Callee"), "Start": ("From", "To")}.get(kind)
    inner = "".join("<%s><URI>%s</URI></%s>" % (e, uri(n), e) for e, n in zip(ends, ("from", "to"))) if ends else ""
    out.append("<LyncDiagnostics Version=\"C\">\n<ConnectionInfo><CallId>%s</CallId><CSEQ>1</CSEQ>"
               "<TimeStamp>2012-12-10T%s.%06dZ</TimeStamp></ConnectionInfo>\n<%s Type=\"applicationsharing\">%s</%s>%s\n"
               "</LyncDiagnostics>\n" % (value("call-id"), "%02d:%02d:%02d" % (seconds % 86400 // 3600, seconds % 3600 // 60, seconds % 60),
                                        micros, kind, inner, kind,
                                        "<RawSDP>%s</RawSDP>" % xml.escape(body) if body else ""))
text = "".join(out)
open(sys.argv[1] + "/sdn.xml", "w").write(text)
open(sys.argv[1] + "/wide.xml", "wb").write(b"\xff\xfe" + ('<?xml version="1.0" encoding="utf-16"?>\n' + out[0]).encode("utf-16-le"))
open(sys.argv[1] + "/cut.xml", "w").write(text[:len(text) * 2 // 3])
open(sys.argv[1] + "/bomb.xml", "w").write('<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<LyncDiagnostics>&b;</LyncDiagnostics>\n')
open(sys.argv[1] + "/other.xml", "w").write("<html><body>no</body></html>\n")
PY
gzip -k "$work/sdn.xml"
import() { # DB FILE
    "$edgewatch" --config /dev/null --db "$1" import "$2" >"$work/said" 2>&1
}
facts() { # DB
    ask "$1" "SELECT verdict, grade, call_id, caller, callee FROM failures"
}
want="refused A a622d7b9f6464be3a455e6d98ec700b3 sip:user1@contoso.com sip:user2@fabrikam.com"
for form in sdn.xml sdn.xml.gz; do
    db=$work/$form.db
    read_into "$db" pcaps/incident1-internal.pcap pcaps/incident1-external.pcap
    same "$form: before" "refused B" "$(ask "$db" "SELECT verdict, grade FROM failures")"
    import "$db" "$work/$form"
    same "$form: exit code" 0 $?
    same "$form: grade A, with call and users" "$want" "$(facts "$db")"
    same "$form: its row in logs" "sdn $form 3 1" "$(ask "$db" "SELECT kind, file, messages, calls FROM logs")"
    before=$(whole "$db")
    import "$db" "$work/$form"
    same "$form: twice changes nothing" "$before" "$(whole "$db")"
done
db=$work/first.db
import "$db" "$work/sdn.xml"
read_into "$db" pcaps/incident1-internal.pcap pcaps/incident1-external.pcap
same "the messages first, the packets later" "$want" "$(facts "$db")"
import "$work/wide.db" "$work/wide.xml"
same "UTF-16: exit code" 0 $?
same "UTF-16: its call" a622d7b9f6464be3a455e6d98ec700b3 "$(ask "$work/wide.db" "SELECT call_id FROM calls")"
import "$work/cut.db" "$work/cut.xml"
same "cut: exit code" 65 $?
verdict "cut: it says in which line" "$(grep -qE 'cut.xml: .* in line [0-9]+' "$work/said" || cat "$work/said")"
same "cut: what came before is stored" 1 "$(ask "$work/cut.db" "SELECT count(*) FROM calls")"
for file in bomb.xml other.xml; do
    import "$work/bad.db" "$work/$file"
    same "$file: exit code" 65 $?
    verdict "$file: no database is made of it" "$([ ! -e "$work/bad.db" ] || echo "there is one")"
done
finish
