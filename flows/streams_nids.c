/*
 * libnids behind its door. The only file that knows nids.h.
 *
 * Sequence numbers: libnids expects, of a sender, first_data_seq + count of its receiver (urg_count
 * stays 0, no urgent flag is ever fed). Its int counters wrap after 2 GiB; we restart them at every
 * seek and only ever subtract them as uint32_t.
 */
#include "flows/streams_nids.h"

#include "flows/synth.h"
#include "flows/memory.h"

#include <assert.h>
#include <nids.h>
#include <setjmp.h>
#include <stdlib.h>

enum {
    QUEUE_LIMIT = 65535,  /* libnids drops a queue that weighs more, all of it */
    QUEUE_OVERHEAD = 208, /* what it adds per waiting segment: 168 + 16 + rounding */
    PIECE = 32768,        /* a segment is fed in pieces: IP length has 16 bits, and two of them
                             must fit into the queue */
};

static struct {
    uint32_t capacity; /* 0: not initialised yet */
    uint32_t open;
    bool used;
    struct nids_sink sink;
    struct nids_stream *opening; /* whose handshake is being fed */
    uint64_t warnings;
    jmp_buf no_memory;
    _Alignas(8) uint8_t packet[SYNTH_HEADERS_MAX + PIECE];
} lib;

/* libnids' log. Its default writes to syslog for every bad packet. */
static void on_warning(int type, int number, struct ip *ip, void *data)
{
    (void)type, (void)number, (void)ip, (void)data;
    lib.warnings++;
}

/* libnids' end: by default it leaves the process, and it can't go on if this returns. Nothing of
 * ours is on the stack between the setjmp() and here. */
static void on_no_memory(char *where)
{
    (void)where;
    (void)memory_got(NULL);
    longjmp(lib.no_memory, 1);
}

static struct half_stream *receiver(struct tcp_stream *tcp, enum stream_side from)
{
    return from == SIDE_CLIENT ? &tcp->server : &tcp->client;
}

static struct half_stream *sender(struct tcp_stream *tcp, enum stream_side from)
{
    return from == SIDE_CLIENT ? &tcp->client : &tcp->server;
}

static uint32_t expected(struct tcp_stream *tcp, enum stream_side from)
{
    return sender(tcp, from)->first_data_seq + (uint32_t)receiver(tcp, from)->count;
}

static void on_established(struct tcp_stream *tcp)
{
    assert(lib.opening);
    lib.opening->tcp = tcp;
    tcp->user = lib.opening;
    tcp->client.collect++;
    tcp->server.collect++;
}

static void on_data(struct tcp_stream *tcp)
{
    enum stream_side from = tcp->server.count_new ? SIDE_CLIENT : SIDE_SERVER;
    struct half_stream *h = receiver(tcp, from);
    uint32_t held = (uint32_t)h->count - (uint32_t)h->offset;
    size_t used =
        lib.sink.data(lib.sink.arg, tcp->user, from, slice_of(h->data, held), (size_t)h->count_new);
    assert(used <= held);
    nids_discard(tcp, (int)used);
}

/* Closed, reset, timed out by libnids itself: nothing we feed gives it a reason. */
static void on_gone(struct tcp_stream *tcp)
{
    struct nids_stream *n = tcp->user;
    n->tcp = NULL;
    lib.open--;
}

static void on_event(struct tcp_stream *tcp, void **param)
{
    *param = NULL; /* libnids passes it on uninitialised */
    if (tcp->nids_state == NIDS_JUST_EST)
        on_established(tcp);
    else if (tcp->nids_state == NIDS_DATA)
        on_data(tcp);
    else
        on_gone(tcp);
}

/* libnids itself has no way to leave a half-made start: its tables stay. */
static bool init_library(void)
{
    if (setjmp(lib.no_memory))
        return false;
    return nids_init() != 0;
}

static const char *init_once(uint32_t streams)
{
    static struct nids_chksum_ctl unchecked = {0, 0, NIDS_DONT_CHKSUM, 0};
    pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
    if (!dead)
        return "libpcap: no memory";
    nids_params.pcap_desc = dead;
    nids_params.n_tcp_streams = (int)(streams / 3 * 4 + 8); /* N gives 3N/4 + 1 slots */
    nids_params.scan_num_hosts = 0;  /* the detector writes out of bounds for some sources */
    nids_params.tcp_workarounds = 0; /* a linear list, walked for every stream freed */
    nids_params.multiproc = 0;
    nids_params.syslog = on_warning;
    nids_params.no_mem = on_no_memory;
    if (!init_library()) {
        pcap_close(dead);
        return "libnids can't start";
    }
    nids_register_chksum_ctl(&unchecked, 1);
    nids_register_tcp(on_event);
    lib.capacity = streams;
    return NULL;
}

uint32_t streams_nids_start(uint32_t streams, const struct nids_sink *sink, const char **why)
{
    if (lib.used) {
        *why = "libnids is in use already";
        return 0;
    }
    if (!lib.capacity && (*why = init_once(streams)) != NULL)
        return 0;
    lib.used = true;
    lib.sink = *sink;
    return lib.capacity;
}

void streams_nids_stop(void)
{
    assert(lib.used && lib.open == 0);
    lib.used = false;
}

uint64_t streams_nids_warnings(void)
{
    return lib.warnings;
}

/* lib.packet holds length bytes. False: libnids ran out of memory half way. */
static bool submit(size_t length, tick_t now)
{
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = now / TICK_S, .tv_usec = now % TICK_S / TICK_US},
        .caplen = (bpf_u_int32)length,
        .len = (bpf_u_int32)length,
    };
    if (setjmp(lib.no_memory))
        return false;
    nids_pcap_handler(NULL, &header, lib.packet);
    return true;
}

static bool shake(const struct nids_stream *n, enum stream_side from, uint8_t flags, uint32_t seq,
                  uint32_t ack, tick_t now)
{
    struct synth s = {n->number, from == SIDE_CLIENT, flags, seq, ack};
    return submit(synth_headers(&s, 0, lib.packet), now);
}

static bool handshake(const struct nids_stream *n, const uint32_t seq[2], tick_t now)
{
    uint32_t client = seq[SIDE_CLIENT], server = seq[SIDE_SERVER];
    return shake(n, SIDE_CLIENT, TCP_SYN, client - 1, 0, now) &&
           shake(n, SIDE_SERVER, TCP_SYN | TCP_ACK, server - 1, client, now) &&
           shake(n, SIDE_CLIENT, TCP_ACK, client, server, now);
}

/* What is left in libnids of a handshake that ran out of memory. */
static void drop_half_open(uint32_t number)
{
    struct tuple4 addr = {SYNTH_CLIENT_PORT, SYNTH_SERVER_PORT, htonl(SYNTH_CLIENT + number),
                          htonl(SYNTH_SERVER)};
    struct tcp_stream *tcp = nids_find_tcp_stream(&addr);
    if (tcp)
        nids_free_tcp_stream(tcp);
}

bool streams_nids_open(struct nids_stream *n, uint32_t number, const uint32_t seq[2], tick_t now)
{
    assert(number >= 1 && number <= SYNTH_STREAMS_MAX && lib.open < lib.capacity && !n->tcp);
    n->number = number;
    lib.opening = n;
    bool done = handshake(n, seq, now);
    lib.opening = NULL;
    if (!done || !n->tcp) {
        drop_half_open(number);
        n->tcp = NULL;
        return false;
    }
    lib.open++;
    return true;
}

void streams_nids_close(struct nids_stream *n)
{
    if (!n->tcp)
        return;
    nids_free_tcp_stream(n->tcp);
    n->tcp = NULL;
    lib.open--;
}

void streams_nids_seek(struct nids_stream *n, enum stream_side side, uint32_t seq)
{
    struct half_stream *to = receiver(n->tcp, side);
    sender(n->tcp, side)->first_data_seq = seq;
    to->count = to->offset = 0;
    to->ack_seq = seq; /* the base of the window that libnids lets this side send into */
}

static bool feed_piece(struct nids_stream *n, enum stream_side side, uint32_t seq,
                       struct slice piece, tick_t now)
{
    enum stream_side other = side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    struct synth s = {n->number, side == SIDE_CLIENT, TCP_ACK, seq, expected(n->tcp, other)};
    size_t headers = synth_headers(&s, piece.n, lib.packet);
    memcpy(lib.packet + headers, piece.p, piece.n);
    if (!submit(headers + piece.n, now))
        return false;
    /* Nobody acknowledges to libnids: a capture may show one direction only. */
    if (n->tcp)
        receiver(n->tcp, side)->ack_seq = expected(n->tcp, side);
    return true;
}

bool streams_nids_feed(struct nids_stream *n, enum stream_side side, uint32_t seq,
                       struct slice payload, tick_t now)
{
    while (payload.n && n->tcp) {
        size_t size = payload.n < PIECE ? payload.n : PIECE;
        if (!feed_piece(n, side, seq, slice_of(payload.p, size), now)) {
            streams_nids_close(n);
            return false;
        }
        seq += (uint32_t)size;
        payload = slice_of(payload.p + size, payload.n - size);
    }
    return n->tcp != NULL;
}

bool streams_nids_fits(const struct nids_stream *n, enum stream_side side, size_t bytes)
{
    size_t weight = bytes + (bytes / PIECE + 1) * (SYNTH_HEADERS + QUEUE_OVERHEAD);
    return (size_t)receiver(n->tcp, side)->rmem_alloc + weight <= QUEUE_LIMIT;
}

void streams_nids_shrink(struct nids_stream *n, enum stream_side side)
{
    struct half_stream *h = receiver(n->tcp, side);
    assert(h->count == h->offset);
    free(h->data);
    h->data = NULL;
    h->bufsize = 0;
}

size_t streams_nids_memory(const struct nids_stream *n)
{
    const struct half_stream *a = &n->tcp->client, *b = &n->tcp->server;
    return (size_t)a->bufsize + (size_t)a->rmem_alloc + (size_t)b->bufsize + (size_t)b->rmem_alloc;
}
