/*
 * Ends every capture after its 1st, 2nd, 3rd ... packet: whatever half-open state that leaves in
 * the engine, it must come to its end, and a sanitizer must have nothing to say. Longer captures
 * are ended at CUTS places, evenly spread.
 *
 *   usage: cuts CAPTURE...
 */
#include <stdio.h>
#include <stdlib.h>

#include "capture/source.h"
#include "tests/help/deaf.h"

enum { CUTS = 200, FLOWS = 4096 };

struct packets {
    struct raw_packet *list;
    size_t n, room;
};

static void keep(struct packets *k, const struct raw_packet *raw)
{
    if (k->n == k->room) {
        k->room = k->room ? 2 * k->room : 256;
        k->list = realloc(k->list, k->room * sizeof *k->list);
        if (!k->list)
            abort();
    }
    /* a buffer of its own size: a read past the packet is seen */
    uint8_t *copy = malloc(raw->caplen ? raw->caplen : 1);
    if (!copy)
        abort();
    memcpy(copy, raw->data, raw->caplen);
    k->list[k->n] = *raw;
    k->list[k->n++].data = copy;
}

/* Everything up to a damage: that is what edgewatch gets to see. */
static int load(const char *path, struct packets *k)
{
    struct source_options none = {0};
    struct sources *s = sources_new(&none);
    struct raw_packet raw;
    tick_t idle;
    int opened = s && sources_add_file(s, path) == SOURCE_OK && sources_start(s) == 0;
    while (opened && sources_next(s, 1000, &raw, &idle) == PULL_PACKET)
        keep(k, &raw);
    sources_free(s);
    return opened ? 0 : -1;
}

static int cut(const struct packets *k, size_t n)
{
    struct engine_config config = {.sensor = "cuts", .flows = FLOWS};
    const char *why;
    struct pipeline *p = pipeline_new(&config, &engine_deaf, &why);
    if (!p)
        return -1;
    pipeline_frames(p, k->list, (unsigned)n);
    pipeline_finish(p);
    pipeline_free(p);
    return 0;
}

static void cut_everywhere(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct packets k = {0};
    if (load(path, &k) != 0) {
        printf("not ok cut %s: cannot be read\n", name);
        return;
    }
    size_t step = k.n > CUTS ? k.n / CUTS : 1, cuts = 0;
    int failed = 0;
    for (size_t n = 1; n <= k.n && !failed; n += step, cuts++)
        failed = cut(&k, n);
    printf(failed ? "not ok cut %s: no engine at cut %zu\n" : "ok cut %s at %zu places\n", name,
           cuts);
    fflush(stdout);
    for (size_t i = 0; i < k.n; i++)
        free((void *)(uintptr_t)k.list[i].data);
    free(k.list);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        cut_everywhere(argv[i]);
    return argc < 2;
}
