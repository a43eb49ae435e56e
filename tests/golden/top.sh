#!/bin/bash
# top in a terminal that a test can type into and look at (tmux): 80 by 24 and other sizes, UTF-8 and C locales, keys, new failures as they
# come, and what is left behind when it ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
export TZ=UTC LC_ALL=C.UTF-8
unset EDGEWATCH_DB EDGEWATCH_CONFIG NO_COLOR TMUX
command -v tmux >/dev/null || { skip top "no tmux here"; exit 0; }
turn=0 socket=edgewatch-top-$$-0
trap 'tmux -u -L "$socket" kill-server 2>/dev/null; rm -rf "$work"' EXIT
db=$work/t.db
for case in incident1-sip verdict-timeout finding-own-outbound-range-blocked verdict-alloc-fail; do
    mapfile -t files < <(paths "$case")
    read_into "$db" --sensor edge "${files[@]}" || not_ok "top: read $case" "$(head -n 1 "$work/said")"
done
id=$(ask "$db" "SELECT id FROM failures WHERE caller = 'sip:user1@contoso.com'")
odd=$work/odd.db
cp "$db" "$odd"
sqlite3 "$odd" "UPDATE failure SET finding = 'ä' || char(27) || '[31m' || char(0x202e) || 'ö', verdict = 'x' || char(7) WHERE id = $id;
    UPDATE call SET caller = 'sip:ünï@contoso.com'; UPDATE health_span SET interface = 'é' || char(27, 91) || '2J'"

# A server of its own each time: one that ends may take the next session with it.
stop() {
    tmux -u -L "$socket" kill-server 2>/dev/null
    socket=edgewatch-top-$$-$((++turn))
}

start() { # COLUMNS ROWS LOCALE DB [VARIABLE=VALUE...]
    local columns=$1 rows=$2 locale=$3 of=$4
    shift 4
    stop
    tmux -u -L "$socket" -f /dev/null new-session -d -x "$columns" -y "$rows" \
        "env LC_ALL=$locale $* '$edgewatch' --db '$of' --config /dev/null top 2>'$work/err'; echo \"ended with \$?\"; exec sleep 60"
}
keys() { tmux -u -L "$socket" send-keys "$@" 2>/dev/null; }
screen() { tmux -u -L "$socket" capture-pane -p 2>/dev/null; }

# Until the screen shows it, at most ten seconds.
shows() { # NAME PATTERN
    local i
    for ((i = 0; i < 100; i++)); do
        screen >"$work/screen"
        grep -qe "$2" "$work/screen" && { ok "$1"; return; }
        sleep 0.1
    done
    not_ok "$1" "the screen lacks '$2': $(head -n 3 "$work/screen" | tr '\n' '|')"
}
chosen() { grep -a '^>' "$work/screen" | awk '{ print $2 }'; }

# ---- 80 by 24 ----
start 80 24 C.UTF-8 "$db"
shows title '^ edgewatch .* failure'
newest=$(ask "$db" "SELECT id FROM failures WHERE severity = 'failure' ORDER BY first_seen DESC, id DESC" | head -n 11 | xargs)
shows all-of-it '^ Up Down'
same failures-newest-first "$newest" "$(sed -n '3,13p' "$work/screen" | sed 's/^>/ /' | awk '{ print $1 }' | xargs)"
same every-part-is-there "FINDING PARTNER SENSOR" "$(grep -owE 'PARTNER|SENSOR|FINDING' "$work/screen" | sort | xargs)"
same partners-of-the-day "$(ask "$db" "SELECT DISTINCT dst_addr FROM failures WHERE leg = 'relay-peer' AND severity = 'failure' AND first_seen LIKE '2013-02-05%' ORDER BY 1" | head -n 4 | xargs)" \
    "$(sed -n '15,18p' "$work/screen" | awk '{ print $1 }' | xargs)"
shows keys-are-told 'Enter  story   Tab  partners   i  info   q  quit'
same chosen-is-the-first "${newest%% *}" "$(chosen)"
keys Down; keys j; keys Up
sleep 0.5
screen >"$work/screen"
same chosen-moves "$(cut -d' ' -f2 <<<"$newest")" "$(chosen)"
keys End
shows end-goes-to-the-oldest "^> *$id "
keys Enter
shows story "^FAILURE $id: refused"
same story-is-what-show-says "$(COLUMNS=80 "$edgewatch" --db "$db" show "$id" | sed 's/ *$//' | head -n 22)" "$(sed 's/ *$//' "$work/screen" | head -n 22)"
keys NPage; keys NPage; keys NPage; keys NPage; keys NPage; keys NPage; keys NPage
shows story-goes-to-its-end "export $id -o failure-$id.pcapng"
keys Escape
shows escape-goes-back '^ edgewatch .* failure'
same chosen-is-kept "$id" "$(grep -a '^>' "$work/screen" | awk '{ print $2 }')"
keys Tab
shows tab-goes-to-partners '^> *198.51.100'
partner=$(grep -a '^>' "$work/screen" | grep -oE '198[0-9.]+')
keys Enter
shows partner-has-its-failures "partner ${partner:0:9}"
same partner-alone "$(ask "$db" "SELECT count(*) FROM failures WHERE dst_addr = '$partner' AND severity = 'failure'")" \
    "$(sed -n '3,13p' "$work/screen" | grep -c "$partner")"
keys Escape
shows escape-shows-all "^  *$(cut -d' ' -f3 <<<"$newest") "

# ---- as they come ----
keys g
read_into "$db" --sensor edge pcaps/verdict-unreachable.pcap
shows new-failures-come '^[*>].* unreachable'

# ---- other sizes ----
for size in '140 40' '40 10' '20 5' '10 2' '80 24'; do
    # shellcheck disable=SC2086 # two words
    set -- $size
    tmux -u -L "$socket" resize-window -x "$1" -y "$2"
    sleep 0.3
    same "lives-at-$1-by-$2" "" "$(screen | grep '^ended with')"
done
tmux -u -L "$socket" resize-window -x 140 -y 40
shows wide-has-users 'user1@contoso.com > user2@fabrikam.com'
keys q
shows q-ends-with-0 '^ended with 0'
same nothing-on-stderr "" "$(cat "$work/err")"

# ---- locales, colours, hostile texts ----
for locale in C C.UTF-8; do
    start 140 30 $locale "$odd"
    shows "odd-$locale" '^ Up Down'
    keys End
    shows "odd-$locale-chosen" "^> *$id "
    text=$(tmux -u -L "$socket" capture-pane -p)
    same "odd-$locale-no-control" 0 "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae|\[31m\x1b' <<<"$text")"
    if [ $locale = C ]; then
        same "odd-C-is-ascii" 0 "$(LC_ALL=C grep -c $'[\x80-\xff]' <<<"$text")"
        shows odd-C-one-mark-a-letter '??\[31m??'
    else
        shows odd-UTF-8-letters 'ä?\[31m???ö'
    fi
    keys Enter
    shows "odd-$locale-story" "^FAILURE $id"
    keys q
    shows "odd-$locale-ends" '^ended with 0'
done
start 80 24 C.UTF-8 "$db"
shows colour-on '^ Up Down'
same colour-is-used "yes" "$(tmux -u -L "$socket" capture-pane -p -e | grep -q $'\e\\[[0-9;]*31m' && echo yes || echo no)"
start 80 24 C.UTF-8 "$db" NO_COLOR=1
shows colour-off '^ Up Down'
same colour-is-not-used "no" "$(tmux -u -L "$socket" capture-pane -p -e | grep -q $'\e\\[[0-9;]*31m' && echo yes || echo no)"

# ---- a database that goes away, signals, and where there is no terminal ----
start 80 24 C.UTF-8 "$odd"
shows away-before '^ Up Down'
mv "$odd" "$odd.away"
shows away-is-told 'odd.db: No such file'
mv "$odd.away" "$odd"
shows back-again '^ Up Down'
for signal in TERM INT HUP; do
    start 80 24 C.UTF-8 "$db"
    shows "signal-$signal-before" '^ Up Down'
    pkill -"$signal" -P "$(tmux -u -L "$socket" list-panes -F '#{pane_pid}')"
    shows "signal-$signal-ends-with-0" '^ended with 0'
done
start 80 24 C.UTF-8 "$db" TERM=nonsense
shows terminal-unknown '^ended with 69'
same terminal-unknown-is-told 1 "$(grep -c 'nonsense' "$work/err")"
start 80 24 C.UTF-8 "$work/none.db"
shows no-database '^ended with 74'
"$edgewatch" --db "$db" top </dev/null >"$work/out" 2>"$work/err"
same no-terminal "69 terminal" "$? $(grep -o 'terminal' "$work/err" | head -n 1)"
finish
