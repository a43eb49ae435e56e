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

-- ---- attempts ----
-- Several old rows may be twins of one new row, if they were never merged: the first gives the id.

CREATE TEMP TABLE twins (old INTEGER PRIMARY KEY, new INTEGER);
CREATE TEMP TABLE twin (new INTEGER PRIMARY KEY, old INTEGER, apart INTEGER, old_better INTEGER);

CREATE TEMP TABLE old_row AS
    SELECT id, src_addr, src_port, dst_addr, dst_port, transport, isn, first_us, last_us
    FROM attempt WHERE run_id IN (SELECT id FROM temp.rival)
        AND first_us BETWEEN :first - :day AND :last + :near AND last_us >= :first - :near;
CREATE INDEX temp.old_key ON old_row(isn, src_port, dst_port);
INSERT OR IGNORE INTO temp.twins
    SELECT o.id, n.id FROM attempt n CROSS JOIN temp.old_row o
        ON o.isn = n.isn AND o.src_port IS n.src_port AND o.dst_port IS n.dst_port
        AND o.src_addr = n.src_addr AND o.dst_addr = n.dst_addr AND o.transport = n.transport
        AND o.first_us <= n.last_us + :near AND o.last_us >= n.first_us - :near
    WHERE n.run_id = :run AND n.first_us BETWEEN :first AND :last;
DROP TABLE temp.old_row;

-- The later part of a cut attempt is better; else what was seen more completely, or longer; the new
-- one if they are alike.
INSERT INTO temp.twin
    SELECT t.new, t.old, o.first_us > n.last_us OR n.first_us > o.last_us, CASE
        WHEN o.first_us > n.last_us THEN 1
        WHEN n.first_us > o.last_us THEN 0
        WHEN o.quality <> n.quality THEN
            instr('good one-way lossy', o.quality) < instr('good one-way lossy', n.quality)
        ELSE o.last_us > n.last_us END
    FROM (SELECT new, min(old) AS old FROM temp.twins GROUP BY new) t
        JOIN attempt o ON o.id = t.old JOIN attempt n ON n.id = t.new;

-- Each attempt that both runs stored, and that a known relay took part in, leaves the rival's
-- counter of its hour, network and port range, where the whole rival did not go already.
CREATE TEMP TABLE taken AS
    SELECT o.run_id, o.first_us / 3600000000 * 3600000000 AS hour_us, o.src_addr,
        addr_net(o.dst_addr) AS dst_net, o.dst_port, o.transport, o.verdict
    FROM temp.twins t JOIN attempt o ON o.id = t.old JOIN temp.rival r ON r.id = o.run_id
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

UPDATE attempt AS n SET
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
FROM temp.twin t JOIN attempt o ON o.id = t.old WHERE n.id = t.new;

-- Of two sets of packets the larger stays; the old one if they are alike, to move less.
DELETE FROM evidence WHERE attempt_id IN (
    SELECT t.new FROM temp.twin t JOIN evidence n ON n.attempt_id = t.new
        JOIN evidence o ON o.attempt_id = t.old WHERE o.n >= n.n);
DELETE FROM evidence WHERE attempt_id IN (SELECT old FROM temp.twins) AND attempt_id NOT IN (
    SELECT t.old FROM temp.twin t LEFT JOIN evidence n ON n.attempt_id = t.new
    WHERE n.attempt_id IS NULL);
UPDATE evidence SET attempt_id = (SELECT old FROM temp.twin WHERE new = attempt_id)
    WHERE attempt_id IN (SELECT new FROM temp.twin);

DELETE FROM attempt WHERE id IN (SELECT old FROM temp.twins);
UPDATE attempt SET id = (SELECT old FROM temp.twin WHERE new = id)
    WHERE id IN (SELECT new FROM temp.twin);
UPDATE failure SET attempt_row = (SELECT old FROM temp.twin WHERE new = attempt_row)
    WHERE run_id = :run AND attempt_row IN (SELECT new FROM temp.twin);

-- ---- calls: of each side the longer description is better, the old one if they are alike ----
-- One capture may hold the offer, another the answer, a third only how it ended.

DELETE FROM temp.twin;
DELETE FROM temp.twins;
CREATE TEMP TABLE old_row AS
    SELECT id, call_id, started_us, media FROM call WHERE run_id IN (SELECT id FROM temp.rival)
        AND started_us BETWEEN :first - :day AND :last + iif(media IS NULL, :day, :near);
CREATE INDEX temp.old_key ON old_row(call_id);
INSERT OR IGNORE INTO temp.twins
    SELECT o.id, n.id FROM call n CROSS JOIN temp.old_row o ON o.call_id = n.call_id
        -- of which only the end was seen began when that was
        AND abs(o.started_us - n.started_us) <= iif(o.media IS NULL OR n.media IS NULL, :day, :near)
    WHERE n.run_id = :run AND n.started_us BETWEEN :first - :day AND :last;
DROP TABLE temp.old_row;

INSERT INTO temp.twin
    SELECT t.new, t.old, 0, ifnull((SELECT length(offer) FROM sdp WHERE call_row = t.old), 0)
        >= ifnull((SELECT length(offer) FROM sdp WHERE call_row = t.new), 0)
    FROM (SELECT new, min(old) AS old FROM temp.twins GROUP BY new) t;
CREATE TEMP TABLE better_answer AS
    SELECT t.new, ifnull((SELECT length(answer) FROM sdp WHERE call_row = t.old), 0)
        >= ifnull((SELECT length(answer) FROM sdp WHERE call_row = t.new), 0) AS old_better
    FROM temp.twin t;
CREATE INDEX temp.better_key ON better_answer(new);

-- who called whom is told by the offer; what ends a call may come from either side
UPDATE call AS n SET
    caller = iif(t.old_better, coalesce(o.caller, n.caller), coalesce(n.caller, o.caller)),
    callee = iif(t.old_better, coalesce(o.callee, n.callee), coalesce(n.callee, o.callee)),
    media = iif(t.old_better, coalesce(o.media, n.media), coalesce(n.media, o.media)),
    grade = coalesce(min(n.grade, o.grade), n.grade, o.grade),
    offer_relay = iif(t.old_better, coalesce(o.offer_relay, n.offer_relay),
        coalesce(n.offer_relay, o.offer_relay)),
    answer_relay = iif(a.old_better, coalesce(o.answer_relay, n.answer_relay),
        coalesce(n.answer_relay, o.answer_relay)),
    conversation_id = coalesce(n.conversation_id, o.conversation_id),
    started_us = min(n.started_us, o.started_us),
    answered_us = coalesce(min(n.answered_us, o.answered_us), n.answered_us, o.answered_us),
    ended_us = coalesce(min(n.ended_us, o.ended_us), n.ended_us, o.ended_us),
    status = coalesce(n.status, o.status), media_failed = max(n.media_failed, o.media_failed),
    outcome = CASE WHEN 'connected' IN (n.outcome, o.outcome) THEN 'connected'
        WHEN 'failed' IN (n.outcome, o.outcome) THEN 'failed' ELSE 'unknown' END
FROM temp.twin t JOIN call o ON o.id = t.old JOIN temp.better_answer a ON a.new = t.new
WHERE n.id = t.new;

UPDATE sdp AS n SET
    offer = iif(t.old_better, o.offer, n.offer), answer = iif(a.old_better, o.answer, n.answer),
    diags = CASE WHEN n.diags IS NULL OR n.diags = o.diags THEN o.diags
        WHEN o.diags IS NULL THEN n.diags
        ELSE (SELECT json_group_array(json(value)) FROM
            (SELECT value FROM json_each(o.diags) UNION SELECT value FROM json_each(n.diags))) END
FROM temp.twin t JOIN sdp o ON o.call_row = t.old JOIN temp.better_answer a ON a.new = t.new
WHERE n.call_row = t.new;
DROP TABLE temp.better_answer;
DELETE FROM sdp WHERE call_row IN (SELECT old FROM temp.twins)
    AND call_row NOT IN (SELECT old FROM temp.twin WHERE new NOT IN (SELECT call_row FROM sdp));
UPDATE sdp SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE call_row IN (SELECT new FROM temp.twin);

DELETE FROM call WHERE id IN (SELECT old FROM temp.twins);
UPDATE call SET id = (SELECT old FROM temp.twin WHERE new = id)
    WHERE id IN (SELECT new FROM temp.twin);
UPDATE failure SET call_row = (SELECT old FROM temp.twin WHERE new = call_row)
    WHERE run_id = :run AND call_row IN (SELECT new FROM temp.twin);

-- ---- allocations: granted (flags & 1) beats not granted, then the one with more sends ----

DELETE FROM temp.twin;
DELETE FROM temp.twins;
CREATE TEMP TABLE old_row AS
    SELECT id, client_addr, client_port, server_addr, server_port, transport, started_us
    FROM allocation WHERE run_id IN (SELECT id FROM temp.rival)
        AND started_us BETWEEN :first - :day AND :last + :near;
CREATE INDEX temp.old_key ON old_row(client_port, client_addr);
INSERT OR IGNORE INTO temp.twins
    SELECT o.id, n.id FROM allocation n CROSS JOIN temp.old_row o
        ON o.client_port IS n.client_port AND o.client_addr = n.client_addr
        AND o.server_addr = n.server_addr AND o.server_port IS n.server_port
        AND o.transport = n.transport AND abs(o.started_us - n.started_us) <= :near
    WHERE n.run_id = :run AND n.started_us BETWEEN :first - :day AND :last;
DROP TABLE temp.old_row;
INSERT INTO temp.twin
    SELECT t.new, t.old, 0, (o.flags & 1, ifnull(length(o.sends), 0))
        > (n.flags & 1, ifnull(length(n.sends), 0))
    FROM (SELECT new, min(old) AS old FROM temp.twins GROUP BY new) t
        JOIN allocation o ON o.id = t.old JOIN allocation n ON n.id = t.new;

-- A run that saw the end knows it better than one whose capture ended.
UPDATE allocation AS n SET
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
FROM temp.twin t JOIN allocation o ON o.id = t.old WHERE n.id = t.new;

DELETE FROM allocation WHERE id IN (SELECT old FROM temp.twins);
UPDATE allocation SET id = (SELECT old FROM temp.twin WHERE new = id)
    WHERE id IN (SELECT new FROM temp.twin);
UPDATE failure SET allocation_row = (SELECT old FROM temp.twin WHERE new = allocation_row)
    WHERE run_id = :run AND allocation_row IN (SELECT new FROM temp.twin);

-- ---- connections that failed above TCP ----

DELETE FROM trouble WHERE run_id IN (SELECT id FROM temp.rival) AND EXISTS (
    SELECT 1 FROM trouble n WHERE n.run_id = :run AND n.client_addr = trouble.client_addr
        AND n.client_port IS trouble.client_port AND n.server_addr = trouble.server_addr
        AND n.isn = trouble.isn);

-- ---- TLS connections ----
-- Of two readings the one with a key stays, else the newer.

CREATE TEMP TABLE same_tls AS SELECT o.id AS old, n.id AS new, o.readable AND NOT n.readable AS better
    FROM tls_session n JOIN tls_session o ON o.hello = n.hello AND o.client_addr = n.client_addr
        AND o.client_port IS n.client_port AND o.server_addr = n.server_addr
    WHERE n.run_id = :run AND o.run_id IN (SELECT id FROM temp.rival);
DELETE FROM tls_session WHERE id IN (SELECT old FROM temp.same_tls WHERE NOT better
    UNION ALL SELECT new FROM temp.same_tls WHERE better);
DROP TABLE temp.same_tls;

DROP TABLE temp.twin;
DROP TABLE temp.twins;
