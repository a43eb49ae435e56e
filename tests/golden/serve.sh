#!/bin/bash
# serve, asked with curl: who may ask what, what the pages and the API answer (against SQL asked apart), what it does with a database
# that is missing, newer, replaced or being written, and with bad requests. Pages in a browser: pages.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
root=$PWD
export TZ=UTC
unset EDGEWATCH_DB EDGEWATCH_CONFIG
chmod 755 "$work" # root becomes nobody
db=$work/a.db
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

for tool in curl jq; do
    command -v $tool >/dev/null || { skip serve "no $tool here"; exit 0; }
done
for case in incident1-sip incident2 verdict-refused verdict-timeout verdict-unreachable verdict-alloc-fail verdict-tls-fail \
    finding-own-outbound-range-blocked finding-connection-table-limit negative-failed-beside-working udp-refused; do
    mapfile -t files < <(paths "$case")
    read_into "$db" --sensor edge "${files[@]}" || not_ok "serve: read $case" "$(head -n 1 "$work/said")"
done
chmod 644 "$db"
cd "$work" || exit 1

# Starts one on a free port; $url is where, "" if it ended.
serve() { # NAME DB OPTIONS...
    local name=$1 of=$2 i
    shift 2
    "$edgewatch" --db "$of" --config /dev/null serve --listen 127.0.0.1:0 "$@" >"$name.out" 2>"$name.err" &
    servers+=($!)
    server=$!
    for ((i = 0; i < 100; i++)); do
        url=$(grep -o 'https*://[^ ]*' "$name.err")
        [ -n "$url" ] || ! kill -0 $server 2>/dev/null && return
        sleep 0.1
    done
}

get() { # PATH [CURL OPTIONS]: body in the file body, head in head, $status
    local path=$1
    shift
    status=$(curl -s -m 20 -o body -D head -w '%{http_code}' "$@" "$url$path")
}

answers() { # NAME STATUS PATTERN PATH [CURL OPTIONS]
    local name=$1 want=$2 pattern=$3
    shift 3
    get "$@"
    if [ "$status" != "$want" ]; then
        not_ok "$name" "status $status, not $want: $(head -c 200 body | tr '\n' ' ')"
    elif ! grep -qe "$pattern" body; then
        not_ok "$name" "the answer lacks '$pattern': $(head -c 200 body | tr '\n' ' ')"
    else
        ok "$name"
    fi
}

serve main "$db"
main=$url
[ -n "$url" ] || { not_ok serve-starts "$(cat main.err)"; finish; }
ok serve-starts
[ "$(id -u)" != 0 ] || same serve-is-not-root no "$([ "$(ps -o uid= -p $server | xargs)" = 0 ] && echo yes || echo no)"

# ---- pages ----
id=$(ask "$db" "SELECT id FROM failures WHERE caller = 'sip:user1@contoso.com'")
call=$(ask "$db" "SELECT id FROM calls WHERE caller = 'sip:user1@contoso.com'")
answers page-overview 200 '<h1>Overview' ""
answers page-failures 200 'user1@contoso.com' failures
answers page-failure 200 'SYN 3074395695' "failures/$id"
answers page-calls 200 'user2@fabrikam.com' calls
answers page-call 200 '10.26.10.50:50058' "calls/$call"
answers page-partners 200 '198.51.100.30' partners
answers page-health 200 'udp-refused.pcap' health
answers page-decode 200 'Explain' decode
answers page-decode-value 200 'TCP' 'decode?text=0x320'
same page-decode-says-what-decode-says "$("$edgewatch" decode 0x320 | tr -d '\n -')" \
    "$(sed -n '/<pre/,/<\/pre>/p' body | sed 's/<[^>]*>//g; s/&#39;/'"'"'/g; s/&quot;/"/g; s/&gt;/>/g; s/&lt;/</g; s/&amp;/\&/g' | tr -d '\n -')"
answers page-decode-nonsense 200 'neither an ICEWarn' 'decode?text=hello'
answers no-page 404 'There is no such page' nowhere
answers no-failure 404 'no failure 9999' failures/9999
answers no-failure-of-words 404 'no failure' failures/x
answers no-failure-below-one 404 'no failure' failures/-1
answers no-form-of-that-name 404 'no failure' failures/1.exe
answers no-call 404 'no call' calls/9999
for bad in 'verdict=maybe' 'since=banana' 'grade=D' 'addr=x' 'limit=-1' 'limit=x' 'cursor=hello' 'finding=A%22B' 'since=2013-01-02%26' \
    'around=10:43&within=5y' 'since=2014-01-01&until=2013-01-01'; do
    answers "bad-$bad" 400 'class="problem"' "failures?$bad"
    answers "api-bad-$bad" 400 '"status":400' "api/failures?$bad"
done
answers empty-parameters-are-none 200 'user1@contoso.com' 'failures?since=&user=&verdict=&grade=&cursor=&limit='
answers asset-style 200 'color-scheme' style.css
answers asset-script 200 'use strict' site.js

# ---- every answer carries what keeps a browser safe ----
for path in "" failures nowhere api/failures api/nowhere style.css site.js 'failures?since=x' "failures/$id.pcapng" favicon.ico; do
    get "$path"
    same "headers-/$path" "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'
cross-origin-opener-policy: same-origin
cross-origin-resource-policy: same-origin
referrer-policy: no-referrer
x-content-type-options: nosniff
x-frame-options: DENY" \
        "$(tr -d '\r' <head | grep -iE '^(content-security|cross-origin|referrer|x-)' | sed 's/^[^:]*/\L&/' | sort)"
done
get failures
same no-inline-script-or-style "" "$(grep -oiE '<script>|<style| style=| on[a-z]+=|javascript:' body)"

# ---- nothing can be written, and only by its own name ----
for method in POST PUT DELETE PATCH OPTIONS TRACE; do
    answers "no-$method" 405 'GET and HEAD only' failures -X $method -d x=1
    same "no-$method-allow" 'Allow: GET, HEAD' "$(tr -d '\r' <head | grep -i '^allow')"
done
get "" -I
same head-has-no-body "200 0" "$status $(grep -c '<html' body)"
answers host-of-a-stranger 421 'localhost and 127.0.0.1 only' failures -H 'Host: evil.example'
answers host-of-a-stranger-with-port 421 'localhost' failures -H "Host: evil.example:${url##*:}"
answers host-that-begins-like-ours 421 'localhost' failures -H 'Host: localhost.evil.example'
answers host-missing 421 'localhost' failures -H 'Host;'
answers host-localhost 200 'Failures' failures -H 'Host: LocalHost:8080'
answers host-v6 200 'Failures' failures -H 'Host: [::1]:8080'
long=$(printf 'x%.0s' {1..30000})
get "failures?user=$long"
same a-request-that-is-too-long "414 431" "$(grep -ow "$status" <<<"414 431" >/dev/null && echo 414 431 || echo "$status")"
answers still-there 200 Failures failures
exec 3<>"/dev/tcp/127.0.0.1/$(grep -oE '[0-9]+/$' <<<"$url" | tr -d /)"
printf 'GET / HTTP/1.1\r\nHost: localhost\r\nX: \xff\xfe\x00bad\r\n\r\n' >&3
same a-garbled-request-is-answered HTTP/1.1 "$(head -c 8 <&3)"
exec 3>&-
answers still-there-2 200 Failures failures

# ---- filters: the same rows as SQL gives ----
rows_are() { # NAME QUERY WHERE
    get "api/failures?limit=1000&$2"
    same "filter-$1" "$(ask "$db" "SELECT id FROM failures WHERE $3 ORDER BY first_seen DESC, id DESC" | xargs)" \
        "$(jq -r '.rows[].id' body | xargs)"
}
rows_are plain "" "severity = 'failure'"
rows_are all all=1 1
rows_are verdict verdict=timeout "severity = 'failure' AND verdict = 'timeout'"
rows_are grade grade=B "severity = 'failure' AND grade = 'B'"
rows_are user user=USER1 "caller LIKE '%user1%' OR callee LIKE '%user1%'"
rows_are partner partner=198.51.100.30 "dst_addr = '198.51.100.30'"
rows_are partner-domain partner=example.net "callee LIKE '%@example.net'"
rows_are addr addr=10.80.0.40 "src_addr = '10.80.0.40'"
rows_are finding finding=silent-drop "severity = 'failure' AND id IN (SELECT substr(scope, 9) FROM findings WHERE code = 'silent-drop' AND scope LIKE 'failure:%')"
rows_are around 'around=2012-12-10T10:44:00Z' "caller = 'sip:user1@contoso.com'"
rows_are day since=2014-05-12\&until=2014-05-12 "first_seen LIKE '2014-05-12%'"
rows_are two 'verdict=refused&grade=A' "severity = 'failure' AND verdict = 'refused' AND grade = 'A'"
rows_are none 'user=%25' "0"
rows_are id id=1 "id = 1 AND severity = 'failure'"
get 'failures?limit=1000&verdict=timeout'
same filter-page-has-the-same "$(ask "$db" "SELECT id FROM failures WHERE severity = 'failure' AND verdict = 'timeout' ORDER BY first_seen DESC, id DESC" | xargs)" \
    "$(grep -oE '<a href="/failures/[0-9]+"' body | grep -oE '[0-9]+' | xargs)"
answers filter-stays-in-the-form 200 '<option selected>timeout</option>' 'failures?verdict=timeout&user=a%26%22b'
same filter-stays-quoted 1 "$(grep -c 'value="a&amp;&quot;b"' body)"
same filter-in-links 1 "$(grep -c 'href="/api/failures?verdict=timeout&amp;user=a%26%22b"' body)"

# ---- paging ----
walk() { # LIST KEY: all values over pages of 7
    local cursor='' pages=0
    while ((pages++ < 100)); do
        get "api/$1?all=1&limit=7&cursor=$cursor"
        jq -r ".rows[].$2" body
        cursor=$(jq -r '.next // ""' body)
        [ -n "$cursor" ] || return
    done
}
for list in failures calls allocations; do
    key=first_seen
    [ $list = failures ] || key=started
    same "paging-$list" "$(ask "$db" "SELECT id FROM $list ORDER BY $key DESC, id DESC" | xargs)" "$(walk $list id | xargs)"
done
same paging-candidates "$(ask "$db" "SELECT count(*) FROM candidates")" "$(walk candidates addr | wc -l)"
get 'failures?limit=5&verdict=refused'
next=$(grep -o 'rel="next" href="[^"]*"' body | sed 's/.*href="\/*//; s/"//; s/&amp;/\&/g')
get "$next"
same paging-page-two "$(ask "$db" "SELECT id FROM failures WHERE severity = 'failure' AND verdict = 'refused' ORDER BY first_seen DESC, id DESC LIMIT 5 OFFSET 5" | xargs)" \
    "$(grep -oE '<a href="/failures/[0-9]+"' body | grep -oE '[0-9]+' | xargs)"

# ---- the same as the commands say ----
get "failures/$id.json"
same json-as-show "$("$edgewatch" --db "$db" show --format json "$id" | md5sum)" "$(md5sum <body)"
same json-is-a-download "failure-$id.json" "$(grep -oi "failure-$id.json" head)"
get "api/failures/$id"
same api-failure "$("$edgewatch" --db "$db" show --format json "$id" | jq -cS .)" "$(jq -cS . body)"
get "failures/$id.pcapng"
"$edgewatch" --db "$db" -q export "$id" -o want.pcapng
same pcapng-as-export "$(md5sum <want.pcapng) application/x-pcapng" \
    "$(md5sum <body) $(tr -d '\r' <head | sed -n 's/^[Cc]ontent-[Tt]ype: //p')"
get 'calls.csv'
same csv-rows "$(("$(ask "$db" "SELECT count(*) FROM calls")" + 1))" "$(wc -l <body)"
get 'api/summary?since=2013-02-05&until=2013-02-05'
"$edgewatch" --db "$db" -q report --day 2013-02-05 --format json >want.json
same api-summary-as-report "$(jq -c .totals want.json)" "$(jq -c .totals body)"
get 'api/decode?text=0x320'
same api-decode 800 "$(jq .icewarn body)"
get 'failures.csv?verdict=refused'
same csv-of-a-filter "$(ask "$db" "SELECT count(*) FROM failures WHERE severity = 'failure' AND verdict = 'refused'")" \
    "$(($(grep -c . body) - 1))"

# ---- the API's own description ----
get api/openapi.json
cp body openapi.json
views=$(sqlite3 "$db" "SELECT name FROM sqlite_schema WHERE type = 'view' AND name NOT IN ('failure_ends', 'handshakes') ORDER BY 1" | xargs)
same openapi-has-every-view "$views" "$(jq -r '.components.schemas | keys | sort | .[]' openapi.json | xargs)"
for view in $views; do
    same "openapi-columns-$view" "$(sqlite3 "$db" "SELECT name FROM pragma_table_info('$view') ORDER BY 1" | xargs)" \
        "$(jq -r ".components.schemas.$view.properties | keys | sort | .[]" openapi.json | xargs)"
    answers "api-$view" 200 '"next":' "api/$view?limit=3"
    same "api-$view-types" "" "$(jq -r --slurpfile d openapi.json --arg v "$view" '.rows[] | to_entries[] |
        ($d[0].components.schemas[$v].properties[.key].type) as $t |
        (.value | type | if . == "number" then ["number", "integer"] else [.] end) as $got |
        select($t - $got == $t) | "\(.key) is \($got), not \($t)"' body)"
done

# ---- wire text ----
cp "$db" odd.db
name=$(printf 'n%.0s' {1..2000})
sqlite3 odd.db "UPDATE failure SET caller = 'sip:<script>alert(1)</script>\"''&' || char(0x202e) || 'x@evil.example', callee = 'sip:$name@long.example',
    finding = '<b onmouseover=alert(2)>', medium = '\"><img src=x onerror=alert(3)>', local_candidate = '</pre></svg><script>alert(4)</script>',
    explanation = '<i>', advice = '<i>', src_public = '<u>' WHERE id = $id;
    UPDATE call SET caller = '<script>alert(5)</script>', media = '<img>', call_id = '\"><script>alert(6)</script>' WHERE id = $call;
    UPDATE run SET sensor = '<script>alert(7)</script>', sources = '<s>'; UPDATE health_span SET interface = '<script>alert(8)</script>'"
chmod 644 odd.db
serve odd odd.db
for path in "" "?hours=8000&until=2014-05-13" failures "failures/$id" calls "calls/$call" 'partners?since=2012-01-01' 'health?since=2012-01-01' \
    "decode?text=%3Cscript%3Ealert(9)%3C/script%3E" 'failures?user=%3Cscript%3Ealert(10)%3C/script%3E' 'failures?since=%3Cscript%3E' 'nowhere%3Cscript%3E'; do
    get "$path"
    same "escaped-/$path" "" "$(grep -oiE '<script>|<img[^>]*|<b on[^>]*|<[isu]>|</svg></?script' body | head -n 3)"
    same "no-bidi-/$path" 0 "$(LC_ALL=C grep -c $'\xe2\x80\xae' body)"
done

# ---- a database that is missing, then there, then another, then too new ----
mkdir -m 755 later && serve later later/x.db
answers missing-database 503 'x.db: No such file' failures
answers missing-database-api 503 '"reason":"later/x.db: No such file' api/failures
same missing-database-is-said-at-start 1 "$(grep -c 'until it is there' later.err)"
cp "$db" later/x.tmp && chmod 644 later/x.tmp && mv later/x.tmp later/x.db
sleep 0.2
answers database-comes-later 200 'user1@contoso.com' failures
"$edgewatch" --db later/y.db -q read --sensor s "$root/pcaps/verdict-timeout.pcap"
chmod 644 later/y.db && mv later/y.db later/x.db && sleep 1.2
get api/failures
same database-is-replaced timeout "$(jq -r '.rows[].verdict' body | xargs)"
cp "$db" later/z.db && sqlite3 later/z.db 'PRAGMA user_version = 9999' && chmod 644 later/z.db && mv later/z.db later/x.db && sleep 1.2
answers database-is-newer 503 'newer than this edgewatch' failures
answers database-is-newer-overview 503 'newer than this edgewatch' ""
printf garbage >later/g.db && chmod 644 later/g.db && mv later/g.db later/x.db && sleep 1.2
answers database-is-garbage 503 'not a database' failures

# ---- while somebody writes ----
mkdir -m 777 busy
cp "$db" busy/b.db && cp "$db" quiet.db && chmod 666 busy/b.db
serve busy busy/b.db
(for ((i = 0; i < 60; i++)); do for path in "" "failures?user=u$i" "api/failures?limit=1000&all=1&x=$i"; do curl -s -m 20 -o /dev/null -w '%{http_code}\n' "$url$path"; done; done >busy.codes) &
asking=$!
for case in verdict-half-open verdict-single-syn finding-silent-drop finding-far-side-refuses finding-relay-quota; do
    "$edgewatch" --db busy/b.db -q read --sensor edge "$root/pcaps/$case.pcap" 2>>busy.said
    "$edgewatch" --db quiet.db -q read --sensor edge "$root/pcaps/$case.pcap" 2>>busy.said
done
wait $asking
same written-beside-loses-nothing "$(whole quiet.db | md5sum)" "$(whole busy/b.db | md5sum)"
same written-beside-says-nothing "" "$(cat busy.said)"
same written-beside-answers "200" "$(sort -u busy.codes | grep -v 429 | xargs)"
sleep 1.2
get 'api/failures?limit=1000'
same written-beside-is-seen "$(ask quiet.db "SELECT count(*) FROM failures WHERE severity = 'failure'")" "$(jq '.rows | length' body)"

# ---- starting, and who else may come in ----
fails() { # NAME CODE PATTERN OPTIONS...
    local name=$1 want=$2 pattern=$3 got
    shift 3
    timeout 10 "$edgewatch" --db "$db" --config /dev/null serve "$@" >out 2>err </dev/null
    got=$?
    if [ $got = "$want" ] && grep -qe "$pattern" err; then ok "$name"; else not_ok "$name" "exit code $got: $(head -n 1 err)"; fi
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=edge 2>/dev/null
head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >token
echo short >short
fails listen-nonsense 64 'is not ADDR:PORT' --listen here
fails listen-name 64 'is not ADDR:PORT' --listen localhost:80
fails listen-taken 69 'Address already in use' --listen "$(sed 's,.*//,,; s,/,,' <<<"$main")"
fails listen-elsewhere 69 'Cannot assign' --listen 192.0.2.77:0 --cert cert.pem --key key.pem --token-file token
fails open-without-anything 78 'needs --cert, --key and' --listen 0.0.0.0:0
fails open-without-token 78 'needs --cert, --key and' --listen 0.0.0.0:0 --cert cert.pem --key key.pem
fails open-without-tls 78 'needs --cert, --key and' --listen '[::]:0' --token-file token
fails key-without-cert 64 'belong together' --key key.pem
fails cert-missing 78 'none.pem: No such file' --cert none.pem --key key.pem
fails cert-is-none 78 'is not PEM' --cert token --key key.pem
fails key-is-none 78 'is not PEM' --cert cert.pem --key cert.pem
fails token-short 78 'no word of 16' --token-file short
fails token-missing 78 'No such file' --token-file none
openssl ecparam -name prime256v1 -genkey -noout -out other.pem 2>/dev/null
fails key-of-another 69 'belong together' --cert cert.pem --key other.pem

serve tls "$db" --cert cert.pem --key key.pem --token-file token
token=$(cat token)
same tls-url https "${url%%:*}"
answers tls-no-token 401 'Give the token' failures -k
same tls-asks 1 "$(grep -ci '^www-authenticate: Basic' head)"
answers tls-bearer 200 user1 failures -k -H "Authorization: Bearer $token"
answers tls-basic 200 user1 failures -k -u "x:$token"
answers tls-token-of-another-length 401 Give failures -k -H "Authorization: Bearer ${token}x"
answers tls-token-half 401 Give failures -k -H "Authorization: Bearer ${token:0:20}"
answers tls-token-empty 401 Give failures -k -H "Authorization: Bearer "
answers tls-asset-too 401 Give style.css -k
answers tls-other-host 421 localhost failures -k -H 'Host: evil.example' -H "Authorization: Bearer $token"
for ((i = 0; i < 12; i++)); do get failures -k -u x:wrongwrongwrongwrong; done
answers tls-guessing-is-slow 429 'wrong tokens' failures -k -u "x:$token"
same tls-token-is-nowhere "" "$(grep -l "$token" tls.out tls.err)"
status=$(curl -s -m 5 -o body -w '%{http_code}' "http://${url#https://}")
same tls-no-plain 000 "$status"

url=$main
answers still-there-in-the-end 200 user1 failures
kill -TERM "${servers[0]}"
wait "${servers[0]}"
same ends-with-0 0 $?
same says-one-line 1 "$(wc -l <main.err)"
same silent-on-stdout 0 "$(cat ./*.out | wc -c)"
finish
