#!/bin/bash
# With pseudonyms, no original is anywhere in the database file, as text or as bytes of a packet, and
# the verdicts are those of the plain run; also when the same packets are read again.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-./edgewatch}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset EDGEWATCH_DB EDGEWATCH_CONFIG

into() { # DB OPTIONS... -- FILES
    local db=$1
    shift
    timeout 300 "$edgewatch" --config /dev/null --db "$db" read -q --sensor s "$@" 2>"$work/said"
}

# What must not be there: internal addresses in every column of the plain database, and users.
originals() { # DB
    sqlite3 -readonly "$1" "
CREATE TEMP TABLE a (a);
INSERT INTO a SELECT src_addr FROM failures UNION SELECT dst_addr FROM failures
    UNION SELECT icmp_from FROM failures UNION SELECT client_addr FROM failures
    UNION SELECT src_addr FROM attempts UNION SELECT dst_addr FROM attempts
    UNION SELECT icmp_from FROM attempts
    UNION SELECT addr FROM candidates UNION SELECT rel_addr FROM candidates
    UNION SELECT client_addr FROM allocations UNION SELECT server_addr FROM allocations
    UNION SELECT wire_addr FROM allocations UNION SELECT reflexive_addr FROM allocations
    UNION SELECT private_addr FROM aliases UNION SELECT peer_addr FROM sends
    UNION SELECT src_addr FROM traffic;
SELECT 'addr ' || a FROM a WHERE a GLOB '10.*' OR a GLOB '192.168.*' OR a GLOB '169.254.*'
    OR (a GLOB '172.*' AND CAST(substr(a, 5) AS INTEGER) BETWEEN 16 AND 31)
    OR a GLOB 'f[cd]??:*' OR a GLOB 'fe80:*';
SELECT 'user ' || substr(u, 1, instr(u, '@')) FROM (SELECT DISTINCT substr(u, instr(u, ':') + 1) AS u
    FROM (SELECT caller AS u FROM calls UNION SELECT callee FROM calls)) WHERE instr(u, '@') > 1;"
}

# Originals that are found in both files, which have other keys: a pseudonym may well be another's
# original by chance, but not twice. As a text with no digit, or letter of a user, beside it; an
# address also as the bytes of a header in the packets.
leaks() { # ORIGINALS DB DB
    python3 - "$@" <<'PY'
import re, socket, sqlite3, sys

def found_in(path):
    data = open(path, 'rb').read()
    packets = [row[0] or b'' for row in sqlite3.connect(path).execute('SELECT bytes FROM evidence')]
    for line in open(sys.argv[1]):
        kind, text = line.split(None, 1)
        text = text.strip()
        if kind == 'addr':
            raw = socket.inet_pton(socket.AF_INET6 if ':' in text else socket.AF_INET, text)
            if re.search(rb'(?<![0-9.])' + re.escape(text.encode()) + rb'(?![0-9])', data):
                yield line
            elif len(set(raw)) > 2 and any(raw in bytes for bytes in packets):
                yield 'packet of ' + line
        elif re.search(rb'(?<![A-Za-z0-9.+_-])' + re.escape(text.encode()), data, re.I):
            yield line

print(''.join(sorted(set(found_in(sys.argv[2])) & set(found_in(sys.argv[3])))), end='')
PY
}

verdicts() { # DB: what failed, by what can be compared without addresses and users
    sqlite3 -readonly "$1" "SELECT leg, transport, verdict, severity, src_port, dst_port, attempts,
        syns, rsts, grade, matched_by, confidence, medium, finding, first_seen FROM failures
        ORDER BY first_seen, leg, verdict, src_port, dst_port, medium, finding"
}

check() { # NAME FILES...
    local name=$1 found
    shift
    rm -f "$work"/*.db* "$work"/leak
    into "$work/plain.db" "$@"
    originals "$work/plain.db" >"$work/originals"
    for users in pseudonym drop; do
        into "$work/$users.db" --users $users --addresses pseudonym-internal "$@"
        sqlite3 "$work/$users.db" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
    done
    found=$(leaks "$work/originals" "$work/pseudonym.db" "$work/drop.db")
    verdict "$name: no original is left of $(wc -l <"$work/originals")" "$found"
    # a test that finds nothing must be able to
    found=$(leaks "$work/originals" "$work/plain.db" "$work/plain.db" | wc -l)
    if [ "$found" -ge "$(($(wc -l <"$work/originals") * 3 / 4))" ]; then
        ok "$name: in the plain database they are found"
    else
        not_ok "$name: in the plain database they are found" "$found"
    fi
    found=$(diff <(verdicts "$work/plain.db") <(verdicts "$work/pseudonym.db") | head -n 20)
    verdict "$name: the failures are the same" "$found"
}

# ---- the samples: every verdict and finding ----

check "samples" pcaps/*.pcap
[ "$(wc -l <"$work/originals")" -ge 20 ] && ok "there was something to hide" || not_ok "there was something to hide" "$(wc -l <"$work/originals") originals"

# the same key, the same packets again: the same rows
events() {
    sqlite3 -readonly "$work/pseudonym.db" "SELECT id, event_id, src_addr, dst_addr, caller FROM failures ORDER BY 1"
}
rm -f "$work"/*.db*
pair=(pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap)
into "$work/pseudonym.db" --users pseudonym --addresses pseudonym-internal "${pair[@]}"
events >"$work/first"
into "$work/pseudonym.db" --users pseudonym --addresses pseudonym-internal "${pair[@]}"
verdict "read again with the same key, the failures are the same" "$(diff "$work/first" <(events))"
[ -s "$work/first" ] && ok "there are some" || not_ok "there are some" "none"
[ "$(stat -c %a "$work/pseudonym.db.key")" = 600 ] && ok "the key is its owner's" || not_ok "the key is its owner's" "$(stat -c %a "$work/pseudonym.db.key")"

# split over two runs, joined by pseudonyms alone
rm -f "$work"/*.db
into "$work/pseudonym.db" --users pseudonym --addresses pseudonym-internal "${pair[0]}"
into "$work/pseudonym.db" --users pseudonym --addresses pseudonym-internal "${pair[1]}"
verdict "read in two runs, the failures are the same" \
    "$(diff <(cut -d'|' -f2- "$work/first" | sort) <(events | cut -d'|' -f2- | sort))"

timeout 60 "$edgewatch" --config /dev/null --db "$work/x.db" read -q --users both "${pair[0]}" 2>"$work/said"
[ $? = 64 ] && grep -q '"both"' "$work/said" && ok "a way that is none is refused" || not_ok "a way that is none is refused" "$(head -n 1 "$work/said")"

# ---- real captures ----

captures=${EW_CAPTURES:-../shared/captures}
if [ ! -d "$captures" ]; then
    skip "real captures" "no $captures (EW_CAPTURES names the folder)"
else
    mapfile -t files < <(find "$captures" -name '*.pcap*' -size -400k | sort)
    check "real captures" "${files[@]}"
fi
finish
