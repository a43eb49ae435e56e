#!/bin/bash
# A database of version 1 (schema-1.sql as it was released) opens in this program: nothing is lost, and its
# tables and views become what a new database has. A newer one is refused and left alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
unset EDGEWATCH_DB EDGEWATCH_CONFIG
old=$work/old.db
new=$work/new.db
id=$(sqlite3 "$new" "PRAGMA application_id" 2>/dev/null)
read_into "$new" pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap || not_ok "read" "$(cat "$work/said")"
id=$(sqlite3 "$new" "PRAGMA application_id")

# The new one's rows as version 1 stored them: the columns that it had.
tables=$(sqlite3 "$new" "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
sqlite3 "$old" ".read tests/golden/schema-1.sql" "PRAGMA application_id = $id" "PRAGMA user_version = 1"
for table in $tables; do
    columns=$(sqlite3 "$old" "SELECT group_concat(name) FROM pragma_table_info('$table')")
    [ -z "$columns" ] ||
        sqlite3 "$old" "ATTACH '$new' AS n" "INSERT INTO main.$table ($columns) SELECT $columns FROM n.$table"
done
# What the old version's views showed, column by column: later ones may have more.
rows() {
    local view
    for view in failures calls candidates packets; do
        ask "$old" "SELECT ${columns[$view]} FROM $view"
    done
}
declare -A columns
for view in failures calls candidates packets; do
    columns[$view]=$(ask "$old" "SELECT group_concat(name) FROM pragma_table_info('$view')")
done
before=$(rows)

# Columns in order, indexes and views, as the database itself lists them.
shape() { # DB
    ask "$1" "SELECT m.name, c.cid, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2;
        SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
}
cp "$old" "$work/before.db"
"$edgewatch" --db "$old" --config /dev/null failures --all >/dev/null 2>"$work/said" || not_ok "open" "$(cat "$work/said")"
same "version 1 becomes the current one" "$(ask "$new" "PRAGMA user_version")" "$(ask "$old" "PRAGMA user_version")"
same "its tables, indexes and views are those of a new database" "$(shape "$new")" "$(shape "$old")"
same "nothing is lost" "$before" "$(rows)"
read_into "$old" pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
same "the same captures again change no failure" "$(whole "$new")" "$(whole "$old")"

# Who may not write it is told what it needs.
chmod 755 "$work" && mkdir "$work/shelf" && cp "$work/before.db" "$work/shelf/old.db" &&
    chmod 444 "$work/shelf/old.db" && chmod 555 "$work/shelf"
cp "$edgewatch" "$work/edgewatch"
as_other=()
[ "$(id -u)" != 0 ] || as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
"${as_other[@]}" "$work/edgewatch" --db "$work/shelf/old.db" --config /dev/null failures >/dev/null 2>"$work/said"
same "an old one that may not be written" "74 version 1 brought to" \
    "$? $(grep -oE 'version 1|brought to' "$work/said" | xargs)"
chmod 755 "$work/shelf"

sqlite3 "$new" "PRAGMA user_version = 999"
"$edgewatch" --db "$new" --config /dev/null failures >/dev/null 2>"$work/said"
same "a newer one is refused" "74" "$?"
finish
