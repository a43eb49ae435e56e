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

void progress_show(struct progress *p, const struct sources *s, uint64_t packets, uint64_t failures)
{
    int64_t now = p->on ? now_ms() : 0;
    if (!p->on || now < p->next_ms)
        return;
    p->next_ms = now + EVERY_MS;
    p->shown = true;
    uint64_t done, total;
    sources_progress(s, &done, &total);
    double mb = (double)done / 1e6, seconds = (double)(now - p->begun_ms) / 1e3;
    if (total)
        fprintf(stderr, "\r%3.0f %%  ", 100.0 * (double)done / (double)total);
    else
        fprintf(stderr, "\r");
    fprintf(stderr, "%.0f MB, %.0f MB/s, %" PRIu64 " packets, %" PRIu64 " failures\033[K", mb,
            mb / seconds, packets, failures);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = false;
}
