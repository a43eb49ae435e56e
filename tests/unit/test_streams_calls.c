/*
 * Generated signaling of 2,000 calls on 20 trunk connections, captured badly: how many of the
 * 14,000 messages come out of the feeder, and how many of libnids alone.
 *
 * A message is a head line of fixed width ("@@MSG number length\n") and a body of letters. The
 * reader resynchronises after a gap at the next head, as the SIP parser does at a start line.
 */
#include "flows/feeder.h"
#include "flows/synth.h"
#include "tests/help/stream_lab.h"

#include <nids.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TRUNKS = 20,
    CALLS = 2000,
    PER_CALL = 7, /* INVITE 100 183 200 ACK BYE 200 */
    MESSAGES = CALLS * PER_CALL,
    HEAD = 22,
    SEGMENT = 1460,
    PACKETS = MESSAGES * 8,
};

/* Per mille. */
struct defects {
    unsigned reordered, lost, duplicated;
    unsigned older; /* per cent of the trunks that were open before the capture */
};

struct captured {
    struct packet p;
    unsigned trunk;
    bool from_client;
};

static struct captured packets[PACKETS];
static size_t n_packets;
static struct flow flows[TRUNKS];
static uint8_t *texts[MESSAGES];
static bool found[MESSAGES];
static uint64_t rng;

/* ---- generator ---- */

static bool chance(unsigned per_mille)
{
    return lab_random(&rng) % 1000 < per_mille;
}

/* INVITE and the answers with SDP are long, the rest is short. */
static size_t body_size(unsigned step)
{
    size_t extra = lab_random(&rng) % 400;
    return step == 0 || step == 2 || step == 3 ? 2500 + 4 * extra : 300 + extra;
}

static struct slice make_message(unsigned number)
{
    size_t body = body_size(number % PER_CALL);
    uint8_t *text = texts[number] = realloc(texts[number], HEAD + body + 1);
    snprintf((char *)text, HEAD + 1, "@@MSG %08u %06zu\n", number, body);
    for (size_t i = 0; i < body; i++)
        text[HEAD + i] = (uint8_t)('a' + (number + i) % 26);
    return slice_of(text, HEAD + body);
}

static struct captured *add(unsigned trunk, bool from_client, uint8_t flags, uint32_t seq,
                            uint32_t ack, struct slice payload)
{
    assert_true(n_packets < PACKETS);
    struct captured *c = &packets[n_packets++];
    *c = (struct captured){.p = {.time = TICK_S + (tick_t)n_packets * TICK_MS / 4,
                                 .flags = flags,
                                 .seq = seq,
                                 .ack = ack,
                                 .payload = payload,
                                 .payload_len = (uint32_t)payload.n},
                           .trunk = trunk,
                           .from_client = from_client};
    return c;
}

struct trunk {
    uint32_t next[2]; /* sequence numbers, client and server */
};

static void send_message(struct trunk *t, unsigned trunk, bool client, struct slice message)
{
    uint32_t *mine = &t->next[client ? 0 : 1], *theirs = &t->next[client ? 1 : 0];
    for (unsigned i = 1; message.n; i++) {
        size_t n = message.n < SEGMENT ? message.n : SEGMENT;
        add(trunk, client, TCP_ACK | TCP_PSH, *mine, *theirs, slice_of(message.p, n));
        message = slice_of(message.p + n, message.n - n);
        *mine += (uint32_t)n;
        if (i % 2 == 0 || message.n == 0)
            add(trunk, !client, TCP_ACK, *theirs, *mine, slice_of("", 0));
    }
}

/* Who sends step 0 to 6 of a call. */
static const bool by_caller[PER_CALL] = {true, false, false, false, true, true, false};

static void open_trunk(struct trunk *t, unsigned i, bool older)
{
    uint32_t isn[2] = {(uint32_t)lab_random(&rng), (uint32_t)lab_random(&rng)};
    *t = (struct trunk){{isn[0] + 1, isn[1] + 1}};
    flows[i] = older ? lab_midstream() : lab_flow(isn[0], isn[1]);
    if (older)
        return;
    struct slice none = slice_of("", 0);
    add(i, true, TCP_SYN, isn[0], 0, none);
    add(i, false, TCP_SYN | TCP_ACK, isn[1], isn[0] + 1, none);
    add(i, true, TCP_ACK, isn[0] + 1, isn[1] + 1, none);
}

/* Calls overlap: each step of a call is followed by a step of others. */
static void generate(unsigned older)
{
    static struct trunk trunks[TRUNKS];
    n_packets = 0;
    memset(found, 0, sizeof found);
    for (unsigned i = 0; i < TRUNKS; i++)
        open_trunk(&trunks[i], i, i * 100 < older * TRUNKS);
    for (unsigned group = 0; group < CALLS / TRUNKS; group++)
        for (unsigned step = 0; step < PER_CALL; step++)
            for (unsigned i = 0; i < TRUNKS; i++) {
                unsigned number = (group * TRUNKS + i) * PER_CALL + step;
                bool client = by_caller[step] == (group % 2 == 0);
                send_message(&trunks[i], i, client, make_message(number));
            }
}

/* ---- what the capture does to it ---- */

/* Every defect strikes a packet by itself; a reordered one comes 1 to 4 packets late. */
static size_t damage(const struct defects *d, struct captured *out)
{
    static size_t late[PACKETS + 8]; /* index + 1 of the packet to come at this place */
    size_t n = 0;
    memset(late, 0, sizeof late);
    for (size_t i = 0; i < n_packets; i++) {
        bool handshake = packets[i].p.flags & TCP_SYN;
        size_t place = i + 1 + lab_random(&rng) % 4;
        if (!handshake && chance(d->lost))
            continue;
        if (!handshake && chance(d->reordered) && !late[place]) {
            late[place] = i + 1;
        } else {
            out[n++] = packets[i];
            if (chance(d->duplicated))
                out[n++] = packets[i];
        }
        if (late[i])
            out[n++] = packets[late[i] - 1];
    }
    return n;
}

/* ---- reader ---- */

struct framing {
    bool lost; /* after a gap, or in a connection older than the capture */
};

/* Where the next head begins; the end less a possible part of one if there is none. */
static size_t resynchronise(struct slice s)
{
    const uint8_t *at = memmem(s.p, s.n, "@@MSG ", 6);
    if (at)
        return (size_t)(at - s.p);
    return s.n > 5 ? s.n - 5 : 0;
}

/* Bytes of the message in front: 0 = not all there. */
static size_t message_size(struct slice s)
{
    unsigned number, body;
    char head[HEAD + 1] = "";
    if (s.n < HEAD)
        return 0;
    memcpy(head, s.p, HEAD);
    if (sscanf(head, "@@MSG %08u %06u\n", &number, &body) != 2)
        return 1; /* no head: step on */
    if (s.n < HEAD + body)
        return 0;
    if (number < MESSAGES && memcmp(s.p, texts[number], HEAD + body) == 0)
        found[number] = true;
    return HEAD + body;
}

static size_t read_messages(struct framing *f, struct slice avail)
{
    size_t used = 0;
    if (f->lost)
        used = resynchronise(avail);
    for (size_t n; (n = message_size(slice_of(avail.p + used, avail.n - used))) > 0;) {
        f->lost = false;
        used += n;
    }
    return used;
}

static struct framing *framing_of(struct stream *s)
{
    if (!s->user) {
        struct framing *f = calloc(2, sizeof *f);
        f[0].lost = f[1].lost = !s->from_start;
        s->user = f;
    }
    return s->user;
}

static struct stream_take on_data(void *arg, struct stream *s, enum stream_side side,
                                  struct slice avail)
{
    (void)arg;
    return (struct stream_take){.used = read_messages(&framing_of(s)[side], avail)};
}

static void on_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    (void)arg, (void)missing;
    framing_of(s)[side].lost = true;
}

static void on_over(void *arg, struct stream *s, bool closed)
{
    (void)arg, (void)closed;
    free(s->user);
}

static unsigned count_found(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MESSAGES; i++)
        n += found[i];
    return n;
}

/* ---- with the feeder ---- */

static struct captured seen[2 * PACKETS];

static unsigned messages_through_feeder(const struct defects *d, struct feeder_counts *counts)
{
    rng = 20240607;
    generate(d->older);
    size_t n = damage(d, seen);
    struct stream_reader reader = {NULL, on_data, on_gap, on_over};
    const char *why = NULL;
    struct feeder *f = feeder_new(0, 0, &reader, &why);
    assert_non_null(f);
    for (size_t i = 0; i < n; i++) {
        struct flow_ref ref = {&flows[seen[i].trunk], seen[i].from_client,
                               seen[i].p.flags == TCP_SYN};
        feeder_tcp(f, &ref, &seen[i].p);
        feeder_advance(f, seen[i].p.time);
    }
    feeder_finish(f, seen[n - 1].p.time);
    feeder_counts(f, counts);
    feeder_free(f);
    return count_found();
}

static void assert_share(const struct defects *d, double least)
{
    struct feeder_counts counts;
    unsigned n = messages_through_feeder(d, &counts);
    print_message("%u of %u messages; %llu gaps, %llu direct, %llu through libnids\n", n,
                  (unsigned)MESSAGES, (unsigned long long)counts.gaps,
                  (unsigned long long)counts.direct_segments,
                  (unsigned long long)counts.nids_segments);
    assert_true(n >= least * MESSAGES);
    assert_int_equal(counts.nids_warnings, 0);
    assert_int_equal(counts.evicted, 0);
}

static void test_clean_capture_gives_every_message(void **state)
{
    (void)state;
    assert_share(&(struct defects){0}, 1);
}

static void test_duplicates_and_disorder_lose_nothing(void **state)
{
    (void)state;
    assert_share(&(struct defects){.reordered = 50, .duplicated = 10}, 1);
}

static void test_trunks_older_than_the_capture_lose_nothing(void **state)
{
    (void)state;
    assert_share(&(struct defects){.older = 100}, 1);
}

static const struct defects all = {.reordered = 10, .lost = 2, .duplicated = 10, .older = 30};

static void test_all_defects_leave_99_percent(void **state)
{
    (void)state;
    assert_share(&all, 0.99);
}

/* ---- libnids alone: the same packets as they are ---- */

static struct framing naive[TRUNKS][2];

static void on_nids(struct tcp_stream *s, void **param)
{
    *param = NULL;
    if (s->nids_state == NIDS_JUST_EST) {
        s->client.collect++;
        s->server.collect++;
    } else if (s->nids_state == NIDS_DATA) {
        bool client = s->server.count_new != 0;
        struct half_stream *h = client ? &s->server : &s->client;
        struct framing *f = naive[ntohl(s->addr.saddr) - SYNTH_CLIENT - 1];
        size_t n = (size_t)(h->count - h->offset);
        nids_discard(s, (int)read_messages(&f[!client], slice_of(h->data, n)));
    }
}

static void feed_nids(const struct captured *c)
{
    static uint8_t packet[SYNTH_HEADERS_MAX + SEGMENT];
    struct synth s = {c->trunk + 1, c->from_client, c->p.flags, c->p.seq, c->p.ack};
    size_t headers = synth_headers(&s, c->p.payload.n, packet);
    memcpy(packet + headers, c->p.payload.p, c->p.payload.n);
    bpf_u_int32 n = (bpf_u_int32)(headers + c->p.payload.n);
    struct pcap_pkthdr h = {{c->p.time / TICK_S, c->p.time % TICK_S / TICK_US}, n, n};
    nids_pcap_handler(NULL, &h, packet);
}

static unsigned messages_through_nids(void)
{
    static struct nids_chksum_ctl unchecked = {0, 0, NIDS_DONT_CHKSUM, 0};
    nids_params.pcap_desc = pcap_open_dead(DLT_RAW, 65535);
    nids_params.scan_num_hosts = 0;
    if (!nids_init())
        return MESSAGES;
    nids_register_chksum_ctl(&unchecked, 1);
    nids_register_tcp(on_nids);
    rng = 20240607;
    generate(all.older);
    size_t n = damage(&all, seen);
    for (size_t i = 0; i < n; i++)
        feed_nids(&seen[i]);
    return count_found();
}

/* Shows that the generated capture is as bad as it should be. In a process of its own: libnids can
 * be initialised only once. */
static void test_libnids_alone_loses_a_third(void **state)
{
    (void)state;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit((int)(messages_through_nids() * 100 / MESSAGES));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    print_message("libnids alone: %d %%\n", WEXITSTATUS(status));
    assert_in_range(WEXITSTATUS(status), 1, 66);
}

static int free_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MESSAGES; i++)
        free(texts[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libnids_alone_loses_a_third), /* first: before any other init */
        cmocka_unit_test(test_clean_capture_gives_every_message),
        cmocka_unit_test(test_duplicates_and_disorder_lose_nothing),
        cmocka_unit_test(test_trunks_older_than_the_capture_lose_nothing),
        cmocka_unit_test(test_all_defects_leave_99_percent),
    };
    return cmocka_run_group_tests(tests, NULL, free_texts);
}
