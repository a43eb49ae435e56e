/* report: the summary of a day or a night. */
#include "cli/mail.h"
#include "cli/opened.h"
#include "cli/period.h"
#include "cli/when.h"

#include "capture/log.h"
#include "report/clock.h"
#include "report/json.h"
#include "report/paint.h"
#include "report/summary.h"
#include "storage/nights.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NIGHT_DEFAULT "18:00-08:00"
#define DAY (86400 * TICK_S)

enum { TITLE = 192 };

struct period {
    tick_t since, until;
    const char *word; /* "Day", "Night", "Week", "Days", "Time" */
};

static void last_night(const struct settings *s, tick_t now, struct period *out)
{
    struct night night;
    (void)when_night(s->night ? s->night : NIGHT_DEFAULT,
                     &night); /* checked by the table of options */
    when_last_night(&night, now, &out->since, &out->until);
    out->word = "Night";
}

static void one_day(const struct settings *s, tick_t now, struct period *out)
{
    struct when w;
    (void)when_parse(s->day, now, &w);
    *out = (struct period){w.from, w.to > w.from ? w.to - TICK_US : w.from + DAY, "Day"};
}

/* --days alone ends now, with --day at the end of that day: whole local days, whatever the clocks
 * do in between. */
static void some_days(const struct settings *s, tick_t now, struct period *out)
{
    *out = (struct period){now, now, "Time"};
    if (s->day)
        one_day(s, now, out);
    time_t end = (time_t)((out->until + TICK_S - 1) / TICK_S);
    struct tm tm;
    if (!localtime_r(&end, &tm))
        return;
    tm.tm_mday -= (int)s->days;
    tm.tm_isdst = -1;
    out->since = (tick_t)mktime(&tm) * TICK_S;
    out->word = s->days == 7 ? "Week" : "Days";
}

static int find_period(const struct settings *s, tick_t now, struct period *out)
{
    int asked = (s->day != NULL) + s->last_night + (s->since || s->until);
    if (asked > 1 || (s->days && (s->last_night || s->since || s->until))) {
        log_error("report: one of --day, --last-night, and --since with --until; --days goes with "
                  "--day or alone");
        return EXIT_USAGE;
    }
    *out = (struct period){now - DAY, now, "Time"};
    if (s->days)
        some_days(s, now, out);
    else if (s->last_night)
        last_night(s, now, out);
    else if (s->day)
        one_day(s, now, out);
    else if (s->since || s->until) {
        tick_t since, until;
        int code = period_read(s, now, &since, &until);
        if (code != EXIT_DONE)
            return code;
        out->since = since == TICK_NONE ? 0 : since;
        out->until = until == TICK_NONE ? now : until;
    }
    return EXIT_DONE;
}

static void title_of(const struct period *period, char out[TITLE])
{
    char from[TICK_TEXT], to[TICK_TEXT], zone[CLOCK_ZONE], offset[CLOCK_ZONE];
    snprintf(out, TITLE, "%s %s to %s (%s, %s)", period->word,
             period->since ? clock_stamp(period->since, from) : "from the beginning",
             clock_stamp(period->until, to), clock_zone(zone), clock_offset(period->until, offset));
}

/* An empty period is often just the wrong one: what is there? */
static void hint(const struct settings *s, struct query_db *db)
{
    char day[TICK_TEXT], again[512];
    struct query_filter all = {.since = TICK_NONE, .until = TICK_NONE};
    struct rows *r = query_view(db, VIEW_HEALTH, &all);
    tick_t last = TICK_NONE;
    while (r && rows_next(r) == 1) {
        int column = rows_find(r, "to_time");
        tick_t t = column < 0 ? TICK_NONE : clock_of_row(rows_text(r, column));
        last = t > last ? t : last;
    }
    rows_close(r);
    if (last == TICK_NONE)
        log_info("%s holds no packets yet", s->db);
    else
        log_info("the last packets in it are older: %s report --day %s",
                 called_as(s, again, sizeof again), clock_day(last, day));
}

static void write_report(const struct settings *s, const char *format, const char *title,
                         const json_t *all, FILE *out)
{
    char again[512];
    if (strcmp(format, "json") == 0) {
        json_write(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10), out);
        fputc('\n', out);
    } else if (strcmp(format, "html") == 0)
        summary_html(all, out, title, called_as(s, again, sizeof again));
    else {
        struct prose page = prose_on(out);
        page.out = paint_begin(out, s->color);
        summary_print(all, &page, title);
        paint_end(page.out, out);
    }
}

/* "edgewatch on HOST: 3 failures, Night ..." */
static int send(const struct settings *s, const char *format, const char *title, const json_t *all)
{
    char subject[TITLE + 320], host[256] = "this machine", *body = NULL;
    size_t n = 0;
    int64_t failures = summary_failures(all);
    FILE *out = open_memstream(&body, &n);
    if (out)
        write_report(s, format, title, all, out);
    if (!out || fclose(out) != 0) {
        free(body);
        log_error("no memory");
        return EXIT_UNAVAILABLE;
    }
    (void)gethostname(host, sizeof host - 1);
    snprintf(subject, sizeof subject, "edgewatch on %s: %lld failure%s, %s", host,
             (long long)failures, failures == 1 ? "" : "s", title);
    struct mail m = {.to = s->mail,
                     .subject = subject,
                     .type = strcmp(format, "html") == 0   ? "text/html"
                             : strcmp(format, "json") == 0 ? "application/json"
                                                           : "text/plain",
                     .date = when_now()};
    int code = mail_send(s, &m, body, n);
    free(body);
    return code;
}

static int print(const struct settings *s, const struct period *period, const json_t *all)
{
    char title[TITLE];
    const char *format = s->format ? s->format : "text";
    title_of(period, title);
    if (s->mail)
        return send(s, format, title, all);
    FILE *out = open_output(s->output);
    if (!out)
        return EXIT_NO_OUTPUT;
    write_report(s, format, title, all, out);
    return close_output(out, s->output);
}

int report_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)self, (void)argc, (void)argv;
    struct period period;
    struct query_db *db;
    if (s->mail && s->output) {
        log_error("report: either --mail or --output");
        return EXIT_USAGE;
    }
    int code = find_period(s, when_now(), &period);
    if (code != EXIT_DONE || (code = open_database(s, &db)) != EXIT_DONE)
        return code;
    nights_draw(s->db, period.since, period.until);
    json_t *all = summary_load(db, period.since, period.until);
    if (!all || (s->by && summary_add_partners(db, period.since, period.until, all) != 0))
        code = database_failed(s, db);
    else {
        code = print(s, &period, all);
        if (!summary_saw_packets(all))
            hint(s, db);
        if (code == EXIT_DONE && s->exit_code && summary_failures(all))
            code = EXIT_FOUND;
    }
    json_decref(all);
    query_close(db);
    return code;
}
