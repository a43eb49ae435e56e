/* Sources -> pipeline -> writer, and what is said at the end. */
#include "cli/engine.h"

#include "capture/log.h"
#include "cli/minutes.h"
#include "cli/notify.h"
#include "cli/outlets.h"
#include "cli/progress.h"
#include "cli/reload.h"
#include "cli/setup.h"
#include "cli/signals.h"
#include "cli/tally.h"
#include "storage/writer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { WAIT_MS = 200, LOOK_EVERY = 4096, WHY = 512 };

struct engine {
    const struct engine_job *job;
    struct setup setup;
    struct writer *writer;
    struct pipeline *pipeline;
    struct minutes *minutes;
    struct tally tally;          /* while frames are being read, of the thread that joins */
    _Atomic uint64_t failures;   /* tally_failures() for who looks on meanwhile */
    struct failures_found found; /* a file's: what it made of the database */
    struct progress progress;
    struct notify notify;
    struct settings reloaded; /* what SIGHUP brought, if it did */
    uint64_t packets;
    unsigned unlooked; /* packets since look_around() */
    bool database_failed, database_waits;
    uint64_t lost_told; /* rows lost when that was told */
};

/* ---- from the pipeline to the writer ---- */

static void on_attempt(void *arg, const struct attempt *a, const struct evidence *ev, unsigned n)
{
    writer_attempt(((struct engine *)arg)->writer, a, ev, n);
}

static void on_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    writer_attempt_failure(((struct engine *)arg)->writer, attempt, failure);
}

static void on_call(void *arg, const struct fact_call *c)
{
    writer_call(((struct engine *)arg)->writer, c);
}

static void on_allocation(void *arg, const struct fact_allocation *a)
{
    const struct engine *e = arg;
    const struct engine_watch *w = e->job->watch;
    writer_allocation(e->writer, a);
    if (a->granted) {
        sources_shed_port(e->job->sources, a->server.port);
        sources_shed_relay(e->job->sources, &a->relay.addr);
        sources_shed_relay(e->job->sources, &a->wire_addr);
    }
    if (w && w->allocation)
        w->allocation(w->arg, a);
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    const struct engine *e = arg;
    const struct engine_watch *w = e->job->watch;
    writer_alias(e->writer, a);
    if (w && w->alias)
        w->alias(w->arg, a);
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct engine *e = arg;
    tally_failure(&e->tally, f);
    atomic_store_explicit(&e->failures, tally_failures(&e->tally), memory_order_relaxed);
    writer_failure(e->writer, f, list, n);
}

static void on_failure_gone(void *arg, int64_t id)
{
    struct engine *e = arg;
    tally_gone(&e->tally, id);
    atomic_store_explicit(&e->failures, tally_failures(&e->tally), memory_order_relaxed);
    writer_failure_gone(e->writer, id);
}

static void on_traffic(void *arg, const struct traffic_row *r)
{
    writer_traffic(((struct engine *)arg)->writer, r);
}

static void on_trouble(void *arg, const struct relay_trouble *t)
{
    writer_trouble(((struct engine *)arg)->writer, t);
}

static void on_feed(void *arg, const struct feed_log *l)
{
    writer_feed(((struct engine *)arg)->writer, l);
}

static void on_tls(void *arg, const struct fact_tls *t)
{
    writer_tls(((struct engine *)arg)->writer, t);
}

static void on_signaling(void *arg, uint16_t port)
{
    sources_shed_port(((struct engine *)arg)->job->sources, port);
}

static void on_leap(void *arg, tick_t from, tick_t to)
{
    minutes_leap(((struct engine *)arg)->minutes, from, to);
}

static void on_advance(void *arg, tick_t now)
{
    writer_advance(((struct engine *)arg)->writer, now);
}

/* ---- running ---- */

/* A database that can't be written at present is told once, and so is that it is over. */
static void tell_waiting(struct engine *e)
{
    char why[WHY];
    bool waits = writer_waits(e->writer, why, sizeof why);
    if (waits == e->database_waits)
        return;
    e->database_waits = waits;
    if (waits)
        log_error("%s; capture goes on, rows wait in memory", why);
    else
        log_info("%s is written again; %" PRIu64 " rows have been lost", e->job->settings->db,
                 writer_lost(e->writer) - e->lost_told);
    e->lost_told = writer_lost(e->writer);
}

static void say_ready(const struct engine *e)
{
    char status[WHY];
    snprintf(status, sizeof status, "listening on %s, writing to %s", e->job->names,
             e->job->settings->db);
    notify_ready(status);
}

/* A wrong file changes nothing: the sensor goes on with what it had. */
static void reload(struct engine *e)
{
    char why[CONFIG_TEXT], left_out[WHY];
    struct settings fresh;
    notify_reloading();
    if (reload_settings(e->job->settings, &fresh, why) != 0) {
        log_error("%s; going on with the configuration as it was", why);
    } else if (setup_again(&fresh, &e->setup) != 0) {
        settings_free(&fresh);
        log_error("no memory; going on with the configuration as it was");
    } else {
        pipeline_reconfigure(e->pipeline, &e->setup.config);
        settings_free(&e->reloaded);
        e->reloaded = fresh;
        if (*reload_left_out(e->job->settings, &fresh, left_out, sizeof left_out))
            log_warn("configuration read again; %s: other values take effect with the next start",
                     left_out);
        else
            log_info("configuration read again");
    }
    say_ready(e);
}

static void show_figures(struct engine *e, bool last)
{
    if (!e->job->outlets)
        return;
    pipeline_settle(e->pipeline);
    struct metrics_view v = {.sensor = e->setup.config.sensor,
                             .sources = e->job->sources,
                             .pipeline = e->pipeline,
                             .writer = e->writer,
                             .tally = &e->tally,
                             .database_waits = e->database_waits};
    outlets_show(e->job->outlets, &v, last);
}

/* Things that need not be looked at with every packet. */
static void look_around(struct engine *e)
{
    char why[WHY];
    tell_waiting(e);
    show_figures(e, false);
    if (e->job->live)
        notify_alive(&e->notify);
    if (signals_reload())
        reload(e);
    keys_follow(e->job->keys);
    progress_show(&e->progress, e->job->sources, e->packets,
                  atomic_load_explicit(&e->failures, memory_order_relaxed));
    if (!e->database_failed && writer_failed(e->writer, why, sizeof why)) {
        log_error("%s", why);
        e->database_failed = true;
        sources_stop(e->job->sources);
    }
}

/* group[0] is there; takes what follows it at once, and hands all of it on. */
static void take_group(struct engine *e, struct raw_packet group[PIPELINE_GROUP])
{
    unsigned n = 1 + sources_more(e->job->sources, group + 1, PIPELINE_GROUP - 1);
    const struct engine_watch *w = e->job->watch;
    if (w && w->frames)
        w->frames(w->arg, group, n);
    keys_fetch(e->job->keys, e->job->sources);
    if (!e->packets) /* the first row begins with the first packet */
        minutes_tick(e->minutes, group[0].time);
    pipeline_frames(e->pipeline, group, n);
    minutes_tick(e->minutes, group[n - 1].time);
    e->packets += n;
    e->unlooked += n;
    if (e->unlooked < LOOK_EVERY)
        return;
    e->unlooked = 0;
    look_around(e);
}

static void pull(struct engine *e)
{
    struct raw_packet group[PIPELINE_GROUP];
    tick_t idle;
    for (;;) {
        switch (sources_next(e->job->sources, WAIT_MS, group, &idle)) {
        case PULL_PACKET:
            take_group(e, group);
            break;
        case PULL_IDLE:
            pipeline_idle(e->pipeline, idle);
            minutes_tick(e->minutes, idle);
            look_around(e);
            break;
        case PULL_END:
            return;
        }
    }
}

static int open_writer(struct engine *e)
{
    const struct engine_job *job = e->job;
    const struct engine_config *c = &e->setup.config;
    struct joiner_config joiner = {.edges = c->edges,
                                   .n_edges = c->n_edges,
                                   .relay_low = c->relay_low,
                                   .relay_high = c->relay_high};
    struct run_info run = {
        .sensor = e->setup.config.sensor,
        .command = job->command,
        .sources = job->names,
        .live = job->live,
        .joiner = &joiner,
        .privacy = setup_privacy(job->settings),
        .found = job->live ? NULL : &e->found,
        .keep = {.evidence_days = job->settings->keep_evidence,
                 .details_days = job->settings->keep_details,
                 .failures_days = job->settings->keep_failures,
                 .max_bytes = job->settings->max_db_mb << 20},
    };
    char why[WHY];
    e->writer = writer_open(job->settings->db, &run, why, sizeof why);
    if (e->writer)
        return EXIT_DONE;
    log_error("%s", why);
    if (job->account)
        log_info("root was given up and this is %s now: the database and its directory must be "
                 "writable for that account (chown, or --user NAME)",
                 job->account);
    return EXIT_DATABASE;
}

static int begin(struct engine *e)
{
    const struct engine_out out = {
        .arg = e,
        .attempt = on_attempt,
        .attempt_failure = on_attempt_failure,
        .call = on_call,
        .allocation = on_allocation,
        .alias = on_alias,
        .failure = on_failure,
        .failure_gone = on_failure_gone,
        .advance = on_advance,
        .traffic = on_traffic,
        .trouble = on_trouble,
        .feed = on_feed,
        .tls = on_tls,
        .leap = on_leap,
        .signaling = on_signaling,
    };
    const char *why = "no memory";
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed && seed)
        sources_decode(e->job->sources, e->setup.config.seed = seed);
    e->setup.config.keys = keys_tls(e->job->keys);
    e->setup.config.shed = e->job->live && !e->job->settings->no_shed;
    e->setup.config.live = e->setup.config.interim = e->job->live;
    e->setup.config.veil = writer_veil(e->writer);
    e->setup.config.threads = !e->job->watch;
    e->pipeline = pipeline_new(&e->setup.config, &out, &why);
    if (e->pipeline)
        e->minutes = minutes_new(e->job->sources, e->pipeline, e->writer);
    if (!e->minutes || sources_start(e->job->sources) != 0) {
        log_error("%s", e->minutes    ? sources_error_text(e->job->sources)
                        : e->pipeline ? "no memory"
                                      : why);
        return EXIT_UNAVAILABLE;
    }
    if (e->job->live)
        log_info("listening on %s, writing to %s; SIGINT (Ctrl-C) or SIGTERM ends", e->job->names,
                 e->job->settings->db);
    if (e->job->outlets)
        outlets_begin(e->job->outlets, e->job->settings, e->writer);
    show_figures(e, false);
    if (e->job->live)
        say_ready(e);
    progress_begin(&e->progress, !e->job->live && !e->job->settings->quiet);
    return EXIT_DONE;
}

/* ---- the end ---- */

static void count_losses(const struct engine *e, struct tally_loss *l)
{
    unsigned n = sources_iface_count(e->job->sources);
    for (unsigned i = 0; i < n; i++) {
        struct source_counts c;
        struct iface_counts p;
        sources_iface_counts(e->job->sources, i, &c);
        pipeline_iface_counts(e->pipeline, i, &p);
        l->packets += p.packets;
        l->kernel_drops += c.kernel_drops;
        l->nic_drops += c.nic_drops;
        l->ring_drops += c.ring_drops;
        l->decode_errors += p.decode_errors;
        l->duplicates += p.duplicates;
    }
    pipeline_counts(e->pipeline, &l->engine);
    l->queue_lost = writer_lost(e->writer);
}

/* An input whose every frame is of a link type that we can't read is of an unknown kind. */
static bool unreadable_links(struct engine *e, char why[WHY])
{
    unsigned n = sources_iface_count(e->job->sources);
    for (unsigned i = 0; i < n; i++) {
        struct iface_counts p;
        pipeline_iface_counts(e->pipeline, i, &p);
        if (!p.no_link || p.no_link < p.packets)
            continue;
        snprintf(why, WHY, "%s: link type %u is not one that edgewatch reads",
                 sources_iface_name(e->job->sources, i), p.linktype);
        return true;
    }
    return false;
}

int engine_exit_of(enum source_error e)
{
    static const int codes[] = {
        [SOURCE_OK] = EXIT_DONE,
        [SOURCE_NOT_OPENED] = EXIT_NO_INPUT,
        [SOURCE_BAD_INPUT] = EXIT_BAD_INPUT,
        [SOURCE_NO_INTERFACE] = EXIT_UNAVAILABLE,
        [SOURCE_NO_PERMISSION] = EXIT_PERMISSION,
        [SOURCE_BAD_FILTER] = EXIT_USAGE,
        [SOURCE_BAD_FILE] = EXIT_CONFIG,
        [SOURCE_NO_MEMORY] = EXIT_UNAVAILABLE,
    };
    return codes[e];
}

/* Ends the run in the database and tells what came of it. */
static int finish(struct engine *e)
{
    const struct settings *s = e->job->settings;
    struct tally_run run = {.command = e->job->command, .sources = e->job->names};
    char why[WHY];
    if (e->job->live)
        notify_stopping();
    pipeline_finish(e->pipeline);
    pipeline_span(e->pipeline, &run.first, &run.last);
    minutes_end(e->minutes);
    progress_end(&e->progress);
    int code = engine_exit_of(sources_damage(e->job->sources, &run.damage));
    if (code == EXIT_DONE)
        run.damage = NULL;
    if (code == EXIT_DONE && run.first == TICK_NONE && !e->job->live && !s->filter &&
        !signals_came()) {
        run.damage = "no packets in it";
        code = EXIT_BAD_INPUT;
    }
    char links[WHY];
    if (code == EXIT_DONE && unreadable_links(e, links)) {
        run.damage = links;
        code = EXIT_BAD_INPUT;
    }
    if (run.damage)
        log_error("%s", run.damage);
    else if (signals_came() && !e->job->live)
        run.damage = "stopped by a signal before its end";
    count_losses(e, &run.loss);
    show_figures(e, true);
    if (e->job->watch && e->job->watch->end)
        e->job->watch->end(e->job->watch->arg, &run);
    pipeline_free(e->pipeline); /* joining with earlier runs needs as much memory again */
    e->pipeline = NULL;
    enum db_result stored =
        writer_close(e->writer, run.first, run.last, run.damage, why, sizeof why);
    e->writer = NULL;
    if (e->job->outlets)
        outlets_end(e->job->outlets);
    if (stored != DB_OK) {
        if (!e->database_failed)
            log_error("%s", why);
        return EXIT_DATABASE;
    }
    tally_stored(&e->tally, &e->found);
    if (!s->quiet)
        tally_print(&e->tally, &run, s);
    if (code == EXIT_DONE && s->exit_code && tally_failures(&e->tally))
        code = EXIT_FOUND;
    return code;
}

static int run(struct engine *e)
{
    int code = open_writer(e);
    if (code != EXIT_DONE)
        return code;
    signals_catch(e->job->sources, e->job->watch ? e->job->watch->seconds : 0, e->job->live);
    code = begin(e);
    if (code == EXIT_DONE) {
        pull(e);
        code = finish(e);
    }
    signals_release();
    char why[WHY];
    if (e->writer)
        (void)writer_close(e->writer, TICK_NONE, TICK_NONE, "not begun", why, sizeof why);
    minutes_free(e->minutes);
    pipeline_free(e->pipeline);
    tally_free(&e->tally);
    return code;
}

int engine_run(const struct engine_job *job)
{
    struct engine e = {.job = job};
    if (setup_make(job->settings, &e.setup) != 0) {
        log_error("no memory");
        return EXIT_UNAVAILABLE;
    }
    int code = run(&e);
    setup_free(&e.setup);
    settings_free(&e.reloaded);
    if (signals_came() && !job->live && !job->watch)
        raise(signals_came()); /* tell the shell: a capture was not read to its end */
    return code;
}

char *engine_names(int n, const char *const paths[], char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < n && used < room; i++) {
        const char *slash = strrchr(paths[i], '/'),
                   *name = slash && slash[1] ? slash + 1 : paths[i];
        if (strcmp(name, "-") == 0)
            name = "stdin";
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", name);
    }
    if (used >= room)
        memcpy(out + room - 4, "...", 4);
    return out;
}
