#!/bin/bash
# What edgewatch stored of a generated capture against what the generator wrote into it: every attempt
# of a relay with its verdict, a failure for every pair that failed, with its call, and no other.
# usage: truth.sh [--failures] [--strangers] DATABASE TRUTH     (prints what differs, and then ends with 1)
# --failures: attempts, calls and allocations are not looked at; a database within bounds has deleted them.
# --strangers: nor are failures of what nothing negotiated.
set -eu
all=1 strangers=0
while [[ $1 == --* ]]; do
    case $1 in
        --failures) all=0 ;;
        --strangers) strangers=1 ;;
    esac
    shift
done

found=$(sqlite3 -bail "$1" ".mode tabs" "
CREATE TEMP TABLE made (kind, src, dst, isn INTEGER, verdict, call_id, pair);
CREATE TEMP TABLE total (kind, name, n INTEGER);" \
    ".import '|grep ^attempt $2' made" ".import '|grep ^total $2' total" "
CREATE TEMP VIEW seen AS SELECT src_addr || ':' || src_port AS src, dst_addr || ':' || dst_port AS dst,
    isn, verdict FROM attempts;
CREATE INDEX temp.made_call ON made (call_id);
CREATE INDEX temp.made_key ON made (isn, src, dst);
CREATE TEMP TABLE failed AS SELECT call_id, src_addr || ':' || src_port AS src,
    dst_addr || ':' || dst_port AS dst, verdict FROM failures WHERE severity = 'failure'
    AND NOT ($strangers AND call_id IS NULL);
CREATE INDEX temp.failed_call ON failed (call_id);
CREATE TEMP TABLE seen_by AS SELECT * FROM seen WHERE $all;
CREATE INDEX temp.seen_key ON seen_by (isn, src, dst);

SELECT 'attempt missing', made.* FROM made LEFT JOIN seen_by USING (isn, src, dst) WHERE $all AND seen_by.isn IS NULL;
SELECT 'other verdict', seen_by.verdict, made.* FROM made JOIN seen_by USING (isn, src, dst)
    WHERE made.verdict <> seen_by.verdict;
SELECT 'failure missing', call_id FROM made WHERE pair = 'failed' AND call_id NOT IN
    (SELECT call_id FROM failed WHERE call_id IS NOT NULL) GROUP BY call_id;
SELECT 'failure without a cause', * FROM failed WHERE call_id IS NULL OR call_id NOT IN
    (SELECT call_id FROM made WHERE pair = 'failed');
SELECT 'failure twice', call_id, count(*) FROM failed GROUP BY call_id HAVING count(*) > 1;
SELECT 'verdict of no attempt of the pair', * FROM failed f WHERE NOT EXISTS
    (SELECT 1 FROM made WHERE made.call_id = f.call_id AND made.verdict = f.verdict);
SELECT 'calls', n, (SELECT count(*) FROM calls) FROM total WHERE $all AND name = 'calls'
    AND n <> (SELECT count(*) FROM calls);
SELECT 'allocations', n, (SELECT count(*) FROM allocations) FROM total WHERE $all AND name = 'allocations'
    AND n <> (SELECT count(*) FROM allocations);
SELECT 'failures', n, (SELECT count(*) FROM failed) FROM total WHERE name = 'failed_pairs'
    AND n <> (SELECT count(*) FROM failed);")
[ -z "$found" ] && exit 0
echo "$found"
exit 1
