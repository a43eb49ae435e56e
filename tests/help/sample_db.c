/* The facts of the first field report (P§8.1, 8.2) as rows. */
#include "tests/help/sample_db.h"

#include "flows/wire/sdp.h"
#include "storage/writer.h"
#include "tests/help/stun_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define T0 (INT64_C(1355136239) * TICK_S) /* 2012-12-10T10:43:59Z */
#define MS(n) (T0 + (n)*TICK_MS)

#define CALL_ID "a622d7b9f6464be3a455e6d98ec700b3"

static struct endpoint at(const char *text)
{
    struct endpoint e;
    if (!endpoint_parse(slice_str(text), &e))
        abort();
    return e;
}

static struct addr host(const char *text)
{
    struct addr a;
    if (!addr_parse(slice_str(text), &a))
        abort();
    return a;
}

/* Ethernet, IPv4 and TCP by hand; the reset's TTL is 115, its identification 0. */
#define SYN                                        \
    "000000000001 000000000002 0800"               \
    "45000028 5c314000 80060000 0a030028 01010101" \
    "e31a c610 b73f8e2f 00000000 5002 2000 0000 0000"
#define RST                                        \
    "000000000002 000000000001 0800"               \
    "45000028 00000000 73060000 01010101 0a030028" \
    "c610 e31a 00000000 b73f8e30 5014 0000 0000 0000"

static void put_attempt(struct writer *w)
{
    static uint8_t bytes[2][64];
    static const int at_ms[] = {456, 499, 1002, 1044, 1548, 1590};
    struct evidence ev[6];
    size_t n[2] = {octets_of(SYN, bytes[0], 64), octets_of(RST, bytes[1], 64)};
    for (unsigned i = 0; i < 6; i++)
        ev[i] = (struct evidence){MS(at_ms[i]), 1, 0, (uint32_t)n[i % 2], 60, bytes[i % 2]};
    struct attempt a = {.id = 1,
                        .src = at("10.3.0.40:58138"),
                        .dst = at("1.1.1.1:50704"),
                        .proto = PROTO_TCP,
                        .verdict = VERDICT_REFUSED,
                        .wanted = true,
                        .isn = 3074395695,
                        .syns = 3,
                        .rsts = 3,
                        .first = MS(456),
                        .last = MS(1590),
                        .rtt_us = 43000,
                        .answer_ttl = 115,
                        .answer_ipid = 0,
                        .icmp_type = -1,
                        .icmp_code = -1};
    writer_attempt(w, &a, ev, 6);
    writer_attempt_failure(w, 1, 1);
}

static void put_call(struct writer *w)
{
    struct fact_candidate offer[] = {
        {.at = at("10.98.2.1:21916"),
         .priority = 2120613887,
         .component = 1,
         .transport = CAND_TCP_PASS,
         .type = CAND_HOST,
         .dialect = DIALECT_MS_ICE2,
         .foundation = "1"},
        {.at = at("10.98.2.1:21916"),
         .priority = 2120613374,
         .component = 2,
         .transport = CAND_TCP_PASS,
         .type = CAND_HOST,
         .dialect = DIALECT_MS_ICE2,
         .foundation = "1"},
        {.at = at("2.2.2.2:58138"),
         .related = at("10.98.2.1:13211"),
         .priority = 6556159,
         .component = 1,
         .transport = CAND_TCP_PASS,
         .type = CAND_RELAY,
         .dialect = DIALECT_MS_ICE2,
         .foundation = "3"},
    };
    struct fact_candidate answer[] = {
        {.at = at("10.26.10.50:50058"),
         .priority = 2120613887,
         .component = 1,
         .transport = CAND_TCP_PASS,
         .type = CAND_HOST,
         .dialect = DIALECT_MS_ICE2,
         .foundation = "1"},
    };
    struct fact_media media = {.medium = "applicationsharing",
                               .side = {{.present = true,
                                         .tcp = true,
                                         .preset = at("2.2.2.2:58138"),
                                         .ufrag = "PFb1",
                                         .candidates = offer,
                                         .n_candidates = 3},
                                        {.present = true,
                                         .tcp = true,
                                         .preset = at("1.1.1.1:50704"),
                                         .ufrag = "G/Yw",
                                         .candidates = answer,
                                         .n_candidates = 1}}};
    struct fact_diag diag = {
        .seen = MS(-6000),
        .header = "ms-client-diagnostics",
        .code = 51007,
        .reason = "Callee media connectivity diagnosis info",
        .side = "callee",
        .medium = "applicationsharing",
        .has_icewarn = true,
        .icewarn = 0,
        .value = "51007;reason=\"Callee media connectivity diagnosis info\";CalleeMediaDebug="
                 "\"application-sharing:ICEWarn=0x0,LocalSite=10.166.24.59:8541,"
                 "LocalMR=1.1.1.1:50704,RemoteMR=2.2.2.2:58138,LocalLocation=1\""};
    struct fact_call call = {.id = 1,
                             .call_id = CALL_ID,
                             .caller = "sip:user1@contoso.com",
                             .callee = "sip:user2@fabrikam.com",
                             .origin = "wire",
                             .started = MS(-9715),
                             .answered = MS(-6000),
                             .ended = MS(4000),
                             .status = 200,
                             .outcome = CALL_FAILED,
                             .media = &media,
                             .n_media = 1,
                             .diags = &diag,
                             .n_diags = 1};
    writer_call(w, &call);
}

static void put_allocation(struct writer *w)
{
    struct fact_send send = {.peer = at("1.1.1.1:50704"),
                             .first = MS(-5933),
                             .last = MS(-5933),
                             .count = 1,
                             .answered = TICK_NONE};
    struct fact_allocation a = {.id = 1,
                                .client = at("10.98.2.1:13211"),
                                .server = at("10.3.0.34:443"),
                                .proto = PROTO_TCP,
                                .granted = true,
                                .ms = true,
                                .relay = at("2.2.2.2:58138"),
                                .wire_addr = host("10.3.0.40"),
                                .reflexive = at("10.98.2.1:13211"),
                                .medium = "data",
                                .granted_at = MS(-9714),
                                .started = MS(-9766),
                                .ended = TICK_NONE,
                                .requests = 2,
                                .sends = &send,
                                .n_sends = 1};
    writer_allocation(w, &a);
    struct fact_alias alias = {host("10.3.0.40"), host("2.2.2.2"), false, 1};
    writer_alias(w, &alias);
}

static void put_failure(struct writer *w)
{
    struct finding findings[2] = {
        {.code = "own-outbound-range-blocked",
         .evidence = "{\"for\":[\"a range that is often forgotten\"],\"against\":[\"42 ms\"],"
                     "\"settle\":[\"a capture outside the firewall\"]}",
         .advice = "Look at the firewall's log."},
        {.code = "far-side-refuses",
         .evidence = "{\"for\":[],\"against\":[],\"settle\":[\"the partner's log\"]}"},
    };
    struct failure f = {.id = 1,
                        .event_id = 77,
                        .first = MS(456),
                        .last = MS(1590),
                        .leg = LEG_RELAY_PEER,
                        .proto = PROTO_TCP,
                        .verdict = VERDICT_REFUSED,
                        .src = at("10.3.0.40:58138"),
                        .dst = at("1.1.1.1:50704"),
                        .src_public = host("2.2.2.2"),
                        .attempts = 1,
                        .syns = 3,
                        .rsts = 3,
                        .rtt_us = 43000,
                        .icmp_type = -1,
                        .icmp_code = -1,
                        .grade = 'A',
                        .keys = KEY_RELAY_ADDRESS | KEY_ALIAS | KEY_RPORT,
                        .confidence = CONFIDENCE_CONFIRMED,
                        .call_id = CALL_ID,
                        .caller = "sip:user1@contoso.com",
                        .callee = "sip:user2@fabrikam.com",
                        .medium = "applicationsharing",
                        .local_candidate = "relay TCP-PASS 2.2.2.2:58138",
                        .remote_candidate = "default TCP-PASS 1.1.1.1:50704",
                        .client = at("10.98.2.1:13211"),
                        .call_row = 1,
                        .allocation_row = 1,
                        .attempt = 1,
                        .finding = findings[0].code,
                        .explanation = "Each of 3 SYNs was answered by RST.",
                        .advice = findings[0].advice};
    writer_failure(w, &f, findings, 2);
}

static void put_rest(struct writer *w)
{
    struct health_row outside = {
        .iface = 0, .from = MS(-10000), .to = MS(5000), .packets = 44, .bytes = 4400};
    struct health_row engine = {.iface = -1, .from = MS(-10000), .to = MS(5000), .stream_gaps = 2};
    struct traffic_row traffic = {.hour = T0 - T0 % (3600 * TICK_S),
                                  .src = host("10.3.0.40"),
                                  .dst_net = host("1.1.1.0"),
                                  .port_from = 50000,
                                  .port_to = 59999,
                                  .proto = PROTO_TCP,
                                  .connected = 4,
                                  .refused = 1};
    writer_health(w, &outside, "outside");
    writer_health(w, &engine, NULL);
    writer_traffic(w, &traffic);
}

void sample_make(char path[SAMPLE_PATH])
{
    char why[256] = "";
    struct run_info run = {.sensor = "edge1", .command = "read", .sources = "sample.pcap"};
    snprintf(path, SAMPLE_PATH, "/tmp/edgewatch-sample-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0 || unlink(path) != 0)
        abort();
    struct writer *w = writer_open(path, &run, why, sizeof why);
    if (!w) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    put_attempt(w);
    put_call(w);
    put_allocation(w);
    put_failure(w);
    put_rest(w);
    if (writer_close(w, MS(-10000), MS(5000), NULL, why, sizeof why) != DB_OK) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
}

struct query_db *sample_open(const char *path)
{
    char why[256] = "";
    struct query_db *db = NULL;
    if (query_open(path, &db, why, sizeof why) != DB_OK) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return db;
}

void sample_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[SAMPLE_PATH + 8];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}
