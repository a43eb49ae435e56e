#!/bin/bash
# The pages of serve in headless Chromium: tests/pages/pages.mjs says what is tested. What drives the browser comes from npm, pinned, into
# build/; without npm or a registry the tests are skipped. EW_SHOTS=FOLDER keeps screenshots to be looked at.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
modules=$PWD/build/pages
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work" # root becomes nobody
export TZ=UTC

for tool in node npm sqlite3 "${CHROMIUM:-/usr/bin/chromium}"; do
    command -v "$tool" >/dev/null || { skip pages "no $tool here"; exit 0; }
done
if ! cmp -s tests/pages/package.json "$modules/package.json" || [ ! -e "$modules/node_modules/playwright-core" ]; then
    mkdir -p "$modules" && cp tests/pages/package.json "$modules/"
    if ! (cd "$modules" && timeout 120 npm install --ignore-scripts --no-audit --no-fund --no-package-lock >"$work/npm" 2>&1); then
        rm -f "$modules/package.json"
        skip pages "npm does not reach a registry: $(grep -m 1 -oE '(ERR!|error) .*' "$work/npm")"
        exit 0
    fi
fi

db=$work/a.db
for case in incident1-sip incident2 verdict-refused verdict-timeout verdict-alloc-fail udp-refused finding-own-outbound-range-blocked \
    finding-connection-table-limit negative-failed-beside-working; do
    mapfile -t files < <(paths "$case")
    read_into "$db" --sensor edge "${files[@]}" || not_ok "pages: read $case" "$(head -n 1 "$work/said")"
done
id=$(ask "$db" "SELECT id FROM failures WHERE caller = 'sip:user1@contoso.com'")
call=$(ask "$db" "SELECT id FROM calls WHERE caller = 'sip:user1@contoso.com'")
cp "$db" "$work/odd.db"
name=$(printf 'n%.0s' {1..2000})
sqlite3 "$work/odd.db" "UPDATE failure SET caller = 'sip:<script>alert(1)</script>\"''&' || char(0x202e) || 'x@evil.example', callee = 'sip:$name@long.example',
    finding = '<b onmouseover=alert(2)>', medium = '\"><img src=x onerror=alert(3)>', local_candidate = '</pre></svg><script>alert(4)</script>',
    explanation = '<i>$name', advice = '$name', src_public = '<u>' WHERE id = $id;
    UPDATE call SET caller = '<script>alert(5)</script>', callee = '$name', media = '$name', offer_relay = '<script>' WHERE id = $call;
    UPDATE call SET callee = 'sip:' || char(0x5d0, 0x5d1, 0x5d2) || '@' || char(0x202e) || '$name' WHERE id <> $call;
    UPDATE finding SET advice = '$name<script>alert(9)</script>', code = 'x<script>';
    UPDATE run SET sensor = '<script>alert(7)</script>', sources = '$name'; UPDATE health_span SET interface = '<script>alert(8)</script>$name'"
chmod 644 "$work"/*.db

serve() { # NAME: $url
    local i
    "$edgewatch" --db "$work/$1.db" --config /dev/null serve --listen 127.0.0.1:0 2>"$work/$1.err" &
    servers+=($!)
    url=
    for ((i = 0; i < 100 && ${#url} == 0; i++)); do
        url=$(grep -o 'http://[^ ]*' "$work/$1.err")
        sleep 0.1
    done
}
# ---- as files: nights of every kind, and the stories of the incidents ----
files=$work/files
mkdir "$files"
into() { # NAME DB ARGUMENTS...
    local name=$1 of=$2
    shift 2
    "$edgewatch" -q --db "$of" --config /dev/null "$@" --format html -o "$files/$name.html" || not_ok "pages: $name" "exit code $?"
}
tests/help/night.sh "$work/night.db" 300 "$edgewatch" || not_ok "pages: night" "cannot be made"
since=2026-01-30T18:00Z until=2026-01-31T08:00Z
into two-ordinary "$work/night.db" report --since $since --until $until
into partners "$work/night.db" report --since $since --until $until --by partner
into empty "$work/night.db" report --since 2026-01-26T18:00Z --until 2026-01-27T08:00Z
into dark "$work/night.db" report --since 2026-03-01 --until 2026-03-02
into first "$work/night.db" report --since 2026-01-23T18:00Z --until 2026-01-24T08:00Z
into week "$work/night.db" report --days 7 --day 2026-01-30
into two-incidents "$db" report --day 2012-12-10
into show-incident1 "$db" show "$id"
into show-odd "$work/odd.db" show "$id"

serve a && plain=$url
serve odd && odd=$url
if [ -z "$plain" ] || [ -z "$odd" ]; then
    not_ok pages "serve does not start: $(cat "$work"/*.err)"
    finish
fi
EW_MODULES=$modules timeout 400 node tests/pages/pages.mjs "$plain" "$odd" "$id" "$call" "$files" ${EW_SHOTS:+"$EW_SHOTS"} >"$work/out" 2>&1
status=$?
grep -E '^(ok|not ok|skip) ' "$work/out"
failed_tests=$(grep -c '^not ok' "$work/out")
[ $status = 0 ] || [ "$failed_tests" != 0 ] || not_ok pages "ended with status $status: $(tail -n 3 "$work/out" | tr '\n' ' ')"
# ---- every page is HTML ----
paths=('' '?hours=168' failures 'failures?all=1&verdict=refused' 'failures?user=nobody' "failures/$id" calls "calls/$call" 'partners?since=2012-01-01'
    'health?since=2012-01-01' decode 'decode?text=0x320' 'failures?since=banana' nothing failures/999999)
if bin=$(tests/help/node.sh 2>"$work/why"); then
    for i in "${!paths[@]}"; do
        curl -s "$plain${paths[i]}" -o "$files/page-$i.html"
        curl -s "$odd${paths[i]}" -o "$files/odd-$i.html"
    done
    for file in "$files"/*.html; do
        grep -q '</html>' "$file" || not_ok "pages: $(basename "$file")" "is no page"
    done
    found=$("$bin/html-validate" --config tests/help/html-validate.json "$files"/*.html 2>&1) && ok "pages are valid HTML ($(find "$files" -name '*.html' | wc -l))" ||
        not_ok "pages are valid HTML" "$(head -n 12 <<<"$found")"
else
    skip "pages are valid HTML" "$(cat "$work/why")"
fi
grep -q '^ok nothing ran' "$work/out" || not_ok pages "did not come to the end: $(grep -vE '^ok' "$work/out" | tail -n 3 | tr '\n' ' ')"
finish
