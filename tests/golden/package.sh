#!/bin/bash
# The Debian package: built, looked over by lintian and systemd-analyze, then installed, used,
# upgraded, removed and purged in a root of its own (this machine's, with all changes kept apart).
# needs: debhelper dpkg-dev lintian systemd init-system-helpers
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh

for program in dpkg-buildpackage dh lintian systemd-analyze unshare; do
    command -v $program >/dev/null || {
        skip "the Debian package" "no $program"
        exit 0
    }
done
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
    skip "the Debian package" "needs root and mount namespaces"
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$(DEPS=skip nice deploy/deb.sh 2>&1) || {
    not_ok "it is built" "$said"
    finish
    exit
}
ok "it is built"
deb=$(find build/deb -maxdepth 1 -name 'edgewatch_*.deb')

# No public address belongs to this project, and nobody uploads it: two tags that don't apply.
verdict "lintian has nothing to say" "$(lintian --allow-root --tag-display-limit 0 \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs \
    build/deb/edgewatch_*.changes 2>&1)"

dpkg-deb -c "$deb" | awk '{ print $6 }' >"$work/contents"
verdict "it holds program, pages, units, account, configuration, completion" "$(
    for file in usr/bin/edgewatch etc/edgewatch/edgewatch.conf lib/systemd/system/edgewatch{,-report,-serve}.service \
        lib/systemd/system/edgewatch-report.timer usr/lib/{sysusers,tmpfiles}.d/edgewatch.conf \
        usr/share/bash-completion/completions/edgewatch \
        usr/share/man/man{1/edgewatch.1,5/edgewatch.conf.5,5/edgewatch-schema.5}.gz; do
        grep -qxF "./$file" "$work/contents" || echo "no $file"
    done)"
verdict "nothing in it can be written by others" "$(dpkg-deb -c "$deb" | awk '$1 ~ /^-.{7}w/ || $2 != "root/root"')"

# ---- the units ----

dpkg-deb -x "$deb" "$work/files"
units=$work/files/lib/systemd/system
# the program is not at its place on this machine, and man pages are not looked for
verdict "systemd understands the units" "$(systemd-analyze verify --man=no "$units"/* 2>&1 |
    grep -v 'edgewatch is not executable')"
for unit in edgewatch edgewatch-serve; do
    exposure=$(systemd-analyze security --offline=true --no-pager "$units/$unit.service" 2>&1 |
        sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p')
    verdict "systemd-analyze security gives $unit.service at most 2.0" \
        "$(awk -v x="${exposure:-none}" 'BEGIN { if (x !~ /^[0-9.]+$/ || x > 2.0) print "exposure " x }')"
done

# ---- the same package, a version later ----

dpkg-deb -R "$deb" "$work/next"
sed -i 's/^Version: .*/&.1/' "$work/next/DEBIAN/control"
echo '; a comment of the next version' >>"$work/next/etc/edgewatch/edgewatch.conf"
(cd "$work/next" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -b "$work/next" "$work/next.deb" >/dev/null || not_ok "the next version is packed" "$work"

# ---- a life of it ----

cat >"$work/life.sh" <<'LIFE'
set -u
. /tmp/life/protocol.sh
export DEBIAN_FRONTEND=noninteractive
db=/var/lib/edgewatch/edgewatch.db
as_sensor() { setpriv --reuid=edgewatch --regid=edgewatch --init-groups "$@"; }
gone() { # PATH...
    for path; do [ -e "$path" ] && echo "$path is still there"; done
}

said=$(dpkg -i /tmp/life/this.deb 2>&1)
same "install: exit code" 0 $?
verdict "install: no complaint" "$(grep -iE 'error|warning|failed' <<<"$said")"
verdict "the account is there, without a shell" "$(getent passwd edgewatch | grep -q '/nologin$' || getent passwd edgewatch)"
same "its folder is its own" "edgewatch:edgewatch 750" "$(stat -c '%U:%G %a' /var/lib/edgewatch)"
verdict "nothing is enabled before interfaces are named" "$(gone /etc/systemd/system/multi-user.target.wants/edgewatch{,-serve}.service)"
same "the program runs from its place" "edgewatch $(dpkg-query -W -f '${Version}' edgewatch | sed 's/-.*//')" "$(edgewatch --version)"
verdict "the sample configuration is one that it understands" "$(edgewatch --config /etc/edgewatch/edgewatch.conf --db $db failures 2>&1 >/dev/null |
    grep -v "$db" | grep -v 'makes a database')"
as_sensor edgewatch --db $db -q read /tmp/life/incident1-internal.pcap /tmp/life/incident1-external.pcap
same "the account can fill the database" "0 1" "$? $(as_sensor edgewatch --db $db failures --format jsonl | wc -l)"
verdict "others cannot read it" "$(setpriv --reuid=nobody --regid=nogroup --clear-groups edgewatch --db $db failures >/dev/null 2>&1 && echo "nobody could")"
# as the unit starts it, but for what systemd closes; the database is being read beside a writer's files
command=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/edgewatch-serve.service)
EDGEWATCH_DB=$db as_sensor timeout 20 bash -c "${command/serve/serve --listen 127.0.0.1:0}" 2>/tmp/life/serve &
for ((i = 0; i < 50; i++)); do
    url=$(grep -o 'http://[^ ]*' /tmp/life/serve) && break
    sleep 0.1
done
verdict "the pages are there for the account" "$(curl -s "${url:-http://127.0.0.1:1/}api/failures" | grep -q '"verdict":"refused"' || cat /tmp/life/serve)"
kill %1

systemctl enable edgewatch.service >/dev/null 2>&1
verdict "enabling the service leaves the pages off" "$(gone /etc/systemd/system/multi-user.target.wants/edgewatch-serve.service)"
systemctl enable edgewatch-serve.service >/dev/null 2>&1
verdict "enabling the service enables the morning's summary" "$([ -e /etc/systemd/system/timers.target.wants/edgewatch-report.timer ] ||
    ls /etc/systemd/system/*.wants)"
echo 'sensor = here' | sed -i '/^\[sensor\]/r /dev/stdin' /etc/edgewatch/edgewatch.conf
dpkg -i --force-confdef --force-confold /tmp/life/next.deb >/tmp/life/said 2>&1
same "upgrade: exit code" 0 $?
verdict "upgrade keeps the configuration" "$(grep -qx 'sensor = here' /etc/edgewatch/edgewatch.conf || cat /etc/edgewatch/edgewatch.conf)"
same "upgrade keeps the database" 1 "$(as_sensor edgewatch --db $db failures --format jsonl | wc -l)"
verdict "upgrade keeps it enabled" "$([ -e /etc/systemd/system/multi-user.target.wants/edgewatch.service ] || echo "it is not")"

dpkg -r edgewatch >/tmp/life/said 2>&1
same "remove: exit code" 0 $?
verdict "remove takes the program and the units" "$(gone /usr/bin/edgewatch /lib/systemd/system/edgewatch.service)"
verdict "remove keeps the database and the configuration" "$(ls $db /etc/edgewatch/edgewatch.conf 2>&1 >/dev/null)"
dpkg -P edgewatch >/tmp/life/said 2>&1
same "purge: exit code" 0 $?
verdict "purge takes all of it" "$(gone /var/lib/edgewatch /etc/edgewatch /etc/systemd/system/*.wants/edgewatch*)"
LIFE

mkdir -p "$work/own" && cp tests/help/protocol.sh pcaps/incident1-*.pcap "$work/"
unshare -m bash -eu -c '
    work=$1
    mount -t tmpfs none "$work/own"
    mkdir "$work/own/upper" "$work/own/work" "$work/own/root"
    mount -t overlay none -o "lowerdir=/,upperdir=$work/own/upper,workdir=$work/own/work" "$work/own/root"
    root=$work/own/root
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mkdir -p "$root/tmp/life"
    cp "$work"/{protocol.sh,life.sh,incident1-*.pcap} "$root/tmp/life/"
    cp "$work/next.deb" "$root/tmp/life/next.deb"
    cp "$2" "$root/tmp/life/this.deb"
    chmod 755 "$root/tmp/life"
    chroot "$root" /bin/bash /tmp/life/life.sh' life "$work" "$deb" >"$work/told" 2>&1 ||
    echo "not ok a life of the package: ended badly" >>"$work/told"
cat "$work/told"
grep -q '^ok purge: exit code' "$work/told" || not_ok "a life of the package is told to its end" "$(tail -n 5 "$work/told")"
grep -q '^not ok' "$work/told" && exit 1
finish
