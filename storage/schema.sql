-- The database of edgewatch, version 2.
--
-- Tables (singular names) are packed for writing, and free to change with the version. Views (plural
-- names) are the contract: names, columns, order and values of design section 8, documented in
-- edgewatch-schema(5). Times are microseconds since 1970 in tables and UTC text in views. NULL means
-- "not known" everywhere. Columns that no view shows are there for the joiner, which reads calls,
-- allocations and attempts back when a later run brings the other half of the picture.

-- Where each table's next free row id stands; runs take ids in chunks, so that two may write at once.
CREATE TABLE next_id (kind TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, command TEXT, sources TEXT,
    started_us INTEGER, ended_us INTEGER, -- wall clock
    first_us INTEGER, last_us INTEGER,    -- packet time, kept up to date with each batch
    version TEXT, damaged TEXT,
    edges TEXT, relay_low INTEGER, relay_high INTEGER -- configuration that the joiner used
);

CREATE TABLE failure (
    id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, run_id INTEGER,
    first_us INTEGER, last_us INTEGER, leg TEXT, transport TEXT, verdict TEXT, info INTEGER,
    src_addr TEXT, src_port INTEGER, src_public TEXT,
    dst_addr TEXT, dst_port INTEGER, dst_public TEXT,
    attempts INTEGER, syns INTEGER, rsts INTEGER, rtt_us INTEGER,
    icmp_type INTEGER, icmp_code INTEGER, icmp_from TEXT,
    grade TEXT, matched_by TEXT, confidence TEXT,
    call_id TEXT, caller TEXT, callee TEXT, medium TEXT,
    local_candidate TEXT, remote_candidate TEXT, client_addr TEXT, client_port INTEGER,
    finding TEXT, explanation TEXT, advice TEXT,
    quality TEXT, call_row INTEGER, allocation_row INTEGER, attempt_row INTEGER, error_code INTEGER,
    partner TEXT -- of a signaling connection: the far end by its certificate
);
CREATE INDEX failure_time ON failure(first_us);
CREATE INDEX failure_last ON failure(last_us); -- what a period touches, of a large database

-- Likeliest first; rank counts from 0.
CREATE TABLE finding (
    failure_id INTEGER, rank INTEGER, code TEXT, confidence TEXT, evidence TEXT, advice TEXT,
    PRIMARY KEY (failure_id, rank)
) WITHOUT ROWID;

-- Findings across failures: scope is 'window' (a run's packet time) or 'night:DATE'.
CREATE TABLE window_finding (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, run_id INTEGER, first_us INTEGER, last_us INTEGER,
    code TEXT, confidence TEXT, evidence TEXT, advice TEXT
);

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY, failure_id INTEGER, run_id INTEGER, -- verdict NULL: only linked so far
    src_addr TEXT, src_port INTEGER, dst_addr TEXT, dst_port INTEGER, transport TEXT,
    isn INTEGER, verdict TEXT, quality TEXT, peeks INTEGER, wanted INTEGER,
    syns INTEGER, synacks INTEGER, rsts INTEGER, first_us INTEGER, last_us INTEGER,
    rtt_us INTEGER, answer_ttl INTEGER, answer_ipid INTEGER,
    icmp_type INTEGER, icmp_code INTEGER, icmp_from TEXT, bytes_out INTEGER, bytes_in INTEGER,
    concurrency INTEGER -- connections of src that were open when it asked
);
CREATE INDEX attempt_failure ON attempt(failure_id) WHERE failure_id IS NOT NULL;
CREATE INDEX attempt_time ON attempt(first_us);

-- The packets of one attempt in one row: list is [[seen_us, interface number, linktype, caplen, len,
-- offset in bytes], ...].
CREATE TABLE evidence (
    attempt_id INTEGER PRIMARY KEY, run_id INTEGER, n INTEGER, list TEXT, bytes BLOB
);
CREATE TABLE interface (
    run_id INTEGER, number INTEGER, name TEXT, PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- A connection that failed above TCP (pseudo-TLS, TLS), as the joiner was told.
CREATE TABLE trouble (
    id INTEGER PRIMARY KEY, run_id INTEGER, client_addr TEXT, client_port INTEGER,
    server_addr TEXT, server_port INTEGER, first_us INTEGER, last_us INTEGER, verdict TEXT,
    isn INTEGER, instead INTEGER, signaling INTEGER,
    detail TEXT, partner TEXT -- who complained about what; the far end by its certificate
);
CREATE INDEX trouble_time ON trouble(first_us);

-- TLS connections of signaling and relays, as their handshakes showed them. hello: first 8 bytes of the
-- client's random, by which a connection is known again. No key and no secret is here or elsewhere.
CREATE TABLE tls_session (
    id INTEGER PRIMARY KEY, run_id INTEGER, client_addr TEXT, client_port INTEGER,
    server_addr TEXT, server_port INTEGER, first_us INTEGER, last_us INTEGER, hello INTEGER,
    version TEXT, cipher TEXT, exchange TEXT, sni TEXT, alpn TEXT, resumed INTEGER, mutual TEXT,
    server_subject TEXT, server_issuer TEXT, server_names TEXT, server_from_us INTEGER,
    server_until_us INTEGER, client_subject TEXT, client_issuer TEXT, client_names TEXT,
    client_from_us INTEGER, client_until_us INTEGER, alert TEXT, alert_from TEXT, handshake TEXT,
    state TEXT, readable INTEGER, key TEXT, messages INTEGER, advice TEXT
);
CREATE INDEX tls_time ON tls_session(first_us);
CREATE INDEX tls_hello ON tls_session(hello);

-- Whose certificate was seen at a public address, the latest.
CREATE TABLE tls_peer (
    addr TEXT PRIMARY KEY, name TEXT, domain TEXT, seen_us INTEGER -- domain: name without its host
) WITHOUT ROWID;
CREATE INDEX tls_domain ON tls_peer(domain);


CREATE TABLE call (
    id INTEGER PRIMARY KEY, run_id INTEGER, call_id TEXT, caller TEXT, callee TEXT,
    conversation_id TEXT, started_us INTEGER, answered_us INTEGER, ended_us INTEGER,
    status INTEGER, outcome TEXT, media TEXT, offer_relay TEXT, answer_relay TEXT, grade TEXT,
    origin TEXT, media_failed INTEGER -- a diagnostics header said so
);
CREATE INDEX call_time ON call(started_us);

-- What a call negotiated, apart from the slim row that lists are made of. A side is an array by medium:
--   [medium, flags, default addr, default port, ufrag, [candidate, ...]]   (flags: media_flag)
--   candidate: [component, transport, type, addr or name, port, [priority, ...], foundation,
--               dialect, rel_addr, rel_port]
--              (the last two only where there is a related address; the second priority is the next
--               component's, which differs in nothing else; numbers of enums as in flows/wire/sdp.h)
-- diags: [[seen_us, header, code, reason, side, medium, icewarn, icewarn_text, fields,
--         the header's whole value], ...]
-- Calls end in another order than they began: by its own row id each page is written once, by call_row
-- it would be read and written for nearly every call in it.
-- log_run: of a SIP log's run; then each present medium ends in [..., told_us, added_us], when the side was
-- first described and when it last got new addresses, by the log's own clock.
CREATE TABLE sdp (
    call_row INTEGER NOT NULL UNIQUE, offer TEXT, answer TEXT, diags TEXT, log_run INTEGER
);
CREATE INDEX sdp_log ON sdp(log_run) WHERE log_run IS NOT NULL;

CREATE TABLE allocation (
    id INTEGER PRIMARY KEY, run_id INTEGER, client_addr TEXT, client_port INTEGER,
    server_addr TEXT, server_port INTEGER, transport TEXT, flags INTEGER,
    relay_addr TEXT, relay_port INTEGER, relay2_addr TEXT, relay2_port INTEGER, wire_addr TEXT,
    reflexive_addr TEXT, reflexive_port INTEGER, medium TEXT, started_us INTEGER, ended_us INTEGER,
    end_reason TEXT, error_code INTEGER, requests INTEGER, call_id TEXT, connection_id BLOB,
    active_addr TEXT, active_port INTEGER, granted_us INTEGER,
    sends TEXT -- [[addr, port, first_us, last_us, count, answered_us, by_connection, remote, local], ...]
);
CREATE INDEX allocation_time ON allocation(started_us);

-- configured: the last run that was told so, 0 = learned.
CREATE TABLE alias (
    private_addr TEXT, public_addr TEXT, configured INTEGER, ports_seen INTEGER,
    PRIMARY KEY (private_addr, public_addr)
) WITHOUT ROWID;

CREATE TABLE traffic_hour (
    run_id INTEGER, hour_us INTEGER, src_addr TEXT, dst_net TEXT, port_from INTEGER,
    port_to INTEGER, transport TEXT, connected INTEGER, refused INTEGER, timeout INTEGER,
    other INTEGER
);
CREATE INDEX traffic_time ON traffic_hour(hour_us);

CREATE TABLE health_span (
    run_id INTEGER, interface TEXT, from_us INTEGER, to_us INTEGER, packets INTEGER, bytes INTEGER,
    kernel_drops INTEGER, nic_drops INTEGER, ring_drops INTEGER, decode_errors INTEGER,
    table_evictions INTEGER, stream_gaps INTEGER, queue_lost INTEGER, duplicates INTEGER,
    one_way_flows INTEGER, aggregated INTEGER,
    not_ip INTEGER, fragments INTEGER, handled INTEGER, event TEXT,
    shed_cut INTEGER, shed_dropped INTEGER
);

-- Times are the log's own. shift_us: what was added to them in the rows of this log's calls, NULL as long as
-- no packets were found that belong to it; agreed: how many things in the packets speak for that;
-- content: fingerprint of the text, by which the same log is known again.
CREATE TABLE log (
    id INTEGER PRIMARY KEY, run_id INTEGER, file TEXT, kind TEXT, first_us INTEGER, last_us INTEGER,
    messages INTEGER, calls INTEGER, skew_low_s REAL, skew_high_s REAL, zone_offset_h REAL,
    shift_us INTEGER, agreed INTEGER, content INTEGER
);

-- Addresses that are relays' or configured Edges', private or public.
CREATE TABLE relay_addr (addr TEXT PRIMARY KEY) WITHOUT ROWID;

-- Which end of a failure is ours. The joiner names the near candidate first; where nothing was
-- negotiated, an address known as a relay's is ours. On the way to its relay the client is the peer.
CREATE VIEW failure_ends AS SELECT
    f.*, -- with inbound: the far end asked
    CASE WHEN inbound THEN coalesce(f.dst_public, f.dst_addr) ELSE coalesce(f.src_public, f.src_addr)
        END AS edge_addr,
    CASE WHEN inbound THEN coalesce(f.src_public, f.src_addr) ELSE coalesce(f.dst_public, f.dst_addr)
        END AS peer_addr,
    CASE WHEN inbound THEN f.src_port ELSE f.dst_port END AS peer_port,
    -- counts against a partner: a client on its way to its own relay is none
    f.info = 0 AND f.leg <> 'client-relay' AS of_partner
FROM (SELECT *, CASE
    WHEN leg = 'client-relay' THEN 1
    WHEN remote_candidate IS NOT NULL THEN
        remote_candidate LIKE '%' || coalesce(src_public, src_addr) || '%:' || src_port
    ELSE dst_addr IN (SELECT addr FROM relay_addr) AND src_addr NOT IN (SELECT addr FROM relay_addr)
    END AS inbound FROM failure) f;

-- ---- the contract -------------------------------------------------------------------------------

CREATE VIEW failures AS SELECT
    f.id, printf('%016x', f.event_id) AS event_id, r.sensor,
    strftime('%Y-%m-%dT%H:%M:%S', f.first_us / 1000000, 'unixepoch')
        || printf('.%06dZ', f.first_us % 1000000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', f.last_us / 1000000, 'unixepoch')
        || printf('.%06dZ', f.last_us % 1000000) AS last_seen,
    f.leg, f.transport, f.verdict, CASE f.info WHEN 0 THEN 'failure' ELSE 'info' END AS severity,
    f.src_addr, f.src_port, f.src_public, f.dst_addr, f.dst_port, f.attempts, f.syns, f.rsts,
    f.rtt_us / 1000.0 AS rtt_ms, f.icmp_type, f.icmp_code, f.icmp_from, f.grade, f.matched_by,
    f.confidence, f.call_id, f.caller, f.callee, f.medium, f.local_candidate, f.remote_candidate,
    f.client_addr, f.client_port, f.finding, f.explanation, f.advice,
    f.quality AS capture_quality, f.run_id,
    -- the far end by its certificate: of this connection, else seen at its address, else of its domain
    coalesce(f.partner,
        (SELECT min(p.name) FROM tls_peer p WHERE p.addr IN (f.dst_public, f.dst_addr)
            AND p.addr NOT IN (SELECT addr FROM relay_addr)),
        (SELECT min(p.name) FROM tls_peer p WHERE p.addr IN (f.src_public, f.src_addr)
            AND p.addr NOT IN (SELECT addr FROM relay_addr)),
        iif(f.leg = 'client-relay' OR lower(substr(f.caller, instr(f.caller, '@')))
                = lower(substr(f.callee, instr(f.callee, '@'))), NULL, coalesce(
            (SELECT min(p.name) FROM tls_peer p
                WHERE p.domain = lower(substr(f.callee, instr(f.callee, '@') + 1))),
            (SELECT min(p.name) FROM tls_peer p
                WHERE p.domain = lower(substr(f.caller, instr(f.caller, '@') + 1)))))) AS partner
FROM failure f LEFT JOIN run r ON r.id = f.run_id;

-- Beside the contract: the attempts that the handshake or its checks decided (pages go through their index).
CREATE VIEW handshakes AS SELECT
    id, failure_id, run_id, src_addr, src_port, dst_addr, dst_port, isn, verdict, syns, synacks, rsts,
    strftime('%Y-%m-%dT%H:%M:%S', first_us / 1000000, 'unixepoch')
        || printf('.%06dZ', first_us % 1000000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', last_us / 1000000, 'unixepoch')
        || printf('.%06dZ', last_us % 1000000) AS last_seen,
    rtt_us / 1000.0 AS rtt_ms, answer_ttl, answer_ipid, icmp_type, icmp_code, icmp_from,
    bytes_out, bytes_in
FROM attempt WHERE verdict IS NOT NULL;

-- What failed above TCP (pseudo-TLS, TLS) was one connection, which is told by its failure: its
-- row here is made of that. The ids lie beyond those of all handshakes.
CREATE VIEW attempts AS SELECT * FROM handshakes UNION ALL SELECT
    f.id + 4503599627370496, f.id, f.run_id, f.src_addr, f.src_port, f.dst_addr, f.dst_port,
    (SELECT t.isn FROM trouble t WHERE t.first_us = f.first_us AND t.client_addr = f.src_addr
        AND t.client_port = f.src_port AND t.isn <> 0),
    f.verdict, 1, 1, 0,
    strftime('%Y-%m-%dT%H:%M:%S', f.first_us / 1000000, 'unixepoch')
        || printf('.%06dZ', f.first_us % 1000000),
    strftime('%Y-%m-%dT%H:%M:%S', f.last_us / 1000000, 'unixepoch')
        || printf('.%06dZ', f.last_us % 1000000),
    f.rtt_us / 1000.0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM failure f WHERE f.verdict IN ('pseudotls-fail', 'tls-fail');

CREATE VIEW calls AS SELECT
    id, call_id, caller, callee, conversation_id,
    strftime('%Y-%m-%dT%H:%M:%S', started_us / 1000000, 'unixepoch')
        || printf('.%06dZ', started_us % 1000000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', answered_us / 1000000, 'unixepoch')
        || printf('.%06dZ', answered_us % 1000000) AS answered,
    strftime('%Y-%m-%dT%H:%M:%S', ended_us / 1000000, 'unixepoch')
        || printf('.%06dZ', ended_us % 1000000) AS ended,
    status, outcome, media, offer_relay, answer_relay, grade, origin
FROM call;

CREATE VIEW candidates AS SELECT
    c.call_id, s.side, m.value ->> 0 AS medium, k.value ->> 6 AS foundation,
    (k.value ->> 0) + p.key AS component,
    CASE k.value ->> 1 WHEN 0 THEN 'UDP' WHEN 1 THEN 'TCP-PASS' WHEN 2 THEN 'TCP-ACT'
        WHEN 3 THEN 'TCP-SO' END AS transport,
    CASE k.value ->> 2 WHEN 0 THEN 'host' WHEN 1 THEN 'srflx' WHEN 2 THEN 'prflx'
        WHEN 3 THEN 'relay' END AS type,
    k.value ->> 3 AS addr, k.value ->> 4 AS port, k.value ->> 8 AS rel_addr,
    k.value ->> 9 AS rel_port, nullif(p.value, 0) AS priority,
    CASE k.value ->> 7 WHEN 0 THEN 'ms-ice' WHEN 1 THEN 'ms-ice2' WHEN 2 THEN 'rfc5245'
        WHEN 3 THEN 'rfc6544' WHEN 4 THEN 'default' END AS dialect,
    c.origin
FROM call c JOIN (
    SELECT call_row, 'offer' AS side, offer AS media FROM sdp WHERE offer IS NOT NULL
    UNION ALL SELECT call_row, 'answer', answer FROM sdp WHERE answer IS NOT NULL
) s ON s.call_row = c.id, json_each(s.media) m, json_each(m.value, '$[5]') k,
    json_each(k.value, '$[5]') p;

CREATE VIEW allocations AS SELECT
    id, client_addr, client_port, server_addr, server_port, transport, relay_addr, relay_port,
    wire_addr, reflexive_addr, reflexive_port, medium,
    strftime('%Y-%m-%dT%H:%M:%S', started_us / 1000000, 'unixepoch')
        || printf('.%06dZ', started_us % 1000000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', ended_us / 1000000, 'unixepoch')
        || printf('.%06dZ', ended_us % 1000000) AS ended,
    end_reason, error_code,
    strftime('%Y-%m-%dT%H:%M:%S', granted_us / 1000000, 'unixepoch')
        || printf('.%06dZ', granted_us % 1000000) AS granted -- beside the contract
FROM allocation;

-- Beside the contract: which peers a client asked its relay to reach (the ladder of a story).
CREATE VIEW sends AS SELECT
    a.id AS allocation_id, k.value ->> 0 AS peer_addr, k.value ->> 1 AS peer_port,
    strftime('%Y-%m-%dT%H:%M:%S', (k.value ->> 2) / 1000000, 'unixepoch')
        || printf('.%06dZ', (k.value ->> 2) % 1000000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', (k.value ->> 3) / 1000000, 'unixepoch')
        || printf('.%06dZ', (k.value ->> 3) % 1000000) AS last_seen,
    k.value ->> 4 AS count,
    strftime('%Y-%m-%dT%H:%M:%S', (k.value ->> 5) / 1000000, 'unixepoch')
        || printf('.%06dZ', (k.value ->> 5) % 1000000) AS answered
FROM allocation a, json_each(a.sends) k WHERE a.sends IS NOT NULL;

CREATE VIEW aliases AS SELECT
    private_addr, public_addr,
    CASE configured WHEN 0 THEN 'learned' ELSE 'configured' END AS origin, ports_seen
FROM alias;

CREATE VIEW diagnostics AS SELECT
    c.call_id,
    strftime('%Y-%m-%dT%H:%M:%S', (d.value ->> 0) / 1000000, 'unixepoch')
        || printf('.%06dZ', (d.value ->> 0) % 1000000) AS seen,
    d.value ->> 1 AS header, d.value ->> 2 AS code, d.value ->> 3 AS reason,
    d.value ->> 4 AS debug_side, d.value ->> 5 AS medium, d.value ->> 6 AS icewarn,
    d.value ->> 7 AS icewarn_text, d.value ->> 8 AS fields
FROM sdp s JOIN call c ON c.id = s.call_row, json_each(s.diags) d WHERE s.diags IS NOT NULL;

CREATE VIEW packets AS SELECT
    e.attempt_id,
    strftime('%Y-%m-%dT%H:%M:%S', (p.value ->> 0) / 1000000, 'unixepoch')
        || printf('.%06dZ', (p.value ->> 0) % 1000000) AS seen,
    i.name AS interface, p.value ->> 2 AS linktype, p.value ->> 3 AS caplen,
    p.value ->> 4 AS len, substr(e.bytes, (p.value ->> 5) + 1, p.value ->> 3) AS bytes
FROM evidence e, json_each(e.list) p
    LEFT JOIN interface i ON i.run_id = e.run_id AND i.number = p.value ->> 1;

CREATE VIEW traffic AS SELECT
    strftime('%Y-%m-%dT%H:%M:%S', hour_us / 1000000, 'unixepoch') || '.000000Z' AS hour,
    src_addr, dst_net, port_from AS dst_port_from, port_to AS dst_port_to, transport,
    sum(connected) AS connected, sum(refused) AS refused, sum(timeout) AS timeout,
    sum(other) AS other
FROM traffic_hour GROUP BY hour_us, src_addr, dst_net, port_from, port_to, transport;

CREATE VIEW health AS SELECT
    run_id, interface,
    strftime('%Y-%m-%dT%H:%M:%S', from_us / 1000000, 'unixepoch')
        || printf('.%06dZ', from_us % 1000000) AS from_time,
    strftime('%Y-%m-%dT%H:%M:%S', to_us / 1000000, 'unixepoch')
        || printf('.%06dZ', to_us % 1000000) AS to_time,
    packets, bytes, kernel_drops, nic_drops, ring_drops, decode_errors, table_evictions,
    stream_gaps, queue_lost, duplicates, one_way_flows, aggregated,
    not_ip, fragments, handled, event, shed_cut, shed_dropped
FROM health_span;

CREATE VIEW runs AS SELECT
    id, sensor, command, sources,
    strftime('%Y-%m-%dT%H:%M:%S', started_us / 1000000, 'unixepoch')
        || printf('.%06dZ', started_us % 1000000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', ended_us / 1000000, 'unixepoch')
        || printf('.%06dZ', ended_us % 1000000) AS ended,
    version, damaged
FROM run;

CREATE VIEW findings AS
SELECT 'failure:' || failure_id AS scope, code, confidence, evidence, advice FROM finding
UNION ALL SELECT scope, code, confidence, evidence, advice FROM window_finding;

CREATE VIEW logs AS SELECT
    id, file, kind,
    strftime('%Y-%m-%dT%H:%M:%S', first_us / 1000000, 'unixepoch')
        || printf('.%06dZ', first_us % 1000000) AS first_time,
    strftime('%Y-%m-%dT%H:%M:%S', last_us / 1000000, 'unixepoch')
        || printf('.%06dZ', last_us % 1000000) AS last_time,
    messages, calls, skew_low_s, skew_high_s, zone_offset_h
FROM log;

CREATE VIEW tls_sessions AS SELECT
    t.id, t.run_id, r.sensor, t.client_addr, t.client_port, t.server_addr, t.server_port,
    strftime('%Y-%m-%dT%H:%M:%S', t.first_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.first_us % 1000000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', t.last_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.last_us % 1000000) AS last_seen,
    t.version, t.cipher, t.exchange AS key_exchange, t.sni, t.alpn, t.resumed, t.mutual,
    t.server_subject, t.server_issuer, t.server_names,
    strftime('%Y-%m-%dT%H:%M:%S', t.server_from_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.server_from_us % 1000000) AS server_not_before,
    strftime('%Y-%m-%dT%H:%M:%S', t.server_until_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.server_until_us % 1000000) AS server_not_after,
    t.client_subject, t.client_issuer, t.client_names,
    strftime('%Y-%m-%dT%H:%M:%S', t.client_from_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.client_from_us % 1000000) AS client_not_before,
    strftime('%Y-%m-%dT%H:%M:%S', t.client_until_us / 1000000, 'unixepoch')
        || printf('.%06dZ', t.client_until_us % 1000000) AS client_not_after,
    t.alert, t.alert_from, t.handshake, t.state, t.readable, t.key, t.messages, t.advice
FROM tls_session t LEFT JOIN run r ON r.id = t.run_id;
