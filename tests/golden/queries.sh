#!/bin/bash
# The questions of docs/QUERIES.md, asked of the samples; `sql`; what spreadsheets and jq make of CSV and JSON lines.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
root=$PWD
db=$work/night.db
export TZ=UTC

# One after the other into one database, as nights come.
cases='finding-admin-prohibited finding-conflict-with-endpoint finding-connection-table-limit finding-far-side-refuses
    finding-hairpin-missing finding-no-relay-on-peer finding-own-outbound-range-blocked finding-permission-race
    finding-private-relay-address finding-relay-auth-failed finding-relay-ports-exhausted finding-relay-quota
    finding-silent-drop finding-tls-inspection-on-443 verdict-alloc-fail verdict-connected verdict-half-open
    verdict-not-tried verdict-open-no-check verdict-pseudotls-fail verdict-refused verdict-reset-after-open
    verdict-retry-conflict verdict-single-syn verdict-timeout verdict-tls-fail verdict-unreachable verdict-unseen
    udp-connected udp-refused udp-timeout negative-failed-beside-working negative-permission-race incident2 incident1-sip'
for case in $cases; do
    mapfile -t files < <(paths "$case")
    read_into "$db" --sensor edge "${files[@]}" || not_ok "queries: read $case" "$(head -n 1 "$work/said")"
done

statement() { # N
    awk -v n="$1" '/^### / { here = $2 + 0 == n } /^```/ { on = here && /sql/; next } on' docs/QUERIES.md
}

expected() { # N
    awk -v n="$1" '/^#/ { next } /^== / { on = $2 == n; next } on' tests/golden/queries.expected
}

# Lines that do not fit, by number; a pattern has * for anything.
unlike() { # PATTERNS ROWS
    local i
    mapfile -t want <<<"$1"
    mapfile -t got <<<"$2"
    for ((i = 0; i < ${#want[@]} || i < ${#got[@]}; i++)); do
        # shellcheck disable=SC2053 # * matches on purpose
        [[ ${got[i]-} == ${want[i]-} ]] || echo "row $((i + 1)): expected ${want[i]-nothing}, got ${got[i]-nothing}"
    done
}

for ((n = 1; n <= 20; n++)); do
    title=$(sed -n "s/^### $n[.] //p" docs/QUERIES.md)
    sql=$(statement "$n")
    if [ -z "$sql" ] || [ -z "$(expected "$n")" ]; then
        not_ok "query $n" "is missing in docs/QUERIES.md or queries.expected"
        continue
    fi
    rows=$(sqlite3 -readonly -bail -separator '|' -nullvalue - "$db" "$sql" 2>&1)
    verdict "query $n: $title" "$(unlike "$(expected "$n")" "$rows")"
done
same "twenty queries" 20 "$(grep -c '^```sql' docs/QUERIES.md)"

# Views only: what they are made of may change.
tables=$(sqlite3 "$db" "SELECT group_concat(name, '|') FROM sqlite_schema WHERE type = 'table'")
verdict "queries use the views alone" \
    "$(for ((n = 1; n <= 20; n++)); do statement "$n"; done | grep -oiE "(FROM|JOIN) +($tables)\b")"

# ---- sql ----
cd "$work" || exit 1
run() { # ARGUMENT...
    "$edgewatch" --db "$db" "$@" >out 2>err </dev/null
    code=$?
}
run sql "SELECT verdict FROM failures WHERE id = 1" "SELECT count(*) AS n FROM failures WHERE verdict = 'refused'"
same sql-table "0 verdict ------- unreachable n -- 14" "$code $(xargs <out | sed 's/-----------/-------/')"
run sql --format csv "SELECT 1 AS a, 'x,\"y' AS b"
same sql-csv $'a,b\r\n1,"x,""y"\r' "$(cat out)"
run sql -f json "SELECT NULL AS a"
same sql-json '[{"a":null}]' "$(cat out)"
run sql "DELETE FROM failure"
same sql-is-read-only "readonly $(sqlite3 "$db" 'SELECT count(*) FROM failure')" \
    "$(grep -o readonly err | head -n 1) $(sqlite3 "$db" 'SELECT count(*) FROM failure')"
same sql-would-write 64 "$code"
run sql "SELECT nonsense FROM failures"
same sql-wrong-statement 64 "$code"
head -c 20000 "$db" >torn.db
"$edgewatch" --db torn.db sql "SELECT count(*), max(explanation) FROM failure" >out 2>err
same sql-damaged 74 "$?"
same sql-stdin "7" "$(echo "SELECT count(*) FROM failures WHERE verdict = 'alloc-fail';" | "$edgewatch" --db "$db" sql -q | tail -n 1 | xargs)"
"$edgewatch" --db none.db sql "SELECT 1" >out 2>err
same sql-no-database "74 none.db" "$? $(grep -o 'none.db' err | head -n 1)"
cp "$db" newer.db && sqlite3 newer.db 'PRAGMA user_version = 9999'
"$edgewatch" --db newer.db sql "SELECT 1" >out 2>err
same sql-newer "74 newer" "$? $(grep -o 'newer than' err | cut -d' ' -f1)"
PATH=/nowhere "$edgewatch" --db "$db" sql "SELECT 1" >out 2>err
same sql-no-sqlite3 "69 package sqlite3" "$? $(grep -o 'package sqlite3' err)"
cp "$db" ./-odd.db
"$edgewatch" --db -odd.db sql "SELECT count(*) FROM runs" >out 2>err
same sql-odd-name "0 0" "$? $(wc -c <err)"
mkdir -m 755 locked && cp "$db" 'locked/a?b#.db' && chmod 555 locked
if [ "$(id -u)" != 0 ]; then
    "$edgewatch" --db 'locked/a?b#.db' sql "SELECT count(*) FROM failures WHERE verdict = 'half-open'" >out 2>err
    same sql-locked-directory "0 1" "$? $(tail -n 1 out | xargs)"
elif command -v setpriv >/dev/null; then
    chmod 755 . locked && chmod 555 locked
    setpriv --reuid 65534 --regid 65534 --clear-groups "$edgewatch" --db 'locked/a?b#.db' --config /dev/null \
        sql "SELECT count(*) FROM failures WHERE verdict = 'half-open'" >out 2>err
    same sql-locked-directory "0 1" "$? $(tail -n 1 out | xargs)"
fi
chmod 755 locked
if command -v script >/dev/null; then
    TERM=dumb timeout 20 script -qec "'$edgewatch' --db '$db' sql" /dev/null >out 2>&1 <<<".quit"
    same sql-lists-the-views "failures attempts packets diagnostics" \
        "$(for v in failures attempts packets diagnostics; do grep -ow $v out | head -n 1; done | xargs)"
fi

# ---- what others make of CSV and JSON lines ----
cp "$db" odd.db
sqlite3 odd.db "UPDATE failure SET caller = '=cmd|''/c calc''!A1', callee = '@SUM(1+1)*\"2\"', explanation = 'two' || char(13, 10) || 'lines, ä',
    local_candidate = '', advice = '-2+3', medium = '+x', call_id = char(9) || 'tab' WHERE id = 1"
"$edgewatch" --db odd.db failures --all --format csv >odd.csv
"$edgewatch" --db odd.db failures --all --format csv --bom >bom.csv
"$edgewatch" --db odd.db failures --all --format jsonl >odd.jsonl
# python's reader in strict mode stands for RFC 4180; the database itself for the values
got=$(python3 - odd.csv odd.db <<'PY'
import csv, sqlite3, sys
rows = list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))
db = sqlite3.connect(sys.argv[2])
cursor = db.execute("SELECT * FROM failures ORDER BY first_seen, id")
names = [c[0] for c in cursor.description]
want = cursor.fetchall()
raw = open(sys.argv[1], 'rb').read()
print(rows[0] == names, len(rows) - 1 == len(want), all(len(r) == len(names) for r in rows), raw.endswith(b'\r\n'), raw[:3] == b'id,')
def cell(v):
    if v is None: return ''
    if isinstance(v, float): return '%.10g' % v
    v = str(v).replace('\u0085', '?')
    return v
bad = []
for got, row in zip(rows[1:], want):
    for name, g, v in zip(names, got, row):
        w = cell(v)
        if isinstance(v, str) and w[:1] in tuple('=+-@\t\r') and w: w = "'" + w
        if g != w: bad.append((name, g, w))
print(bad)
one = dict(zip(names, [r for r in rows[1:] if r[0] == '1'][0]))
print([one[k][:2] for k in ('caller', 'callee', 'advice', 'medium', 'call_id')])
PY
)
same csv-rfc4180-and-no-formula "True True True True True
[]
[\"'=\", \"'@\", \"'-\", \"'+\", \"'\\t\"]" "$got"
same csv-without-bom-ends-like-with "$(md5sum <odd.csv)" "$(tail -c +4 bom.csv | md5sum)"
same csv-bom efbbbf "$(head -c 3 bom.csv | od -An -tx1 | tr -d ' \n')"
if command -v jq >/dev/null; then
    same jq-slurps "$(sqlite3 odd.db 'SELECT count(*), sum(attempts), count(caller) FROM failures' | tr '|' ' ')" \
        "$(jq -s -r '"\(length) \(map(.attempts // 0) | add) \(map(select(.caller)) | length)"' odd.jsonl)"
    same jq-texts-are-raw "=cmd|'/c calc'!A1" "$(jq -r 'select(.id == 1).caller' odd.jsonl)"
    same jq-csv-of-ours 14 "$(jq -r '[.verdict] | @csv' odd.jsonl | grep -c refused)"
else
    skip jq "no jq here"
fi
cd "$root" || exit 1
finish
