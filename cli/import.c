/* import FILE...: SIP logs of clients and servers, and SDN messages, joined with the packets in the
 * database. */
#include "cli/confine.h"
#include "cli/command.h"
#include "cli/engine.h"
#include "cli/progress.h"
#include "cli/setup.h"
#include "cli/signals.h"

#include "capture/log.h"
#include "capture/textlog.h"
#include "flows/logbook.h"
#include "flows/memory.h"
#include "storage/writer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LOOK_EVERY = 4096, WHY = 512 };

/* One file on its way. */
struct import {
    const struct command *self;
    const struct settings *settings;
    char name[SIP_LOG_NAME]; /* without its folder */
    struct textlog *log;
    struct joiner *joiner;
    struct calls *calls;
    struct logbook *book;
    struct engine_out out;
    struct writer *writer; /* opened with the first record: what is no log leaves no trace */
    struct log_result result;
    struct progress progress;
    bool database_failed;
    uint64_t refused; /* memory_refused() when the file was begun */
};

/* ---- calls on their way to the database ---- */

static void on_call(void *arg, const struct fact_call *c)
{
    struct import *im = arg;
    if (im->writer)
        writer_call(im->writer, c);
}

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void no_failure_gone(void *arg, int64_t id)
{
    (void)arg, (void)id;
}

static void no_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    (void)arg, (void)attempt, (void)failure;
}

static void no_alias(void *arg, const struct fact_alias *a)
{
    (void)arg, (void)a;
}

static uint64_t seed(void)
{
    uint64_t s = 0;
    if (getrandom(&s, sizeof s, 0) != (ssize_t)sizeof s)
        s = (uintptr_t)&s;
    return s | 1;
}

/* A log alone shows no failure: what its calls explain is judged when it is joined with packets. */
static int make_engine(struct import *im)
{
    const struct joiner_config config = {.sensor = ANY_SENSOR, .seed = seed()};
    const struct joiner_hooks hooks = {im, no_failure, no_failure_gone, no_attempt_failure,
                                       no_alias};
    im->out = (struct engine_out){.arg = im, .call = on_call};
    im->joiner = joiner_new(&config, &hooks);
    im->calls = im->joiner ? calls_new(im->joiner, &im->out, false, seed()) : NULL;
    im->book = im->calls ? logbook_new(im->calls, im->name) : NULL;
    if (im->book)
        return EXIT_DONE;
    log_error("no memory");
    return EXIT_UNAVAILABLE;
}

static struct sip_log log_of(const struct import *im, uint64_t fingerprint)
{
    struct logbook_counts b;
    struct calls_counts c;
    struct sip_log l = {.fingerprint = fingerprint};
    logbook_counts(im->book, &b);
    calls_counts(im->calls, &c);
    snprintf(l.file, sizeof l.file, "%s", im->name);
    l.kind = logbook_kind_name(b.kind);
    l.first = b.first;
    l.last = b.last;
    l.messages = b.messages;
    l.calls = c.calls;
    return l;
}

static int open_writer(struct import *im)
{
    const struct settings *s = im->settings;
    char why[WHY];
    struct run_info run = {
        .sensor = s->sensor ? s->sensor : ANY_SENSOR,
        .command = im->self->name,
        .sources = im->name,
        .privacy = setup_privacy(s),
        .log = &im->result,
    };
    im->writer = writer_open(s->db, &run, why, sizeof why);
    if (!im->writer) {
        log_error("%s", why);
        return EXIT_DATABASE;
    }
    struct sip_log l = log_of(im, 0);
    writer_log(im->writer, &l);
    return EXIT_DONE;
}

/* ---- reading ---- */

static void look_around(struct import *im)
{
    char why[WHY];
    struct textlog_counts t;
    struct logbook_counts b;
    struct calls_counts c;
    textlog_counts(im->log, &t);
    logbook_counts(im->book, &b);
    calls_counts(im->calls, &c);
    progress_log(&im->progress, t.read, t.total, b.messages, c.calls);
    if (im->writer && !im->database_failed && writer_failed(im->writer, why, sizeof why)) {
        log_error("%s", why);
        im->database_failed = true;
    }
}

static int read_lines(struct import *im)
{
    struct textlog_line line;
    struct logbook_counts b;
    while (!signals_came() && !im->database_failed && textlog_next(im->log, &line)) {
        logbook_line(im->book, line.text, line.number, line.unended);
        if (!im->writer) {
            logbook_counts(im->book, &b);
            int code = b.kind == LOGBOOK_NO_KIND ? EXIT_DONE : open_writer(im);
            if (code != EXIT_DONE)
                return code;
        }
        if (line.number % LOOK_EVERY == 0)
            look_around(im);
    }
    return im->database_failed ? EXIT_DATABASE : EXIT_DONE;
}

/* ---- the end ---- */

/* Where the log is damaged, in words; "" if it is not. */
static void damage_of(struct import *im, char out[WHY])
{
    const char *broken;
    uint64_t line;
    bool whole = logbook_finish(im->book, &line);
    struct logbook_counts b;
    logbook_counts(im->book, &b);
    out[0] = 0;
    if (textlog_damage(im->log, &broken) != TEXTLOG_OK)
        snprintf(out, WHY, "%s", broken);
    else if (!whole)
        snprintf(out, WHY,
                 b.kind == LOGBOOK_SDN ? "%s: the XML is damaged, or ends, in line %" PRIu64
                                       : "%s: ends inside the message that begins in line %" PRIu64,
                 im->name, line);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_skew(const struct log_result *r)
{
    char zone[32] = "";
    if (r->zone_h)
        snprintf(zone, sizeof zone, ", in zone UTC%+d", r->zone_h);
    if (!r->joined)
        log_info("  no packets in the database belong to it yet: times of its calls are the log's "
                 "own, as if they were UTC; zone not known");
    else if (r->low && r->high)
        log_info("  joined with packets: its clock is %.3f to %.3f s behind theirs%s; times of its "
                 "calls are corrected by that",
                 r->skew_low_s, r->skew_high_s, zone);
    else
        log_info("  joined with packets: its clock is at %s %.3f s behind theirs%s; times of its "
                 "calls are corrected by that",
                 r->low ? "least" : "most", r->low ? r->skew_low_s : r->skew_high_s, zone);
}

static void print_summary(const struct import *im)
{
    const struct sip_log l = log_of(im, 0);
    struct logbook_counts b;
    char first[TICK_TEXT], last[TICK_TEXT];
    logbook_counts(im->book, &b);
    if (im->result.known) {
        log_info("%s: was imported before (log %" PRId64 "): nothing changed", im->name,
                 im->result.id);
        return;
    }
    tick_text(l.first, first);
    tick_text(l.last, last);
    log_info("%s: %s log, %" PRIu64 " SIP message%s, %" PRIu64 " call%s", im->name,
             b.kind == LOGBOOK_UCCAPI ? "client (UCCAPI)"
             : b.kind == LOGBOOK_SDN  ? "SDN"
                                      : "server (SIPStack)",
             l.messages, plural(l.messages), l.calls, plural(l.calls));
    if (l.messages)
        log_info("  from %.23s to %.23s by its own clock", first, last);
    if (b.incomplete)
        log_info("  %" PRIu64 " message%s incomplete: elided or cut", b.incomplete,
                 b.incomplete == 1 ? " is" : "s are");
    if (b.unread)
        log_info("  %" PRIu64 " record%s could not be read", b.unread, plural(b.unread));
    print_skew(&im->result);
}

/* What was read is in the database; says what came of it. */
static int conclude(struct import *im)
{
    char damage[WHY], why[WHY];
    struct textlog_counts t;
    damage_of(im, damage);
    calls_finish(im->calls);
    progress_end(&im->progress);
    textlog_counts(im->log, &t);
    if (!im->writer) {
        if (damage[0])
            log_error("%s", damage);
        else
            log_error("%s: %s", im->name,
                      t.lines ? "neither a client's (UCCAPI) nor a server's (SIPStack) SIP log, "
                                "nor SDN messages"
                              : "is empty");
        return EXIT_BAD_INPUT;
    }
    bool forgetful = memory_refused() != im->refused;
    if (forgetful && !damage[0])
        snprintf(damage, sizeof damage, "%s: out of memory, some of it is missing", im->name);
    if (damage[0])
        log_error("%s", damage);
    else if (signals_came())
        snprintf(damage, sizeof damage, "stopped by a signal before its end");
    struct sip_log l = log_of(im, signals_came() || forgetful ? 0 : t.fingerprint | 1);
    writer_log(im->writer, &l);
    enum db_result stored =
        writer_close(im->writer, l.first, l.last, damage[0] ? damage : NULL, why, sizeof why);
    im->writer = NULL;
    if (stored != DB_OK) {
        if (!im->database_failed)
            log_error("%s", why);
        return EXIT_DATABASE;
    }
    if (!im->settings->quiet)
        print_summary(im);
    if (forgetful)
        return EXIT_UNAVAILABLE;
    return damage[0] && !signals_came() ? EXIT_BAD_INPUT : EXIT_DONE;
}

static int import_log(struct import *im)
{
    int code = make_engine(im);
    if (code != EXIT_DONE)
        return code;
    progress_begin(&im->progress, !im->settings->quiet);
    code = read_lines(im);
    if (code != EXIT_DONE && !im->writer) {
        progress_end(&im->progress);
        return code;
    }
    return conclude(im);
}

static int import_file(const struct command *self, const struct settings *s, const char *path)
{
    struct import im = {.self = self, .settings = s, .refused = memory_refused()};
    enum textlog_error error;
    char why[WHY];
    engine_names(1, &path, im.name, sizeof im.name);
    im.log = textlog_open(path, &error, why, sizeof why);
    if (!im.log) {
        log_error("%s", why);
        return error == TEXTLOG_NOT_OPENED ? EXIT_NO_INPUT : EXIT_UNAVAILABLE;
    }
    int code = import_log(&im);
    logbook_free(im.book);
    calls_free(im.calls);
    joiner_free(im.joiner);
    textlog_close(im.log);
    return code;
}

/* A bad file does not keep the others from being imported; the first that was bad gives the code.
 */
int import_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    int code = setup_check_privacy(s);
    if (code != EXIT_DONE)
        return code;
    code = confine(s, &(struct confinement){.inputs = argv, .n_inputs = argc});
    if (code != EXIT_DONE)
        return code;
    signals_catch(NULL, 0, false);
    for (int i = 0; i < argc && !signals_came(); i++) {
        int one = import_file(self, s, argv[i]);
        if (code == EXIT_DONE)
            code = one;
        if (one == EXIT_DATABASE || one == EXIT_UNAVAILABLE)
            break;
    }
    signals_release();
    if (signals_came())
        raise(signals_came()); /* tell the shell: a log was not read to its end */
    return code;
}
