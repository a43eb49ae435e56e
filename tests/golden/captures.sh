#!/bin/bash
# The real captures: what edgewatch reads out of each must be what SOURCES.md beside them says tshark
# sees: SIP messages by method and status, candidates, STUN messages by type, TCP connections by how
# their handshake went, failed ones by address. Where a correct reading differs, captures.expected
# says so and why; anything else that differs, and any explanation that no longer holds, fails.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
captures=${EW_CAPTURES:-../shared/captures}
sources=$captures/SOURCES.md
facts=build/release/golden/facts
known=tests/golden/captures.expected

if [ ! -r "$sources" ]; then
    skip captures "no $sources (EW_CAPTURES names the folder)"
    exit 0
fi

# The tables of SOURCES.md as facts prints them, a line each: FILE NAME VALUE
theirs() {
    awk -F' *[|] *' '
        function fact(name, value) { print file, name, value }
        function list(text, prefix, separator,    parts, n, i, value) { # "A 1, B 2" or "100: 4"
            n = split(text, parts, / *, */)
            for (i = 1; i <= n; i++) {
                value = parts[i]
                sub(/.*[ :]/, "", value)
                sub(/:? [0-9]+$/, "", parts[i])
                fact(prefix parts[i], value)
            }
        }
        function inside(text, from) { # what stands in the brackets behind from
            text = substr(text, index(text, from) + length(from))
            return substr(text, 1, index(text, ")") - 1)
        }
        NF >= 12 && $2 ~ /[.]pcap/ {
            file = $2
            fact("packets", $6)
            if ($8 ~ / req \(/) list(inside($8, " req ("), "sip.req.")
            if ($8 ~ / resp \(/) list(inside($8, " resp ("), "sip.resp.")
            if (match($8, /[0-9]+ Call-IDs/)) fact("sip.call-ids", substr($8, RSTART, RLENGTH - 9))
            fact("candidates", $9)
            n = split($10, transports, / *; */)
            for (i = 1; i <= n; i++) {
                transport = substr(transports[i], 1, 3)
                text = substr(transports[i], 6)
                gsub(/ \(0x[0-9a-f]+\)/, "", text)
                gsub(/Send (ind|req)/, "Send", text)
                gsub(/Data ind/, "Data", text)
                while (match(text, /[A-Za-z] (req|ok|err)/)) sub(/ (req|ok|err)/, "-" substr(text, RSTART + 2, RLENGTH - 2), text)
                if (transports[i] ~ /^(UDP|TCP): /) list(text, "stun." transport ".")
            }
            if ($11 != "-") list($11, "tcp.")
        }' "$sources"
    awk '
        /^## / { on = /^## Handshakes that fail/ }
        on && /^[*][*].*[.]pcap/ { file = $1; gsub(/[*]/, "", file) }
        on && /^- / {
            kind = $2
            sub(/:$/, "", kind)
            sub(/^- [^:]*: /, "")
            gsub(/ \[icmp[^]]*x[0-9]+\]/, "")
            n = split($0, parts, /; */)
            for (i = 1; i <= n; i++) {
                syns = match(parts[i], /\([0-9]+ SYN\)/) ? substr(parts[i], RSTART + 1, RLENGTH - 6) : 1
                sub(/ \([0-9]+ SYN\)/, "", parts[i])
                sub(/ > /, ">", parts[i])
                print file, kind, parts[i], syns
            }
        }' "$sources"
}

# Lines of facts summed up as SOURCES.md has them: tcp.KIND N; addresses only of files that it lists so.
ours() { # FILE LISTED-KINDS
    timeout 120 "$facts" "$captures/$1" | awk -v file="$1" -v listed="$2" '
        /^tcp[.][a-z-]+$/ { sum[$1]++; next }
        /^tcp[.]/ { sum[$1] += $2; next }
        $2 ~ />/ { if (index(listed, " " $1 " ")) print file, $0; next }
        { print file, $0 }
        END { for (name in sum) print file, name, sum[name] }'
}

all=$(theirs)
for file in $(awk '{ print $1 }' <<<"$all" | sort -u); do
    listed=" $(awk -v file="$file" '$1 == file && $3 ~ />/ { print $2 }' <<<"$all" | sort -u | tr '\n' ' ')"
    expected=$(awk -v file="$file" '$1 == file' <<<"$all" | sort)
    got=$(ours "$file" "$listed" | sort)
    # as lines "- FILE NAME VALUE" and "+ FILE NAME VALUE", the form of captures.expected
    differences=$(diff <(printf '%s\n' "$expected") <(printf '%s\n' "$got") |
        sed -n 's/^< /- /p; s/^> /+ /p' | sort)
    explained=$(sed 's/ *#.*//' "$known" | grep -F " $file " | sort)
    same "read $file as SOURCES.md has it" "$explained" "$differences"
done
finish
