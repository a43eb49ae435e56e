-- Calls that a SIP log tells of, too: a client's log and a server's, or a log and the wire, are one call by
-- their Call-ID. Run statement by statement with
--   :run     this run: of a log, or of packets with logs near
--   :zones   how far apart clocks may be, us
--
-- The row keeps the older id. Times and run are the packets' where there are any, else those of a log whose
-- clock is known, else of the log whose SDP it has. SDP and diagnostics are those of the side that has more of them, with
-- its origin.

CREATE TEMP TABLE twins (old INTEGER PRIMARY KEY, new INTEGER);
CREATE TEMP TABLE rank AS SELECT r.id AS run, CASE
    WHEN l.run_id IS NULL THEN 0 WHEN l.shift_us IS NOT NULL THEN 1 ELSE 2 END AS rank
    FROM run r LEFT JOIN log l ON l.run_id = r.id AND l.kind IN ('uccapi', 'sipstack');
CREATE UNIQUE INDEX temp.rank_run ON rank(run);

CREATE TEMP TABLE old_row AS
    SELECT c.id, c.call_id, c.started_us, k.rank FROM run n JOIN run o ON o.id <> n.id
        AND (n.sensor = '*' OR o.sensor IN (n.sensor, '*'))
        AND o.first_us <= n.last_us + :zones AND o.last_us >= n.first_us - :zones
        JOIN temp.rank k ON k.run = o.id JOIN temp.rank m ON m.run = n.id AND k.rank + m.rank > 0
        JOIN call c ON c.run_id = o.id
    WHERE n.id = :run AND c.started_us BETWEEN n.first_us - :zones AND n.last_us + :zones;
CREATE INDEX temp.old_key ON old_row(call_id);
INSERT OR IGNORE INTO temp.twins
    SELECT o.id, n.id FROM call n CROSS JOIN temp.old_row o ON o.call_id = n.call_id
        AND abs(o.started_us - n.started_us) <= :zones
    WHERE n.run_id = :run;
DROP TABLE temp.old_row;

-- A log's sides carry two times more for each medium, which say nothing about the call.
CREATE TEMP VIEW sdp_size AS
    SELECT call_row, ifnull(length(offer), 0) + ifnull(length(answer), 0) + ifnull(length(diags), 0)
        - iif(log_run IS NULL, 0, 34 * (ifnull(json_array_length(offer), 0)
            + ifnull(json_array_length(answer), 0))) AS size FROM sdp;
CREATE TEMP TABLE twin AS
    SELECT new, old, old_rank > new_rank OR (old_rank = new_rank AND new_sdp) AS new_times, new_sdp
    FROM (SELECT t.new, t.old, k.rank AS old_rank, m.rank AS new_rank,
            ifnull((SELECT size FROM sdp_size WHERE call_row = t.new), 0)
            > ifnull((SELECT size FROM sdp_size WHERE call_row = t.old), 0) AS new_sdp
        FROM (SELECT new, min(old) AS old FROM temp.twins GROUP BY new) t
            JOIN call o ON o.id = t.old JOIN temp.rank k ON k.run = o.run_id
            JOIN call n ON n.id = t.new JOIN temp.rank m ON m.run = n.run_id);
CREATE UNIQUE INDEX temp.twin_new ON twin(new);
CREATE UNIQUE INDEX temp.twin_old ON twin(old);
DROP VIEW temp.sdp_size;

-- A time of a clock that nobody knows is no time beside a known one.
UPDATE call AS o SET
    run_id = iif(t.new_times, n.run_id, o.run_id),
    started_us = iif(t.new_times, n.started_us, o.started_us),
    answered_us = CASE WHEN t.new_times THEN coalesce(n.answered_us, iif(k.rank < 2, o.answered_us, NULL))
        ELSE coalesce(o.answered_us, iif(m.rank < 2 OR k.rank = 2, n.answered_us, NULL)) END,
    ended_us = CASE WHEN t.new_times THEN coalesce(n.ended_us, iif(k.rank < 2, o.ended_us, NULL))
        ELSE coalesce(o.ended_us, iif(m.rank < 2 OR k.rank = 2, n.ended_us, NULL)) END,
    caller = coalesce(o.caller, n.caller), callee = coalesce(o.callee, n.callee),
    conversation_id = coalesce(o.conversation_id, n.conversation_id),
    status = coalesce(iif(t.new_times, n.status, o.status), n.status, o.status),
    media_failed = max(n.media_failed, o.media_failed),
    media = iif(t.new_sdp, n.media, o.media), grade = iif(t.new_sdp, n.grade, o.grade),
    offer_relay = iif(t.new_sdp, n.offer_relay, o.offer_relay),
    answer_relay = iif(t.new_sdp, n.answer_relay, o.answer_relay),
    origin = iif(t.new_sdp, n.origin, o.origin),
    outcome = CASE WHEN 'connected' IN (n.outcome, o.outcome) THEN 'connected'
        WHEN 'failed' IN (n.outcome, o.outcome) THEN 'failed' ELSE 'unknown' END
FROM temp.twin t JOIN call n ON n.id = t.new JOIN temp.rank m ON m.run = n.run_id,
    temp.rank k WHERE o.id = t.old AND k.run = o.run_id;

DELETE FROM sdp WHERE call_row IN (SELECT old FROM temp.twin WHERE new_sdp);
DELETE FROM sdp WHERE call_row IN (SELECT new FROM temp.twin WHERE NOT new_sdp);
UPDATE sdp SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE call_row IN (SELECT new FROM temp.twin);
DELETE FROM call WHERE id IN (SELECT new FROM temp.twin);
UPDATE failure SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE call_row IN (SELECT new FROM temp.twin);

DROP TABLE temp.twin;
DROP TABLE temp.twins;
DROP TABLE temp.rank;
