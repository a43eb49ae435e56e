#!/bin/bash
# Speed of decryption against openssl's own figure for the same cipher on this machine, records of
# 16 kB; and what a connection without a key costs after its handshake. Target: 60 %, and nothing.
#
# usage: tests/bench/tls.sh [SECONDS=1]
set -u
cd "$(dirname "$0")/../.." || exit 1
speed=build/release/bench/tls_speed
seconds=${1:-1}

# Megabytes a second of openssl's cipher, decrypting.
theirs() { # CIPHER
    openssl speed -elapsed -decrypt -evp "$1" -bytes 16000 -seconds "$seconds" 2>/dev/null |
        awk 'END { sub(/k$/, "", $NF); printf "%.0f", $NF / 1000 }'
}

# Of cipher and MAC one after the other.
both() { # CIPHER DIGEST
    local mac
    mac=$(openssl speed -elapsed -hmac "$2" -bytes 16000 -seconds "$seconds" 2>/dev/null |
        awk 'END { sub(/k$/, "", $NF); printf "%.0f", $NF / 1000 }')
    awk -v a="$(theirs "$1")" -v b="$mac" 'BEGIN { if (a && b) printf "%.0f", 1 / (1 / a + 1 / b) }'
}

row() { # NAME VERSION SUITE THEIRS
    local ours
    ours=$("$speed" "$2" "$3" "$seconds")
    awk -v n="$1" -v o="${ours:-0}" -v t="${4:-0}" \
        'BEGIN { printf "%-34s %6d MB/s   openssl %6d MB/s   %3d %%\n", n, o, t, t ? 100 * o / t : 0 }'
}

echo "TLS records opened, against openssl speed:"
row "AES-128-GCM, TLS 1.2" 0x303 0xc02f "$(theirs aes-128-gcm)"
row "AES-256-GCM, TLS 1.3" 0x304 0x1302 "$(theirs aes-256-gcm)"
row "ChaCha20-Poly1305, TLS 1.3" 0x304 0x1303 "$(theirs chacha20-poly1305)"
row "AES-128-CBC with HMAC-SHA1, TLS 1.0" 0x301 0xc013 "$(both aes-128-cbc sha1)"
row "AES-128-CBC with HMAC-SHA256, TLS 1.2" 0x303 0xc027 "$(both aes-128-cbc sha256)"
echo "records read of a connection without a key, after its handshake: $("$speed" unread)"
