/* The progress line. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 500, EVERY_MS = 250 };

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, bool wanted)
{
    int64_t now = now_ms();
    *p = (struct progress){wanted && isatty(STDERR_FILENO), false, now, now + FIRST_MS};
}

/* Time to draw? */
static bool due(struct progress *p, int64_t *now)
{
    *now = p->on ? now_ms() : 0;
    if (!p->on || *now < p->next_ms)
        return false;
    p->next_ms = *now + EVERY_MS;
    return p->shown = true;
}

/* The line's beginning: how much of the file, and how fast. */
static void draw_bytes(const struct progress *p, int64_t now, uint64_t done, uint64_t total)
{
    double mb = (double)done / 1e6, seconds = (double)(now - p->begun_ms) / 1e3;
    if (total)
        fprintf(stderr, "\r%3.0f %%  ", 100.0 * (double)done / (double)total);
    else
        fprintf(stderr, "\r");
    fprintf(stderr, "%.0f MB, %.0f MB/s, ", mb, mb / seconds);
}

void progress_show(struct progress *p, const struct sources *s, uint64_t packets, uint64_t failures)
{
    int64_t now;
    uint64_t done, total;
    if (!due(p, &now))
        return;
    sources_progress(s, &done, &total);
    draw_bytes(p, now, done, total);
    fprintf(stderr, "%" PRIu64 " packets, %" PRIu64 " failures\033[K", packets, failures);
}

void progress_log(struct progress *p, uint64_t done, uint64_t total, uint64_t messages,
                  uint64_t calls)
{
    int64_t now;
    if (!due(p, &now))
        return;
    draw_bytes(p, now, done, total);
    fprintf(stderr, "%" PRIu64 " messages, %" PRIu64 " calls\033[K", messages, calls);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = false;
}
