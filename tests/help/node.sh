#!/bin/bash
# Installs what tests/package.json names under build/node (once per change of it) and prints the folder of
# programs. Without npm, or when the registry cannot be reached: says so on stderr, exit 77.
set -u
cd "$(dirname "$0")/../.." || exit 1
here=build/node
mkdir -p "$here"
exec 9>"$here.lock"
flock 9
if ! cmp -s tests/package.json "$here/package.json" || [ ! -d "$here/node_modules/.bin" ]; then
    command -v npm >/dev/null || { echo "npm is not installed" >&2; exit 77; }
    cp tests/package.json "$here/package.json.new"
    mkdir -p "$here/try"
    cp tests/package.json "$here/try/package.json"
    if ! (cd "$here/try" && timeout 120 npm install --no-audit --no-fund --loglevel=error >../npm.log 2>&1); then
        rm -f "$here/package.json.new"
        echo "npm install failed: $(tail -n 1 "$here/npm.log")" >&2
        exit 77
    fi
    rm -rf "$here/node_modules"
    mv "$here/try/node_modules" "$here/node_modules"
    mv "$here/package.json.new" "$here/package.json"
fi
echo "$PWD/$here/node_modules/.bin"
