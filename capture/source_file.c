/*
 * Capture files as a source: a thread that reads whole megabytes straight into the ring's batches
 * and only looks at record headers. A record that is cut at the end of a batch is carried to the
 * front of the next one, into a strip kept free there, so that reads stay aligned.
 */
#include "capture/capfile.h"
#include "capture/source_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CARRY_BYTES = (CAPFILE_MAX_RECORD + 4095) / 4096 * 4096,
    READ_BYTES = 1 << 16, /* so that the whole ring stays in the cache between two threads: a
                             quarter of a megabyte a batch cost the engine 4 % */
    FILE_BATCHES = 16,
    RECORD_MIN = 16, /* an empty pcap record: sets the number of descriptors */
    FILTER_LINKTYPES = 16,
};

struct file {
    int fd;
    bool regular;
    struct capfile *parser;
    /* interfaces of the sections so far: one that repeats them goes on counting for them */
    uint16_t *iface_of;
    unsigned iface_count;
    struct bpf_program filter[FILTER_LINKTYPES];
    uint16_t filter_linktype[FILTER_LINKTYPES];
    unsigned filter_count;
};

/* DLT_RAW has another number in files; the other link types we decode have the same one. */
static int compile(struct bpf_program *prog, uint16_t linktype, const char *filter, char *why,
                   size_t why_size)
{
    pcap_t *dead = pcap_open_dead(linktype == 101 ? DLT_RAW : linktype, SOURCE_DEFAULT_SNAPLEN);
    if (!dead)
        return -1;
    int bad = pcap_compile(dead, prog, filter, 1, PCAP_NETMASK_UNKNOWN);
    if (bad)
        snprintf(why, why_size, "%s", pcap_geterr(dead));
    pcap_close(dead);
    return bad ? -1 : 0;
}

/* The filter for a link type, compiled when the first frame of it is seen. NULL: it can't be. */
static const struct bpf_program *filter_for(struct source *src, uint16_t linktype)
{
    struct file *f = src->file;
    char why[PCAP_ERRBUF_SIZE] = "too many link types";
    for (unsigned i = 0; i < f->filter_count; i++)
        if (f->filter_linktype[i] == linktype)
            return &f->filter[i];
    if (f->filter_count < FILTER_LINKTYPES &&
        compile(&f->filter[f->filter_count], linktype, src->owner->opt.filter, why, sizeof why) ==
            0) {
        f->filter_linktype[f->filter_count] = linktype;
        return &f->filter[f->filter_count++];
    }
    source_damaged(src, SOURCE_BAD_FILTER, "filter for link type %u: %s", linktype, why);
    return NULL;
}

/* Takes frames that the filter refuses off the list. */
static void filter_batch(struct source *src, struct batch *b, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < b->count; i++) {
        const struct batch_packet *p = &b->packets[i];
        const struct bpf_program *prog = filter_for(src, p->linktype);
        struct pcap_pkthdr h = {.caplen = p->caplen, .len = p->len};
        if (prog && pcap_offline_filter(prog, &h, b->bytes + p->offset))
            b->packets[kept++] = *p;
    }
    b->count = kept;
}

static void add_secrets(void *ctx, struct slice piece, bool last)
{
    source_secrets(ctx, piece, last);
}

static uint16_t add_iface(void *ctx, unsigned number, struct slice name)
{
    struct source *src = ctx;
    struct file *f = src->file;
    const char *base = strrchr(src->path, '/');
    if (!name.n)
        name = slice_str(base ? base + 1 : src->path);
    if (number < f->iface_count &&
        slice_eq(name, slice_str(sources_iface_name(src->owner, f->iface_of[number]))))
        return f->iface_of[number];
    uint16_t id = sources_new_iface(src->owner, name);
    unsigned count = number < f->iface_count ? f->iface_count : number + 1;
    uint16_t *more = realloc(f->iface_of, count * sizeof *more);
    if (more) {
        f->iface_of = more;
        f->iface_of[number] = id;
        f->iface_count = count;
    }
    return id;
}

/* Sleeps until a pipe has something. False: asked to stop. */
static bool wait_readable(struct source *src)
{
    struct pollfd fds[2] = {{.fd = src->file->fd, .events = POLLIN},
                            {.fd = src->owner->stop_fd, .events = POLLIN}};
    while (!sources_stopping(src->owner))
        if (poll(fds, 2, -1) > 0 && fds[0].revents)
            return true;
    return false;
}

/* Fills a batch as far as one read goes. False at the end of the file, on damage and on stop. */
static bool read_more(struct source *src, struct batch *b)
{
    struct file *f = src->file;
    if (!f->regular && !wait_readable(src))
        return false;
    ssize_t n = read(f->fd, b->bytes + b->end, b->size - b->end);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0)
        source_damaged(src, SOURCE_BAD_INPUT, "cannot be read: %s", strerror(errno));
    if (n <= 0)
        return false;
    b->end += (size_t)n;
    atomic_fetch_add_explicit(&src->owner->done_bytes, (uint64_t)n, memory_order_relaxed);
    return true;
}

/* Frames of one interface mostly follow each other: one addition per run. */
static void count_frames(struct source *src, const struct batch *b, size_t from)
{
    size_t i = from;
    while (i < b->count) {
        uint16_t iface = b->packets[i].iface;
        uint64_t packets = 0, bytes = 0;
        for (; i < b->count && b->packets[i].iface == iface; i++, packets++)
            bytes += b->packets[i].len;
        count_add(&src->owner->ifaces[iface]->packets, packets);
        count_add(&src->owner->ifaces[iface]->bytes, bytes);
    }
}

static void list_frames(struct source *src, struct batch *b)
{
    size_t from = b->count;
    capfile_walk(src->file->parser, b);
    if (src->owner->opt.filter)
        filter_batch(src, b, from);
    source_decode(src, b);
    count_frames(src, b, from);
}

/* An empty batch, waiting for the consumer if need be. NULL: asked to stop. */
static struct batch *claim(struct source *src)
{
    struct batch *b;
    while (!(b = ring_claim(src->ring)) && !sources_stopping(src->owner))
        ring_wait_room(src->ring, 100);
    return b;
}

/* Claims the next batch and puts what the last one left over in front of its reading area. The
 * consumer may already hold the last one, but nobody writes to it before it is released. */
static struct batch *next_batch(struct source *src, const uint8_t *left, size_t n)
{
    struct batch *b = claim(src);
    if (!b)
        return NULL;
    b->at = CARRY_BYTES - n;
    b->end = CARRY_BYTES;
    if (n)
        memcpy(b->bytes + b->at, left, n);
    return b;
}

static void file_run(struct source *src)
{
    struct file *f = src->file;
    struct batch *b = next_batch(src, NULL, 0);
    bool more = true;
    while (b && more && src->damage == SOURCE_OK && !sources_stopping(src->owner)) {
        more = read_more(src, b);
        list_frames(src, b);
        if (capfile_damage(f->parser))
            source_damaged(src, SOURCE_BAD_INPUT, "%s", capfile_damage(f->parser));
        if (!more || (b->end < b->size && !ring_idle(src->ring)))
            continue;
        size_t n = b->end - b->at;
        const uint8_t *left = b->bytes + b->at;
        ring_publish(src->ring);
        b = next_batch(src, left, n);
    }
    if (!b)
        return;
    if (!sources_stopping(src->owner) && src->damage == SOURCE_OK) {
        capfile_finish(f->parser, b->end - b->at);
        if (capfile_damage(f->parser))
            source_damaged(src, SOURCE_BAD_INPUT, "%s", capfile_damage(f->parser));
    }
    ring_publish(src->ring);
}

static enum source_error file_open(struct sources *s, const char *path, int *fd, struct stat *st)
{
    *fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return sources_fail(s, SOURCE_NOT_OPENED, "%s: %s", path, strerror(errno));
    if (fstat(*fd, st) == 0 && !S_ISDIR(st->st_mode))
        return SOURCE_OK;
    close(*fd);
    return sources_fail(s, SOURCE_NOT_OPENED, "%s: is not a file", path);
}

static struct file *file_new(struct source *src, int fd, bool regular)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->parser = capfile_new(add_iface, src);
    if (!f->parser) {
        free(f);
        return NULL;
    }
    capfile_on_secrets(f->parser, add_secrets);
    f->fd = fd;
    f->regular = regular;
    return f;
}

/* A filter that is wrong should be known before anything is read. Ethernet stands for all. */
static enum source_error check_filter(struct sources *s)
{
    struct bpf_program prog;
    char why[PCAP_ERRBUF_SIZE] = "out of memory";
    if (!s->opt.filter)
        return SOURCE_OK;
    if (compile(&prog, DLT_EN10MB, s->opt.filter, why, sizeof why) != 0)
        return sources_fail(s, SOURCE_BAD_FILTER, "filter: %s", why);
    pcap_freecode(&prog);
    return SOURCE_OK;
}

enum source_error sources_add_file(struct sources *s, const char *path)
{
    struct ring_shape shape = {.batches = FILE_BATCHES,
                               .bytes = CARRY_BYTES + READ_BYTES,
                               .packets = (CARRY_BYTES + READ_BYTES) / RECORD_MIN};
    struct stat st;
    int fd;
    enum source_error bad = check_filter(s);
    if (bad == SOURCE_OK)
        bad = file_open(s, path, &fd, &st);
    if (bad != SOURCE_OK)
        return bad;
    struct source *src = sources_add(s, strcmp(path, "-") ? path : "stdin", &shape);
    if (!src || !(src->file = file_new(src, fd, S_ISREG(st.st_mode)))) {
        if (src)
            sources_drop_last(s);
        close(fd);
        return sources_fail(s, SOURCE_NO_MEMORY, "%s: out of memory", path);
    }
    src->run = file_run;
    if (src->file->regular)
        s->total_bytes += (uint64_t)st.st_size;
    else
        s->total_unknown = true;
    return SOURCE_OK;
}

void source_file_free(struct source *src)
{
    struct file *f = src->file;
    if (!f)
        return;
    for (unsigned i = 0; i < f->filter_count; i++)
        pcap_freecode(&f->filter[i]);
    capfile_free(f->parser);
    free(f->iface_of);
    close(f->fd);
    free(f);
}
