#!/bin/bash
# What people read in a terminal, at 80 and 160 columns, with and without colour, in UTF-8 and C locales: nothing is wider than the
# terminal, the words are the same with colour and without, and what came over the wire moves no cursor and changes no title.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
unset NO_COLOR COLUMNS EDGEWATCH_DB EDGEWATCH_CONFIG
export TZ=UTC TERM=xterm
command -v script >/dev/null || { skip text "no script here"; exit 0; }

db=$work/a.db
for case in incident1-sip incident2 verdict-alloc-fail finding-connection-table-limit negative-failed-beside-working; do
    mapfile -t files < <(paths "$case")
    read_into "$db" --sensor edge "${files[@]}" || not_ok "text: read $case" "$(head -n 1 "$work/said")"
done
id=$(ask "$db" "SELECT id FROM failures WHERE caller = 'sip:user1@contoso.com'")
odd=$work/odd.db
cp "$db" "$odd"
long=$(printf 'n%.0s' {1..2000})
sqlite3 "$odd" "UPDATE failure SET caller = 'sip:j' || char(0xfc) || 'rgen@contoso.com', callee = 'sip:' || char(27) || ']0;title' || char(7) ||
    char(27) || '[2J' || char(0x202e, 0x200f, 0x061c, 0x2067, 0x9b) || '<script>''\"@$long.example', finding = char(27) || '[31m',
    explanation = 'a' || char(13, 10) || 'b ' || char(0x4e00, 0x4e8c) WHERE id = $id; UPDATE call SET callee = 'sip:' || char(27) || '[31m$long',
    caller = 'sip:j' || char(0xfc) || 'rgen@contoso.com'; UPDATE run SET sensor = char(27) || '[5m'"

# In a terminal of its own; $work/tty is what it got.
tty() { # COLUMNS LOCALE [VARIABLE=VALUE...] -- DB ARGUMENTS...
    local columns=$1 locale=$2 set=() of
    shift 2
    while [ "$1" != -- ]; do
        set+=("$1")
        shift
    done
    of=$2
    shift 2
    printf -v line '%q ' env "LC_ALL=$locale" "${set[@]}" "$edgewatch" --db "$of" --config /dev/null "$@"
    script -qec "stty cols $columns rows 40; $line" /dev/null </dev/null 2>/dev/null | tr -d '\r' >"$work/tty"
}
bare() { sed 's/\x1b\[[0-9;]*m//g' "$1"; }
colours() { grep -c $'\x1b\\[' "$1"; }
widest() { bare "$1" | LC_ALL=C.UTF-8 wc -L; }

# shellcheck disable=SC2034 # asked for by name
show="show $id" report="report --days 2 --day 2013-02-06" list="failures --all" calls=calls
for what in show report list calls; do
    read -ra words <<<"${!what}"
    for columns in 80 160; do
        tty $columns C.UTF-8 -- "$db" "${words[@]}"
        cp "$work/tty" "$work/$what-$columns"
        wide=$(widest "$work/tty")
        if [ "$wide" -le $columns ] && [ "$wide" -gt $((columns * 2 / 3)) ]; then ok "$what-$columns-fits"; else
            not_ok "$what-$columns-fits" "the widest line has $wide"; fi
        [ "$(colours "$work/tty")" -gt 0 ] && ok "$what-$columns-coloured" || not_ok "$what-$columns-coloured" "no escape"
        same "$what-$columns-only-colour" 0 "$(bare "$work/tty" | grep -c $'[\x01-\x08\x0b-\x1f\x7f]')"
    done
    for off in NO_COLOR=1 TERM=dumb TERM=; do
        tty 80 C.UTF-8 "$off" -- "$db" "${words[@]}"
        same "$what-$off" "0 same" "$(colours "$work/tty") $(bare "$work/$what-80" | cmp -s - "$work/tty" && echo same)"
    done
    "$edgewatch" --db "$db" --config /dev/null "${words[@]}" >"$work/pipe" 2>/dev/null
    same "$what-pipe" 0 "$(colours "$work/pipe")"
    NO_COLOR=1 "$edgewatch" --db "$db" --config /dev/null "${words[@]}" --color always >"$work/painted" 2>/dev/null
    same "$what-always" "yes same" "$([ "$(colours "$work/painted")" -gt 0 ] && echo yes) $(bare "$work/painted" | cmp -s - "$work/pipe" && echo same)"
    tty 80 C.UTF-8 -- "$db" "${words[@]}" --color never
    same "$what-never" 0 "$(colours "$work/tty")"
done
# what is red is what failed; green, what is proven best
grep -q $'FAILURE\x1b\\[0m '"$id: "$'\x1b\\[31mrefused\x1b\\[0m, relay-peer, grade \x1b\\[32mA\x1b' "$work/show-80" && ok verdict-is-red ||
    not_ok verdict-is-red "$(head -n 1 "$work/show-80" | cat -v)"
grep -q $'|<---.*\x1b\\[31mRST' "$work/show-160" && ok reset-is-red || not_ok reset-is-red "$(grep -m 1 RST "$work/show-160" | cat -v)"
grep -q $'\x1b\\[2m.*(info)' "$work/list-160" && ok info-is-quiet || not_ok info-is-quiet "$(grep -m 1 '(info)' "$work/list-160" | cat -v)"
for format in json html; do # colour is of text alone
    same "no-colour-in-$format" 0 "$("$edgewatch" --db "$db" --config /dev/null show "$id" --format $format --color always | grep -c $'\x1b')"
done
same no-colour-in-csv 0 "$("$edgewatch" --db "$db" --config /dev/null failures --format csv --color always | grep -c $'\x1b')"
"$edgewatch" failures --color sometimes >/dev/null 2>"$work/err"
same a-bad-word-is-told "64 1" "$? $(grep -c 'auto, always, never' "$work/err")"

# ---- what came over the wire ----
for columns in 80 160; do
    for locale in C C.UTF-8; do
        for what in show report list; do
            read -ra words <<<"${!what}"
            tty $columns $locale -- "$odd" "${words[@]}"
            same "odd-$what-$columns-$locale-moves-nothing" 0 "$(bare "$work/tty" | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c')"
            [ $locale = C ] && same "odd-$what-$columns-C-is-ascii" 0 "$(LC_ALL=C grep -c $'[\x80-\xff]' "$work/tty")"
        done
        tty $columns $locale -- "$odd" show "$id"
        grep -q "$([ $locale = C ] && echo 'j?rgen@contoso.com' || echo 'jürgen@contoso.com')" "$work/tty" && ok "odd-name-$columns-$locale" ||
            not_ok "odd-name-$columns-$locale" "$(sed -n 2p "$work/tty" | cut -c 1-80)"
    done
done
# into a pipe, a spreadsheet, jq and a page as well: no escape, no mark of direction; names of 2,000 characters whole where programs read
for format in table csv json jsonl; do
    "$edgewatch" --db "$odd" --config /dev/null failures --format $format >"$work/out" 2>/dev/null
    same "odd-$format" "0 $([ $format = table ] && echo 0 || echo 1)" "$(LC_ALL=C grep -cP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c' "$work/out") $(grep -c "$long" "$work/out")"
done
# the ladder's lanes stand below each other, whatever the names are
tty 80 C.UTF-8 -- "$odd" show "$id"
bare "$work/tty" | sed -n '/^WHAT HAPPENED/,/^$/p' | grep -E '^ +[0-9:.]{12} ' >"$work/ladder"
same odd-ladder-is-straight "12 12 12" "$(wc -l <"$work/ladder") $(cut -c 29 "$work/ladder" | grep -c '|') $(cut -c 80 "$work/ladder" | grep -c '|')"
finish
