#!/bin/bash
# Builds the Debian package out of this tree (make deb); it comes to lie in build/deb/.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n '1s/^edgewatch \([0-9.]*\).*/\1/p' CHANGES)
tree=build/deb/edgewatch-$version

for program in dpkg-buildpackage dh; do
    command -v $program >/dev/null || {
        echo "deb: no $program here: deploy/deps.sh deb installs what the package is built with" >&2
        exit 69
    }
done
[ "$(sed -n '1s/^edgewatch (\([0-9.]*\).*/\1/p' deploy/debian/changelog)" = "$version" ] || {
    echo "deb: deploy/debian/changelog does not begin with the version of CHANGES, $version" >&2
    exit 65
}

rm -rf build/deb
mkdir -p "$tree"
{ git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
    find . -path ./build -prune -o -type f -print0; } | grep -zxvF -e edgewatch |
    while IFS= read -rd '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
    tar -c --null -T - | tar -x -C "$tree"
cp -r deploy/debian "$tree/debian"
libraries=$(deploy/deps.sh list | awk -F' *[|] *' '$2 == "build" && $1 !~ /^(gcc|libc6-dev|make)$/ { printf "%s%s", sep, $1; sep = ", " }')
sed -i "s/@BUILD@/$libraries/" "$tree/debian/control"

cd "$tree"
DEB_BUILD_OPTIONS="parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" dpkg-buildpackage -b -us -uc >../build.log 2>&1 || {
    tail -n 30 ../build.log >&2
    echo "deb: not built (build/deb/build.log)" >&2
    exit 70
}
cd ../../..
ls build/deb/edgewatch_*.deb
