/*
 * Every TCP byte stream of a capture as the feeder gives it, one line per direction:
 *
 *     192.0.2.1:1234>192.0.2.2:80 48545450...
 *
 * Connections between the same endpoints follow each other on one line. A gap is written as tshark
 * writes it into its followed streams. Used by streams.sh to compare the two.
 *
 *     usage: stream_dump CAPTURE
 */
#include "capture/defrag.h"
#include "capture/source.h"
#include "flows/feeder.h"

#include <stdio.h>
#include <stdlib.h>

/* The reader takes whole units of this size and leaves the rest, so that most segments go through
 * libnids, and some straight from the packet. */
enum { UNIT = 1000 };

struct direction {
    char name[2 * ENDPOINT_TEXT + 1];
    uint8_t *bytes;
    size_t n, room;
};

struct dump {
    struct direction *all;
    size_t n;
    struct feeder *feeder;
    struct tracker *tracker;
    struct defrag *defrag;
};

/* A stream's place in the dump: its directions, and how much of what is left was written already.
 */
struct place {
    size_t direction[2];
    size_t left[2];
};

static void *must(void *p)
{
    if (!p) {
        fputs("stream_dump: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static size_t find_direction(struct dump *d, const struct endpoint *from, const struct endpoint *to)
{
    char a[ENDPOINT_TEXT], b[ENDPOINT_TEXT], name[2 * ENDPOINT_TEXT + 1];
    snprintf(name, sizeof name, "%s>%s", endpoint_text(from, a), endpoint_text(to, b));
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->all[i].name, name) == 0)
            return i;
    d->all = must(realloc(d->all, (d->n + 1) * sizeof *d->all));
    d->all[d->n] = (struct direction){.bytes = NULL};
    memcpy(d->all[d->n].name, name, sizeof name);
    return d->n++;
}

static struct place *place_of(struct dump *d, struct stream *s)
{
    if (!s->user) {
        struct place *p = must(calloc(1, sizeof *p));
        p->direction[SIDE_CLIENT] = find_direction(d, &s->flow->client, &s->flow->server);
        p->direction[SIDE_SERVER] = find_direction(d, &s->flow->server, &s->flow->client);
        s->user = p;
    }
    return s->user;
}

static void append(struct direction *d, struct slice bytes)
{
    if (d->n + bytes.n > d->room) {
        d->room = 2 * (d->n + bytes.n);
        d->bytes = must(realloc(d->bytes, d->room));
    }
    memcpy(d->bytes + d->n, bytes.p, bytes.n);
    d->n += bytes.n;
}

static struct stream_take on_data(void *arg, struct stream *s, enum stream_side side,
                                  struct slice avail)
{
    struct dump *d = arg;
    struct place *p = place_of(d, s);
    size_t old = p->left[side], used = avail.n / UNIT * UNIT;
    append(&d->all[p->direction[side]], slice_of(avail.p + old, avail.n - old));
    p->left[side] = avail.n - used;
    return (struct stream_take){.used = used};
}

static void on_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    struct dump *d = arg;
    struct place *p = place_of(d, s);
    char text[64];
    int n = snprintf(text, sizeof text, "[%u bytes missing in capture file]", missing);
    p->left[side] = 0;
    if (missing)
        append(&d->all[p->direction[side]], slice_of(text, (size_t)n + 1));
}

static void on_over(void *arg, struct stream *s, bool closed)
{
    (void)arg, (void)closed;
    free(s->user);
    s->user = NULL;
}

static bool on_wanted(void *arg, const struct endpoint *src, const struct endpoint *dst)
{
    (void)arg, (void)src, (void)dst;
    return false;
}

static void on_attempt(void *arg, const struct attempt *a, bool final)
{
    (void)arg, (void)a, (void) final;
}

static void on_flow_over(void *arg, struct flow *flow)
{
    struct dump *d = arg;
    feeder_flow_over(d->feeder, flow);
}

static void frame(struct dump *d, const struct raw_packet *raw)
{
    struct packet p;
    struct fragment f, outer;
    struct slice whole;
    enum frame_kind kind = frame_decode(raw, &p, &f);
    for (int depth = 0; kind == FRAME_FRAGMENT && depth < FRAME_MAX_LAYERS; depth++) {
        if (!defrag_add(d->defrag, &f, raw->time, &whole))
            return;
        outer = f;
        kind = frame_transport(&outer, whole, &p, &f);
    }
    tracker_advance(d->tracker, raw->time);
    feeder_advance(d->feeder, raw->time);
    if (kind != FRAME_PACKET || p.proto != PROTO_TCP)
        return;
    struct flow_ref ref = tracker_tcp(d->tracker, &p);
    feeder_tcp(d->feeder, &ref, &p);
}

static void read_all(struct dump *d, const char *path)
{
    struct source_options options = {0};
    struct sources *s = must(sources_new(&options));
    struct raw_packet raw;
    tick_t idle;
    if (sources_add_file(s, path) != SOURCE_OK || sources_start(s) != 0) {
        fprintf(stderr, "stream_dump: %s\n", sources_error_text(s));
        exit(1);
    }
    tick_t last = 0;
    while (sources_next(s, 0, &raw, &idle) == PULL_PACKET) {
        frame(d, &raw);
        last = raw.time;
    }
    feeder_finish(d->feeder, last);
    sources_free(s);
}

static void print_direction(const struct direction *d)
{
    if (d->n == 0)
        return;
    printf("%s ", d->name);
    for (size_t i = 0; i < d->n; i++)
        printf("%02x", d->bytes[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: stream_dump CAPTURE\n", stderr);
        return 64;
    }
    struct dump d = {0};
    struct stream_reader reader = {&d, on_data, on_gap, on_over};
    struct tracker_hooks hooks = {&d, on_wanted, on_attempt, on_flow_over};
    const char *why = "";
    d.feeder = must(feeder_new(0, 0, &reader, &why));
    d.tracker = must(tracker_new(0, 0, 1, &hooks));
    d.defrag = must(defrag_new(1));
    read_all(&d, argv[1]);
    for (size_t i = 0; i < d.n; i++) {
        print_direction(&d.all[i]);
        free(d.all[i].bytes);
    }
    free(d.all);
    feeder_free(d.feeder);
    tracker_free(d.tracker);
    defrag_free(d.defrag);
    return 0;
}
