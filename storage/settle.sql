-- What earlier runs of the same sensor (rivals) stored from the same packets is merged with what
-- this run stored. Run statement by statement with
--   :run            this run
--   :first, :last   its packet time, us
--   :near           how far apart two sights of one thing may lie, us
--   :day            the longest that anything lasts, us
--
-- Attempts are the same if ends, transport and ISN are, and one begins within :near of the other's
-- end: that finds the same file read again (equal times), two spans that both saw the handshake (a
-- few milliseconds apart), and an attempt cut in two by rotated files (one after the other: only there are
-- counts added). Calls are the same by Call-ID, allocations by client and server, each with nearly
-- the same start. The row keeps the older id, so that what someone noted down stays true, takes the
-- better of the two contents, and belongs to this run.

-- ---- traffic and health: whole runs ----
-- Traffic is counted, not stored attempt by attempt, so what two runs counted in the same packets
-- must be taken out again. Health rows tell per interface first and last packet time, packets and
-- bytes. covered 1: all of the rival's sources are among ours, its counters go; 2: all of ours are
-- among the rival's, ours go; 0: neither, see below.

CREATE TEMP VIEW print AS
    SELECT run_id, min(from_us) AS first, max(to_us) AS last, sum(packets) AS packets,
        sum(bytes) AS bytes
    FROM health_span WHERE interface IS NOT NULL GROUP BY run_id, interface;

UPDATE temp.rival SET covered = CASE
    WHEN NOT EXISTS (SELECT 1 FROM print WHERE run_id = rival.id)
        OR NOT EXISTS (SELECT 1 FROM print WHERE run_id = :run) THEN 0
    WHEN NOT EXISTS (
        SELECT first, last, packets, bytes FROM print WHERE run_id = rival.id
        EXCEPT SELECT first, last, packets, bytes FROM print WHERE run_id = :run) THEN 1
    WHEN NOT EXISTS (
        SELECT first, last, packets, bytes FROM print WHERE run_id = :run
        EXCEPT SELECT first, last, packets, bytes FROM print WHERE run_id = rival.id) THEN 2
    ELSE 0 END;
DROP VIEW temp.print;

DELETE FROM traffic_hour WHERE run_id IN (SELECT id FROM temp.rival WHERE covered = 1)
    OR (run_id = :run AND EXISTS (SELECT 1 FROM temp.rival WHERE covered = 2));
DELETE FROM log WHERE kind IN ('hep', 'sdn')
    AND (run_id IN (SELECT id FROM temp.rival WHERE covered = 1)
    OR (run_id = :run AND EXISTS (SELECT 1 FROM temp.rival WHERE covered = 2)));
DELETE FROM health_span WHERE run_id IN (SELECT id FROM temp.rival WHERE covered = 1)
    OR (run_id = :run AND EXISTS (SELECT 1 FROM temp.rival WHERE covered = 2));

-- ---- what is one thing twice ----
-- Of each kind: twin tells which new row is which old one, and what the merged row takes from whom.
-- Several old rows may be twins of one new row, if they were never merged: the first gives the id,
-- the others are extra. The new content goes into the old row, where it differs: a capture that is
-- read again leaves nearly every row and index entry where it is. The new row goes.
-- Nothing here joins large columns in an UPDATE ... FROM: SQLite gathers all that it will write first.

-- Failures of this run name rows of this run. They get the rows' new names at the end.
CREATE TEMP TABLE told AS
    SELECT id, attempt_row, call_row, allocation_row FROM failure WHERE run_id = :run;
CREATE TEMP TABLE extra (old INTEGER PRIMARY KEY);

-- ---- attempts ----
-- The later part of a cut attempt is better; else what was seen more completely, or longer; the new
-- one if they are alike.

CREATE TEMP TABLE twin (
    old INTEGER PRIMARY KEY, new INTEGER, apart INTEGER, old_better INTEGER, same INTEGER, relink INTEGER
);
CREATE INDEX temp.twin_new ON twin(new, old);
CREATE TEMP TABLE old_row AS SELECT id, isn, src_port, dst_port FROM attempt
    WHERE run_id IN (SELECT id FROM temp.rival)
        AND first_us BETWEEN :first - :day AND :last + :near AND last_us >= :first - :near;
CREATE INDEX temp.old_key ON old_row(isn, src_port, dst_port, id);
INSERT OR IGNORE INTO temp.twin
    SELECT o.id, n.id, o.first_us > n.last_us OR n.first_us > o.last_us, CASE
        WHEN o.first_us > n.last_us THEN 1
        WHEN n.first_us > o.last_us THEN 0
        WHEN o.quality <> n.quality THEN
            instr('good one-way lossy', o.quality) < instr('good one-way lossy', n.quality)
        ELSE o.last_us > n.last_us END,
        (o.first_us, o.last_us, o.syns, o.synacks, o.rsts, o.bytes_out, o.bytes_in, o.wanted,
            o.concurrency, o.verdict, o.quality, o.peeks, o.rtt_us, o.answer_ttl, o.answer_ipid,
            o.icmp_type, o.icmp_code, o.icmp_from)
        IS (n.first_us, n.last_us, n.syns, n.synacks, n.rsts, n.bytes_out, n.bytes_in, n.wanted,
            n.concurrency, n.verdict, n.quality, n.peeks, n.rtt_us, n.answer_ttl, n.answer_ipid,
            n.icmp_type, n.icmp_code, n.icmp_from),
        o.failure_id IS NOT n.failure_id
    FROM attempt n CROSS JOIN temp.old_row k
        ON k.isn = n.isn AND k.src_port IS n.src_port AND k.dst_port IS n.dst_port
        CROSS JOIN attempt o ON o.id = k.id
        AND o.src_addr = n.src_addr AND o.dst_addr = n.dst_addr AND o.transport = n.transport
        AND o.first_us <= n.last_us + :near AND o.last_us >= n.first_us - :near
    WHERE n.run_id = :run AND n.first_us BETWEEN :first AND :last;
DROP TABLE temp.old_row;

-- Each attempt that both runs stored, and that a known relay took part in, leaves the rival's
-- counter of its hour, network and port range, where the whole rival did not go already.
CREATE TEMP TABLE taken AS
    SELECT o.run_id, o.first_us / 3600000000 * 3600000000 AS hour_us, o.src_addr,
        addr_net(o.dst_addr) AS dst_net, o.dst_port, o.transport, o.verdict
    FROM temp.rival r CROSS JOIN temp.twin t CROSS JOIN attempt o ON o.id = t.old AND o.run_id = r.id
    WHERE r.covered = 0 AND (o.wanted OR o.src_addr IN (SELECT addr FROM relay_addr)
        OR o.dst_addr IN (SELECT addr FROM relay_addr));
CREATE INDEX temp.taken_key ON taken(src_addr, hour_us);
UPDATE traffic_hour AS h SET
    connected = max(0, connected - c), refused = max(0, refused - r), timeout = max(0, timeout - t),
    other = max(0, other - o)
FROM (
    SELECT x.rowid AS id, sum(k.verdict = 'connected') AS c, sum(k.verdict = 'refused') AS r,
        sum(k.verdict IN ('timeout', 'single-syn')) AS t,
        sum(k.verdict NOT IN ('connected', 'refused', 'timeout', 'single-syn')) AS o
    FROM traffic_hour x JOIN temp.taken k ON k.src_addr = x.src_addr AND k.hour_us = x.hour_us
        AND k.run_id = x.run_id AND k.dst_net = x.dst_net AND k.transport = x.transport
        AND k.dst_port BETWEEN x.port_from AND x.port_to
    GROUP BY x.rowid
) d WHERE h.rowid = d.id;
DROP TABLE temp.taken;
DELETE FROM traffic_hour WHERE hour_us BETWEEN :first - :day AND :last
    AND run_id IN (SELECT id FROM temp.rival) AND connected + refused + timeout + other = 0;

INSERT INTO temp.extra SELECT t.old FROM temp.twin t
    WHERE EXISTS (SELECT 1 FROM temp.twin s WHERE s.new = t.new AND s.old < t.old);
DELETE FROM temp.twin WHERE old IN (SELECT old FROM temp.extra);

UPDATE attempt AS o SET
    first_us = min(n.first_us, o.first_us), last_us = max(n.last_us, o.last_us),
    syns = iif(t.apart, n.syns + o.syns, max(n.syns, o.syns)),
    synacks = iif(t.apart, n.synacks + o.synacks, max(n.synacks, o.synacks)),
    rsts = iif(t.apart, n.rsts + o.rsts, max(n.rsts, o.rsts)),
    bytes_out = iif(t.apart, n.bytes_out + o.bytes_out, max(n.bytes_out, o.bytes_out)),
    bytes_in = iif(t.apart, n.bytes_in + o.bytes_in, max(n.bytes_in, o.bytes_in)),
    wanted = max(n.wanted, o.wanted), concurrency = max(n.concurrency, o.concurrency),
    verdict = iif(t.old_better, o.verdict, n.verdict),
    quality = iif(t.old_better, o.quality, n.quality),
    peeks = iif(t.old_better, o.peeks, n.peeks),
    rtt_us = coalesce(iif(t.old_better, o.rtt_us, n.rtt_us), o.rtt_us, n.rtt_us),
    answer_ttl = coalesce(iif(t.old_better, o.answer_ttl, n.answer_ttl), o.answer_ttl, n.answer_ttl),
    answer_ipid =
        coalesce(iif(t.old_better, o.answer_ipid, n.answer_ipid), o.answer_ipid, n.answer_ipid),
    icmp_type = coalesce(iif(t.old_better, o.icmp_type, n.icmp_type), o.icmp_type, n.icmp_type),
    icmp_code = coalesce(iif(t.old_better, o.icmp_code, n.icmp_code), o.icmp_code, n.icmp_code),
    icmp_from = coalesce(iif(t.old_better, o.icmp_from, n.icmp_from), o.icmp_from, n.icmp_from)
FROM temp.twin t JOIN attempt n ON n.id = t.new WHERE NOT t.same AND o.id = t.old;
UPDATE attempt AS o SET failure_id = n.failure_id
    FROM temp.twin t JOIN attempt n ON n.id = t.new WHERE t.relink AND o.id = t.old;
UPDATE attempt SET run_id = :run WHERE id IN (SELECT old FROM temp.twin);

-- Of two sets of packets the larger stays; the old one if they are alike, to move less.
DELETE FROM evidence WHERE attempt_id IN (
    SELECT t.new FROM temp.twin t JOIN evidence n ON n.attempt_id = t.new
        JOIN evidence o ON o.attempt_id = t.old WHERE o.n >= n.n);
DELETE FROM evidence WHERE attempt_id IN (SELECT old FROM temp.extra) OR attempt_id IN (
    SELECT t.old FROM temp.twin t JOIN evidence n ON n.attempt_id = t.new);
UPDATE evidence SET attempt_id = (SELECT old FROM temp.twin WHERE new = attempt_id)
    WHERE attempt_id IN (SELECT new FROM temp.twin);

DELETE FROM attempt WHERE id IN (SELECT new FROM temp.twin UNION ALL SELECT old FROM temp.extra);
UPDATE temp.told SET attempt_row = (SELECT old FROM temp.twin WHERE new = attempt_row)
    WHERE attempt_row IN (SELECT new FROM temp.twin);
DROP TABLE temp.twin;
DELETE FROM temp.extra;

-- ---- calls: of each side the longer description is better, the old one if they are alike ----
-- One capture may hold the offer, another the answer, a third only how it ended.

CREATE TEMP TABLE twin (
    old INTEGER PRIMARY KEY, new INTEGER, same INTEGER, old_offer INTEGER, old_answer INTEGER
);
CREATE INDEX temp.twin_new ON twin(new, old);
CREATE TEMP TABLE old_row AS
    SELECT id, call_id, started_us, media FROM call WHERE run_id IN (SELECT id FROM temp.rival)
        AND started_us BETWEEN :first - :day AND :last + iif(media IS NULL, :day, :near);
CREATE INDEX temp.old_key ON old_row(call_id);
INSERT OR IGNORE INTO temp.twin (old, new)
    SELECT o.id, n.id FROM call n CROSS JOIN temp.old_row o ON o.call_id = n.call_id
        -- of which only the end was seen began when that was
        AND abs(o.started_us - n.started_us) <= iif(o.media IS NULL OR n.media IS NULL, :day, :near)
    WHERE n.run_id = :run AND n.started_us BETWEEN :first - :day AND :last;
DROP TABLE temp.old_row;
INSERT INTO temp.extra SELECT t.old FROM temp.twin t
    WHERE EXISTS (SELECT 1 FROM temp.twin s WHERE s.new = t.new AND s.old < t.old);
DELETE FROM temp.twin WHERE old IN (SELECT old FROM temp.extra);

-- SDP is large: it is read once, in the order in which the new rows lie in the file, and written only
-- where something changes.
CREATE TEMP TABLE sdp_row AS SELECT t.old, o.rowid AS old_row, n.rowid AS new_row
    FROM temp.twin t LEFT JOIN sdp n ON n.call_row = t.new LEFT JOIN sdp o ON o.call_row = t.old
    ORDER BY new_row;
CREATE TEMP TABLE better (
    old INTEGER PRIMARY KEY, offer INTEGER, answer INTEGER, old_row INTEGER, new_row INTEGER,
    changes INTEGER
);
INSERT INTO temp.better
    SELECT old, offer, answer, old_row, new_row, NOT offer OR NOT answer OR diags OR log_run
    FROM (SELECT r.old, r.old_row, r.new_row,
            o.offer IS n.offer OR ifnull(length(o.offer), 0) >= ifnull(length(n.offer), 0) AS offer,
            o.answer IS n.answer OR ifnull(length(o.answer), 0) >= ifnull(length(n.answer), 0)
                AS answer,
            n.diags IS NOT NULL AND n.diags IS NOT o.diags AS diags,
            n.log_run IS NOT o.log_run AS log_run
        FROM temp.sdp_row r LEFT JOIN sdp n ON n.rowid = r.new_row
            LEFT JOIN sdp o ON o.rowid = r.old_row);
DROP TABLE temp.sdp_row;

-- who called whom is told by the offer; what ends a call may come from either side
UPDATE temp.twin AS t SET same =
    (o.caller, o.callee, o.conversation_id, o.started_us, o.answered_us, o.ended_us, o.status,
        o.outcome, o.media, o.offer_relay, o.answer_relay, o.grade, o.origin, o.media_failed)
    IS (n.caller, n.callee, n.conversation_id, n.started_us, n.answered_us, n.ended_us, n.status,
        n.outcome, n.media, n.offer_relay, n.answer_relay, n.grade, n.origin, n.media_failed)
    FROM call o, call n WHERE o.id = t.old AND n.id = t.new;
UPDATE call AS o SET
    caller = iif(b.offer, coalesce(o.caller, n.caller), coalesce(n.caller, o.caller)),
    callee = iif(b.offer, coalesce(o.callee, n.callee), coalesce(n.callee, o.callee)),
    media = iif(b.offer, coalesce(o.media, n.media), coalesce(n.media, o.media)),
    grade = coalesce(min(n.grade, o.grade), n.grade, o.grade),
    offer_relay = iif(b.offer, coalesce(o.offer_relay, n.offer_relay),
        coalesce(n.offer_relay, o.offer_relay)),
    answer_relay = iif(b.answer, coalesce(o.answer_relay, n.answer_relay),
        coalesce(n.answer_relay, o.answer_relay)),
    conversation_id = coalesce(n.conversation_id, o.conversation_id),
    started_us = min(n.started_us, o.started_us),
    answered_us = coalesce(min(n.answered_us, o.answered_us), n.answered_us, o.answered_us),
    ended_us = coalesce(min(n.ended_us, o.ended_us), n.ended_us, o.ended_us),
    status = coalesce(n.status, o.status), media_failed = max(n.media_failed, o.media_failed),
    outcome = CASE WHEN 'connected' IN (n.outcome, o.outcome) THEN 'connected'
        WHEN 'failed' IN (n.outcome, o.outcome) THEN 'failed' ELSE 'unknown' END,
    origin = n.origin
FROM temp.twin t JOIN call n ON n.id = t.new JOIN temp.better b ON b.old = t.old
WHERE NOT t.same AND o.id = t.old;
UPDATE call SET run_id = :run WHERE id IN (SELECT old FROM temp.twin);

UPDATE sdp AS o SET (offer, answer, diags, log_run) = (
    SELECT iif(b.offer, o.offer, n.offer), iif(b.answer, o.answer, n.answer),
        CASE WHEN n.diags IS NULL OR n.diags = o.diags THEN o.diags
            WHEN o.diags IS NULL THEN n.diags
            ELSE (SELECT json_group_array(json(value)) FROM
                (SELECT value FROM json_each(o.diags) UNION SELECT value FROM json_each(n.diags))) END,
        n.log_run
    FROM temp.better b JOIN sdp n ON n.rowid = b.new_row WHERE b.old = o.call_row)
    WHERE rowid IN (SELECT old_row FROM temp.better WHERE changes AND new_row IS NOT NULL);
DELETE FROM sdp WHERE call_row IN (SELECT old FROM temp.extra);
DELETE FROM sdp WHERE rowid IN (SELECT new_row FROM temp.better WHERE old_row IS NOT NULL);
UPDATE sdp SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE rowid IN (SELECT new_row FROM temp.better WHERE old_row IS NULL);
DROP TABLE temp.better;

DELETE FROM call WHERE id IN (SELECT new FROM temp.twin UNION ALL SELECT old FROM temp.extra);
UPDATE temp.told SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE call_row IN (SELECT new FROM temp.twin);
DROP TABLE temp.twin;
DELETE FROM temp.extra;

-- ---- allocations: granted (flags & 1) beats not granted, then the one with more sends ----

CREATE TEMP TABLE twin (old INTEGER PRIMARY KEY, new INTEGER, old_better INTEGER, same INTEGER);
CREATE INDEX temp.twin_new ON twin(new, old);
CREATE TEMP TABLE old_row AS SELECT id, client_addr, client_port FROM allocation
    WHERE run_id IN (SELECT id FROM temp.rival)
        AND started_us BETWEEN :first - :day AND :last + :near;
CREATE INDEX temp.old_key ON old_row(client_port, client_addr, id);
INSERT OR IGNORE INTO temp.twin
    SELECT o.id, n.id,
        (o.flags & 1, ifnull(length(o.sends), 0)) > (n.flags & 1, ifnull(length(n.sends), 0)),
        (o.flags, o.sends, o.error_code, o.requests, o.relay_addr, o.relay_port, o.relay2_addr,
            o.relay2_port, o.wire_addr, o.reflexive_addr, o.reflexive_port, o.medium, o.call_id,
            o.connection_id, o.active_addr, o.active_port, o.started_us, o.granted_us, o.ended_us,
            o.end_reason)
        IS (n.flags, n.sends, n.error_code, n.requests, n.relay_addr, n.relay_port, n.relay2_addr,
            n.relay2_port, n.wire_addr, n.reflexive_addr, n.reflexive_port, n.medium, n.call_id,
            n.connection_id, n.active_addr, n.active_port, n.started_us, n.granted_us, n.ended_us,
            n.end_reason)
    FROM allocation n CROSS JOIN temp.old_row k
        ON k.client_port IS n.client_port AND k.client_addr = n.client_addr
        CROSS JOIN allocation o ON o.id = k.id
        AND o.server_addr = n.server_addr AND o.server_port IS n.server_port
        AND o.transport = n.transport AND abs(o.started_us - n.started_us) <= :near
    WHERE n.run_id = :run AND n.started_us BETWEEN :first - :day AND :last;
DROP TABLE temp.old_row;
INSERT INTO temp.extra SELECT t.old FROM temp.twin t
    WHERE EXISTS (SELECT 1 FROM temp.twin s WHERE s.new = t.new AND s.old < t.old);
DELETE FROM temp.twin WHERE old IN (SELECT old FROM temp.extra);

-- A run that saw the end knows it better than one whose capture ended.
UPDATE allocation AS o SET
    flags = iif(t.old_better, o.flags, n.flags), sends = iif(t.old_better, o.sends, n.sends),
    error_code = iif(t.old_better, o.error_code, n.error_code),
    requests = iif(t.old_better, o.requests, n.requests),
    relay_addr = coalesce(n.relay_addr, o.relay_addr),
    relay_port = coalesce(n.relay_port, o.relay_port),
    relay2_addr = coalesce(n.relay2_addr, o.relay2_addr),
    relay2_port = coalesce(n.relay2_port, o.relay2_port),
    wire_addr = coalesce(n.wire_addr, o.wire_addr),
    reflexive_addr = coalesce(n.reflexive_addr, o.reflexive_addr),
    reflexive_port = coalesce(n.reflexive_port, o.reflexive_port),
    medium = coalesce(n.medium, o.medium), call_id = coalesce(n.call_id, o.call_id),
    connection_id = coalesce(n.connection_id, o.connection_id),
    active_addr = coalesce(n.active_addr, o.active_addr),
    active_port = coalesce(n.active_port, o.active_port),
    started_us = min(n.started_us, o.started_us),
    granted_us = coalesce(min(n.granted_us, o.granted_us), n.granted_us, o.granted_us),
    ended_us = iif(n.ended_us IS NULL OR (n.end_reason = 'capture-end' AND o.ended_us IS NOT NULL),
        o.ended_us, n.ended_us),
    end_reason = iif(n.ended_us IS NULL OR (n.end_reason = 'capture-end' AND o.ended_us IS NOT NULL),
        o.end_reason, n.end_reason)
FROM temp.twin t JOIN allocation n ON n.id = t.new WHERE NOT t.same AND o.id = t.old;
UPDATE allocation SET run_id = :run WHERE id IN (SELECT old FROM temp.twin);

DELETE FROM allocation WHERE id IN (SELECT new FROM temp.twin UNION ALL SELECT old FROM temp.extra);
UPDATE temp.told SET allocation_row = (SELECT old FROM temp.twin WHERE new = allocation_row)
    WHERE allocation_row IN (SELECT new FROM temp.twin);
DROP TABLE temp.twin;
DROP TABLE temp.extra;

UPDATE failure AS f SET
    attempt_row = t.attempt_row, call_row = t.call_row, allocation_row = t.allocation_row
FROM temp.told t WHERE f.id = t.id AND (f.attempt_row, f.call_row, f.allocation_row)
    IS NOT (t.attempt_row, t.call_row, t.allocation_row);
DROP TABLE temp.told;

-- ---- connections that failed above TCP ----

CREATE TEMP TABLE new_trouble AS
    SELECT isn, client_port, client_addr, server_addr FROM trouble WHERE run_id = :run;
CREATE INDEX temp.trouble_key ON new_trouble(isn, client_port, client_addr);
DELETE FROM trouble WHERE run_id IN (SELECT id FROM temp.rival) AND EXISTS (
    SELECT 1 FROM temp.new_trouble n WHERE n.isn = trouble.isn
        AND n.client_port IS trouble.client_port AND n.client_addr = trouble.client_addr
        AND n.server_addr = trouble.server_addr);
DROP TABLE temp.new_trouble;

-- ---- TLS connections ----
-- Of two readings the one with a key stays, else the newer.

CREATE TEMP TABLE same_tls AS SELECT o.id AS old, n.id AS new, o.readable AND NOT n.readable AS better
    FROM tls_session n JOIN tls_session o ON o.hello = n.hello AND o.client_addr = n.client_addr
        AND o.client_port IS n.client_port AND o.server_addr = n.server_addr
    WHERE n.run_id = :run AND o.run_id IN (SELECT id FROM temp.rival);
DELETE FROM tls_session WHERE id IN (SELECT old FROM temp.same_tls WHERE NOT better
    UNION ALL SELECT new FROM temp.same_tls WHERE better);
DROP TABLE temp.same_tls;
