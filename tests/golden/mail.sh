#!/bin/bash
# report --mail: what a sendmail program gets, read again by Python's email package, is the report.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
db=$work/mail.db
read_into "$db" pcaps/incident1-internal.pcap pcaps/incident1-external.pcap pcaps/incident1-hep.pcap
cat >"$work/sendmail" <<SH
#!/bin/sh
echo "\$@" >"$work/arguments"
cat >"$work/message"
SH
printf '#!/bin/sh\nexit 75\n' >"$work/busy"
chmod 755 "$work/sendmail" "$work/busy"
printf '[report]\nsendmail = %s/sendmail\n' "$work" >"$work/conf"
printf '[report]\nsendmail = %s/busy\n' "$work" >"$work/busy.conf"
printf '[report]\nsendmail = /nowhere/sendmail\n' >"$work/none.conf"
report() { # CONF ARGUMENT...
    local conf=$1
    shift
    "$edgewatch" --config "$work/$conf" --db "$db" report --day 2012-12-10 "$@" 2>"$work/said"
}
decoded() {
    python3 -c 'import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(m["To"], m.get_content_type(), sep="\n", file=sys.stderr)
print(m["Subject"], file=sys.stderr)
print(m.defects or "no defects", file=sys.stderr)
sys.stdout.write(m.get_content())' "$work/message" 2>"$work/headers"
}
for format in text html; do
    report conf --format $format --mail ops@example.com >"$work/stdout"
    same "$format: exit code" 0 $?
    same "$format: nothing on stdout" "" "$(cat "$work/stdout")"
    same "$format: the body is the report" "$(report conf --format $format)" "$(decoded)"
    same "$format: how sendmail is called" "-t -i" "$(cat "$work/arguments")"
    same "$format: address, type" "ops@example.com text/${format/text/plain}" "$(head -n 2 "$work/headers" | tr '\n' ' ' | sed 's/ $//')"
    verdict "$format: the subject says how many failures" "$(grep -q ': 1 failure, Day 2012-12-10' "$work/headers" || cat "$work/headers")"
    same "$format: nothing strange in it" "no defects" "$(tail -n 1 "$work/headers")"
    verdict "$format: no line is too long" "$(awk 'length > 998 || (body && length > 76); /^$/ { body = 1 }' "$work/message")"
done
report busy.conf --mail ops@example.com
same "a message that is not taken: exit code" 69 $?
report none.conf --mail ops@example.com
same "no sendmail: exit code" 69 $?
verdict "no sendmail: it says which" "$(grep -q /nowhere/sendmail "$work/said" || cat "$work/said")"
report conf --mail "ops@example.com
Bcc: x@y"
same "an address with a line end: exit code" 64 $?
report conf --mail ops@example.com -o "$work/file"
same "--mail with -o: exit code" 64 $?
report conf --mail ops@example.com --exit-code
same "--exit-code still tells" 1 $?
finish
