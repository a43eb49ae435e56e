#!/bin/bash
# TLS connections that the openssl command makes, captured on the loopback of a network namespace and
# read by us: every version, kind of key and family of ciphers is a row. What must come out is what
# openssl's client sent, and the same backwards, which openssl's server answers (-rev). What libssl of
# Debian does not speak any more is spoken by GnuTLS, whose server answers with the same.
#
# usage: tests/live/tls.sh     needs: root, openssl, gnutls-bin, dumpcap, sqlite3
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need tls openssl gnutls-serv gnutls-cli dumpcap sqlite3
make_work
ns=tls
dump=build/release/golden/stream_dump
pcap=$work/all.pcapng
ip netns add "$lab-$ns"
in_ns "$ns" ip link set lo up

# ---- keys ----

cd "$work" || exit 1
ssl() { openssl "$@" >>ssl.log 2>&1; }
certificate() { # NAME KEY-ARGUMENTS...
    local name=$1
    shift
    ssl req -x509 -newkey "$@" -nodes -keyout "$name.pem" -out "$name.crt" -days 30 \
        -subj "/O=Test/CN=sip.$name.example" -addext "subjectAltName=DNS:sip.$name.example,DNS:$name.example"
}
certificate rsa rsa:2048
certificate other rsa:2048
certificate ec ec -pkeyopt ec_paramgen_curve:prime256v1
ssl req -new -key rsa.pem -subj /CN=sip.old.example -out old.csr
ssl x509 -req -in old.csr -signkey rsa.pem -days -1 -out old.crt # expired yesterday
ssl pkcs8 -topk8 -in rsa.pem -v2 aes-256-cbc -passout pass:sesame -out rsa-enc.p8
ssl rsa -in rsa.pem -outform DER -out rsa.der
ssl pkcs12 -export -inkey rsa.pem -in rsa.crt -passout pass:sesame -out rsa.p12
printf 'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\nCipherString = DEFAULT@SECLEVEL=0\n' >noems.cnf
cd "$here/../.." || exit 1

# ---- conversations ----

within() { # TENTHS COMMAND...: until it succeeds
    local left=$1
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

ports=0
declare -A line
listening() { [ -n "$(in_ns "$ns" ss -Hltn "sport = :$1")" ]; }

# Leaves $port: the server has its own for each row.
serve() { # SERVER-ARGUMENTS...
    port=$((20000 + ++ports))
    (cd "$work" && exec ip netns exec "$lab-$ns" openssl s_server -accept "$port" -rev "$@") \
        </dev/null >>"$work/server.log" 2>&1 &
    started+=($!)
}

# One line from the client; further lines may be commands of s_client.
say() { # ROW PORT LINES CLIENT-ARGUMENTS...
    local row=$1 at=$2 lines=$3
    shift 3
    (
        cd "$work" || exit
        within 100 listening "$at" || echo "    no server for $row"
        { sleep 0.3 && printf '%s\n' "$lines" && within 80 grep -qF "$(rev <<<"$lines")" "client.$row"; } |
            timeout 15 ip netns exec "$lab-$ns" openssl s_client -connect "127.0.0.1:$at" \
                -keylogfile "keys.$row" "$@" >"client.$row" 2>&1
    )
}

text() { echo "this is row $1, and 0123456789 to see it by"; }

# Server and client of a row; the port it ran on is remembered by its name.
declare -A port_of
row() { # ROW SERVER-ARGUMENTS -- CLIENT-ARGUMENTS
    local name=$1 server=()
    shift
    while [ "$1" != -- ]; do server+=("$1") && shift; done
    shift
    serve "${server[@]}"
    port_of[$name]=$port
    line[$name]=$(text "$name")
    say "$name" "$port" "${line[$name]}" "$@" &
    started+=($!)
    talks+=($!)
}
talks=()
hang_up() { wait "${talks[@]}"; talks=(); }

start_capture() {
    ip netns exec "$lab-$ns" dumpcap -q -i lo -w "$pcap" >"$work/dumpcap.log" 2>&1 &
    capture=$!
    started+=($capture)
    within 100 grep -q '^File:' "$work/dumpcap.log"
    sleep 0.3
}

old="-cipher DEFAULT@SECLEVEL=0"
rsa="-cert rsa.crt -key rsa.pem"
ec="-cert ec.crt -key ec.pem"
# shellcheck disable=SC2086 # lists of arguments
all_rows() {
    for v in tls1 tls1_1 tls1_2; do
        row $v-rsa-aes128-etm $rsa -$v -cipher AES128-SHA@SECLEVEL=0 -- -$v -cipher AES128-SHA@SECLEVEL=0
        row $v-rsa-aes256-mte $rsa -$v -no_etm -cipher AES256-SHA@SECLEVEL=0 -- -$v -cipher AES256-SHA@SECLEVEL=0
        row $v-ecdhe-cbc $rsa -$v -cipher ECDHE-RSA-AES128-SHA@SECLEVEL=0 -- -$v -cipher ECDHE-RSA-AES128-SHA@SECLEVEL=0
    done
    row tls1-no-ems $rsa -tls1 $old -- -tls1 -cipher AES128-SHA@SECLEVEL=0
    for c in AES128-SHA256 AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-CCM AES256-CCM8 CAMELLIA128-SHA NULL-SHA256; do
        row rsa-$c $rsa -tls1_2 -cipher $c@SECLEVEL=0 -- -tls1_2 -cipher $c@SECLEVEL=0
    done
    hang_up
    for c in ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 \
        ECDHE-RSA-CHACHA20-POLY1305 DHE-RSA-AES256-SHA256 DHE-RSA-AES256-CCM8; do
        row log-$c $rsa -tls1_2 -cipher $c -- -tls1_2 -cipher $c
    done
    row log-ECDHE-ECDSA-AES128-CCM8 $ec -tls1_2 -cipher ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0 -- \
        -tls1_2 -cipher ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0
    for c in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256; do
        row tls13-$c $rsa -tls1_3 -ciphersuites $c -- -tls1_3 -ciphersuites $c
    done
    row tls13-retry $rsa -tls1_3 -groups P-384 -- -tls1_3 -groups X25519:P-384
    row tls13-mutual $rsa -tls1_3 -Verify 1 -CAfile other.crt -- -tls1_3 -cert other.crt -key other.pem
    row rsa-mutual $rsa -tls1_2 -Verify 1 -CAfile other.crt -cipher AES128-SHA -- \
        -tls1_2 -cert other.crt -key other.pem
    row unread-aria $rsa -tls1_2 -cipher ARIA128-GCM-SHA256 -- -tls1_2 -cipher ARIA128-GCM-SHA256
    hang_up
}

# The second connection resumes the first one's session.
# shellcheck disable=SC2086
resumed_rows() {
    row full-id $rsa -tls1_2 -no_ticket -cipher AES128-SHA256 -- -tls1_2 -sess_out id.sess
    row full-ticket $rsa -tls1_2 -cipher AES128-GCM-SHA256 -- -tls1_2 -sess_out ticket.sess
    row full-13 $rsa -tls1_3 -- -tls1_3 -sess_out 13.sess
    hang_up
    for kind in id ticket 13; do
        port_of[resumed-$kind]=${port_of[full-$kind]}
        line[resumed-$kind]=$(text resumed-$kind)
        say resumed-$kind "${port_of[full-$kind]}" "${line[resumed-$kind]}" -sess_in $kind.sess &
        talks+=($!)
    done
    hang_up
}

# R renegotiates, K updates both sides' keys, k the client's: each a line of its own.
# shellcheck disable=SC2086
command_rows() {
    serve $rsa -tls1_2 -client_renegotiation -cipher AES128-SHA
    port_of[renegotiated]=$port
    serve $rsa -tls1_3
    port_of[updated]=$port
    for name in renegotiated:R updated:K updated-once:k; do
        letter=${name#*:} name=${name%:*}
        : "${port_of[$name]:=$port}"
        (
            cd "$work" || exit
            within 100 listening "${port_of[$name]}"
            {
                step() { echo "$1" && within 80 grep -qF "$(rev <<<"$1")" "client.$name"; }
                sleep 0.3; step "before"; echo "$letter"; sleep 0.5; step "after the change"
                echo "$letter"; sleep 0.5; step "and again"
            } | timeout 10 ip netns exec "$lab-$ns" openssl s_client -connect "127.0.0.1:${port_of[$name]}" \
                -keylogfile "keys.$name" >"client.$name" 2>&1
        ) &
        talks+=($!)
    done
    hang_up
}

# Rows of GnuTLS, by what they exchange keys with.
gnutls_rows() {
    local name priority
    for name in gnutls-RSA gnutls-ECDHE-RSA gnutls-DHE-RSA; do
        port=$((20000 + ++ports))
        port_of[$name]=$port
        line[$name]=$(text "$name")
        priority=NONE:+VERS-TLS1.2:+3DES-CBC:+SHA1:+SIGN-ALL:+COMP-NULL:+GROUP-ALL:+${name#gnutls-}
        (cd "$work" && exec ip netns exec "$lab-$ns" gnutls-serv --echo --port "$port" --x509keyfile rsa.pem \
            --x509certfile rsa.crt --priority "$priority") </dev/null >>"$work/server.log" 2>&1 &
        started+=($!)
        (
            cd "$work" || exit
            within 100 listening "$port" || echo "    no server for $name"
            { sleep 0.3 && echo "${line[$name]}" && within 80 grep -qF "${line[$name]}" "client.$name"; } |
                SSLKEYLOGFILE=keys.$name timeout 15 ip netns exec "$lab-$ns" gnutls-cli --insecure --port "$port" \
                    --priority "$priority" 127.0.0.1 >"client.$name" 2>&1
        ) &
        talks+=($!)
    done
    hang_up
}

start_capture
all_rows
gnutls_rows
[ -e "$work/noems.cnf" ] && OPENSSL_CONF=$work/noems.cnf row tls12-no-ems $rsa -tls1_2 -cipher AES128-SHA256 -- -tls1_2 -cipher AES128-SHA256
hang_up
resumed_rows
command_rows
sleep 0.5
kill -TERM "$capture" 2>/dev/null
wait "$capture" 2>/dev/null
cat "$work"/keys.* >"$work/keys.log"

# ---- what we read of it ----

# stream_dump's lines as "PORT c|s TEXT"
texts() { # FILE
    awk '{ n = split($1, end, /[>]/); split(end[1], a, ":"); split(end[2], b, ":")
           side = b[2] >= 20000 && b[2] < 20100 ? "c" : "s"
           print (side == "c" ? b[2] : a[2]), side, $2 }' "$1" |
        while read -r p side hex; do
            printf '%s %s %s\n' "$p" "$side" "$(xxd -r -p <<<"$hex" | tr '\n' '|')"
        done
}

has() { # NAME FILE PORT SIDE TEXT
    if grep -qF "$3 $4 " "$2" && grep -F "$3 $4 " "$2" | grep -qF "$5|"; then
        return 0
    fi
    return 1
}

# Both directions of a row, as sent and as openssl turned it round; GnuTLS did not.
expect_row() { # ROW TEXTS [NAME]
    local sent=${line[$1]} p=${port_of[$1]} name=${3:-$1} back
    back=$(rev <<<"$sent")
    [[ $1 != gnutls-* ]] || back=$sent
    if ! has "$1" "$2" "$p" c "$sent"; then
        not_ok "$name" "what the client sent is not there: $(grep "^$p c" "$2" | head -c 200)"
    elif ! grep -qF "$back" "$work/client.$1"; then
        not_ok "$name" "the client itself got no answer: $(tail -n 3 "$work/client.$1" | head -c 200)"
    elif ! has "$1" "$2" "$p" s "$back"; then
        not_ok "$name" "what the server answered is not there: $(grep "^$p s" "$2" | head -c 200)"
    else
        ok "$name"
    fi
}

expect_none() { # NAME PORT TEXTS
    verdict "$1" "$(grep -E "^$2 " "$3" | head -c 200)"
}

"$dump" -t -k "$work/rsa.pem" "$pcap" 2>"$work/key.state" >"$work/key.hex"
"$dump" -t -l "$work/keys.log" "$pcap" 2>"$work/log.state" >"$work/log.hex"
"$dump" -t -L "$work/keys.log" "$pcap" 2>"$work/late.state" >"$work/late.hex"
"$dump" -t -k "$work/other.pem" "$pcap" 2>"$work/other.state" >"$work/other.hex"
for kind in key log late other; do texts "$work/$kind.hex" >"$work/$kind.txt"; done

for name in "${!line[@]}"; do
    case $name in
    unread-*) expect_none "$name" "${port_of[$name]}" "$work/log.txt" ;;
    *) expect_row "$name" "$work/log.txt" "keylog $name" ;;
    esac
    case $name in
    *rsa-* | gnutls-RSA | tls1-no-ems | tls12-no-ems | full-id | full-ticket | resumed-id | resumed-ticket)
        expect_row "$name" "$work/key.txt" "key $name"
        ;;
    unread-*) ;;
    *13*) expect_none "no private key opens $name" "${port_of[$name]}" "$work/key.txt" ;;
    *log-* | *ecdhe* | gnutls-*) expect_none "no private key opens $name" "${port_of[$name]}" "$work/key.txt" ;;
    esac
done
same "a late key log opens the same" "$(sort "$work/log.txt")" "$(sort "$work/late.txt")"
verdict "another server's key opens nothing" "$(head -c 300 "$work/other.txt")"
for name in renegotiated updated updated-once; do
    for word in before "after the change" "and again"; do
        if has "$name" "$work/log.txt" "${port_of[$name]}" c "$word"; then
            ok "keylog $name: $word"
        else
            not_ok "keylog $name: $word" "is not there: $(grep "^${port_of[$name]} c" "$work/log.txt" | head -c 200)"
        fi
    done
done
if has renegotiated "$work/key.txt" "${port_of[renegotiated]}" c "and again"; then
    ok "key renegotiated"
else
    not_ok "key renegotiated" "$(grep "^${port_of[renegotiated]} c" "$work/key.txt")"
fi
verdict "unsupported ciphers are told" \
    "$(grep -q '^unsupported done TLS 1.2 0xC050' "$work/log.state" || cat "$work/log.state")"

# wrong secrets never give text
sed 's/ [0-9a-f]\{8\}\([0-9a-f]*\)$/ 00000000\1/' "$work/keys.log" >"$work/wrong.log"
"$dump" -t -l "$work/wrong.log" "$pcap" 2>"$work/wrong.state" >"$work/wrong.hex"
verdict "a wrong secret opens nothing" "$(head -c 300 "$work/wrong.hex")"
verdict "... and is told" "$(grep -c '^bad-mac' "$work/wrong.state" | awk '$1 < 20 { print $1 " connections say bad-mac" }')"

# every form of key file reads the same
export SESAME=sesame
for form in rsa.pem rsa-enc.p8 rsa.der rsa.p12; do
    rm -f "$work/db/form.db"
    "$edgewatch" -q --db "$work/db/form.db" read --tls-key "$work/$form" --tls-passphrase env:SESAME "$pcap" \
        2>"$work/err"
    same "key file $form" "$(grep -c '^decrypted' "$work/key.state")" \
        "$(sqlite3 "$work/db/form.db" "SELECT count(*) FROM tls_sessions WHERE state = 'decrypted' AND key = 'key $form'")"
done
unset SESAME
"$edgewatch" -q --db "$work/db/x.db" read --tls-key "$work/rsa-enc.p8" "$pcap" 2>"$work/err"
same "an encrypted key without passphrase" 78 $?
SESAME=wrong "$edgewatch" -q --db "$work/db/x.db" read --tls-key "$work/rsa.p12" --tls-passphrase env:SESAME "$pcap" \
    2>"$work/err"
same "a wrong passphrase" 78 $?

# the passphrase from a file, and from whoever sits at the terminal
echo sesame >"$work/secret"
echo wrong >"$work/guess"
opened() { sqlite3 "$work/db/$1.db" "SELECT count(*) FROM tls_sessions WHERE state = 'decrypted'"; }
asked() { # DATABASE ANSWER: ends as the command does
    /usr/bin/python3 - "$2" "$edgewatch" -q --db "$work/db/$1.db" read --tls-key "$work/rsa-enc.p8" --tls-passphrase ask "$pcap" \
        >"$work/terminal" <<-'PY'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[2], sys.argv[2:])
		said = b""
		while True:
		    try:
		        more = os.read(fd, 4096)
		    except OSError:
		        break
		    if not more:
		        break
		    said += more
		    if said.endswith(b": ") and b"passphrase of" in said:
		        os.write(fd, sys.argv[1].encode() + b"\n")
		sys.stdout.buffer.write(said)
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}
"$edgewatch" -q --db "$work/db/file.db" read --tls-key "$work/rsa-enc.p8" --tls-passphrase "file:$work/secret" "$pcap" 2>"$work/err"
ended=$?
same "a passphrase from a file" "0 $(grep -c '^decrypted' "$work/key.state")" "$ended $(opened file)"
"$edgewatch" -q --db "$work/db/x.db" read --tls-key "$work/rsa-enc.p8" --tls-passphrase "file:$work/guess" "$pcap" 2>"$work/err"
same "a wrong one from a file" 78 $?
"$edgewatch" -q --db "$work/db/x.db" read --tls-key "$work/rsa-enc.p8" --tls-passphrase "file:$work/nothing" "$pcap" 2>"$work/err"
same "a file that is not there" 78 $?
asked ask sesame
ended=$?
same "a passphrase that is asked for" "0 $(grep -c '^decrypted' "$work/key.state")" "$ended $(opened ask)"
verdict "... is not shown" "$(grep -F sesame "$work/terminal")"
asked x nonsense
same "a wrong answer" 78 $?
finish
