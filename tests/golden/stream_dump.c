/*
 * Every TCP byte stream of a capture as the feeder gives it, one line per direction:
 *
 *     192.0.2.1:1234>192.0.2.2:80 48545450...
 *
 * Connections between the same endpoints follow each other on one line. A gap is written as tshark
 * writes it into its followed streams. Used by streams.sh to compare the two.
 *
 *     usage: stream_dump CAPTURE
 *            stream_dump -t [-k KEY]... [-l KEYLOG]... [-L KEYLOG] CAPTURE
 *
 * With -t: the plain text of every TLS connection instead, read with these keys and with what the
 * capture itself holds; -L: a key log that comes when the first connection ends. Each connection's
 * end is told on stderr: its state, version and cipher.
 */
#include "capture/defrag.h"
#include "capture/source.h"
#include "flows/feeder.h"
#include "flows/tls_link.h"
#include "flows/wire/framing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
    struct tls_reader tls; /* keys NULL: bytes as they are */
    int embedded;          /* source number of key logs inside the capture */
    const char *late;      /* key log that comes when the first connection ends */
};

/* A stream's place in the dump: its directions, and how much of what is left was written already.
 */
struct place {
    struct tls_link *link;
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

/* ---- TLS ---- */

static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    struct dump *d = arg;
    struct place *p = tls_link_owner(l);
    (void)time;
    append(&d->all[p->direction[side]], text);
    return true;
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    on_text(arg, l, side, 0, slice_str("[gap]"));
}

static struct stream_take on_tls(void *arg, struct stream *s, enum stream_side side,
                                 struct slice avail)
{
    struct dump *d = arg;
    struct place *p = place_of(d, s);
    if (!p->link) {
        p->link = must(tls_link_new(&d->tls, p));
    }
    return tls_link_data(p->link, side, s->time, avail);
}

static void on_tls_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    struct place *p = place_of(arg, s);
    if (p->link)
        tls_link_gap(p->link, side, missing);
}

static void tell_link(const struct tls_link *l)
{
    struct tls_texts t;
    struct fact_tls f;
    char detail[TLS_DETAIL];
    tls_link_facts(l, &t, &f);
    tls_link_detail(l, detail);
    fprintf(stderr, "%s %s %s %s%s%s %s\n", f.state, f.handshake ? f.handshake : "-",
            f.version ? f.version : "-", f.cipher ? f.cipher : "-",
            f.resumed == 1 ? " resumed" : "", f.key ? " by" : "", f.key ? f.key : detail);
}

static struct slice file_bytes(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *in = must(fopen(path, "rb"));
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    return slice_of(bytes, n);
}

static void read_keylog(struct tls_keys *keys, const char *path)
{
    tls_keys_log(keys, tls_keys_source(keys, "keylog"), file_bytes(path), true);
}

static void on_tls_over(void *arg, struct stream *s, bool closed)
{
    struct dump *d = arg;
    struct place *p = s->user;
    if (!p)
        return;
    if (p->link) {
        if (d->late)
            read_keylog(d->tls.keys, d->late);
        d->late = NULL;
        tls_link_retry(p->link, s->time);
        tls_link_over(p->link, s->time, closed);
        tell_link(p->link);
    }
    tls_link_free(p->link);
    free(p);
    s->user = NULL;
}

static void on_secrets(void *arg, unsigned source, const char *name, struct slice piece, bool last)
{
    struct dump *d = arg;
    (void)source, (void)name;
    tls_keys_log(d->tls.keys, d->embedded, piece, last);
}

static void read_key(struct tls_keys *keys, const char *path)
{
    const char *why = "";
    struct tls_private *k = tls_private_read(file_bytes(path), path, NULL, NULL, &why);
    if (!k || tls_keys_add(keys, k, "key") != 0) {
        fprintf(stderr, "stream_dump: %s: %s\n", path, why);
        exit(1);
    }
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
        if (d->tls.keys)
            sources_secrets(s, on_secrets, d);
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

static void start_tls(struct dump *d)
{
    d->tls = (struct tls_reader){.keys = must(tls_keys_new()),
                                 .scratch = must(malloc(TLS_PLAIN_MAX)),
                                 .arg = d,
                                 .on_text = on_text,
                                 .on_hole = on_hole};
    d->embedded = tls_keys_source(d->tls.keys, "capture");
}

static void options(struct dump *d, int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "tk:l:L:")) >= 0;)
        if (option == 't') {
            start_tls(d);
        } else if (option == 'k') {
            read_key(d->tls.keys, optarg);
        } else if (option == 'l') {
            read_keylog(d->tls.keys, optarg);
        } else if (option == 'L') {
            d->late = optarg;
            tls_keys_set_growing(d->tls.keys, true);
        } else {
            exit(64);
        }
}

int main(int argc, char **argv)
{
    struct dump d = {0};
    const char *why = "";
    options(&d, argc, argv);
    if (optind != argc - 1) {
        fputs("usage: stream_dump [-t [-k KEY] [-l KEYLOG] [-L KEYLOG]] CAPTURE\n", stderr);
        return 64;
    }
    struct stream_reader bytes = {&d, on_data, on_gap, on_over},
                         texts = {&d, on_tls, on_tls_gap, on_tls_over};
    struct tracker_hooks hooks = {
        .arg = &d, .wanted = on_wanted, .attempt = on_attempt, .flow_over = on_flow_over};
    d.feeder = must(feeder_new(0, 0, d.tls.keys ? &texts : &bytes, &why));
    d.tracker = must(tracker_new(0, 0, 1, &hooks));
    d.defrag = must(defrag_new(1));
    read_all(&d, argv[optind]);
    for (size_t i = 0; i < d.n; i++) {
        print_direction(&d.all[i]);
        free(d.all[i].bytes);
    }
    free(d.all);
    feeder_free(d.feeder);
    tracker_free(d.tracker);
    defrag_free(d.defrag);
    tls_keys_free(d.tls.keys);
    free(d.tls.scratch);
    return 0;
}
