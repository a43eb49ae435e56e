/*
 * doctor IF|FILE...: is this span port, or capture, of use? The same engine runs on it, into a
 * database of its own that is thrown away, while a survey counts the frames (capture/survey.h);
 * examine.c judges what came of it.
 */
#include "cli/confine.h"
#include "cli/doctor_tls.h"
#include "cli/engine.h"
#include "cli/examine.h"
#include "cli/keys.h"
#include "cli/setup.h"

#include "capture/log.h"
#include "capture/privs.h"
#include "capture/shed_try.h"
#include "report/paint.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

enum { NAMES = 1024, PATH = 512, DEFAULT_SECONDS = 15, DEFAULT_RING_MB = 64, GRANTED = 1 << 16 };

struct doctor {
    struct survey *survey;
    struct examined facts;
    struct keys *keys;
    struct doctor_tls tls;
    uint8_t granted[GRANTED / 8]; /* allocations by id: told and counted */
    char folder[PATH], db[PATH];
    char damage[PATH];
    struct shed_config shed;
    struct sock_filter program[SHED_MOST];
    unsigned program_n; /* instructions; 0 = to be written */
    uint64_t db_begun;  /* its size, empty */
};

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static uint64_t database_size(const struct doctor *d)
{
    char wal[PATH + 8];
    snprintf(wal, sizeof wal, "%s-wal", d->db);
    return size_of(d->db) + size_of(wal);
}

/* ---- while it runs ---- */

/* What a monitor would do with it, with what is known by now. */
static void try_shedding(struct doctor *d, const struct raw_packet *raw)
{
    struct examined *e = &d->facts;
    if (!d->program_n || raw->linktype != d->shed.linktype) {
        d->shed.linktype = raw->linktype;
        d->program_n = shed_program(&d->shed, d->program);
        if (!d->program_n)
            return;
    }
    uint32_t keep = shed_try(d->program, raw);
    e->shed_tried++;
    e->shed_whole += keep > d->shed.cut;
    e->shed_media += keep == d->shed.drop;
}

static void learn_relay(struct doctor *d, const struct endpoint *server, const struct addr *a,
                        const struct addr *b)
{
    bool more = shed_add_port(&d->shed, server->port);
    if (addr_is_v4(a))
        more |= shed_add_relay(&d->shed, addr_v4_of(a));
    if (addr_is_v4(b) && !addr_none(b))
        more |= shed_add_relay(&d->shed, addr_v4_of(b));
    if (more)
        d->program_n = 0;
}

static void on_frames(void *arg, const struct raw_packet *raw, unsigned n)
{
    struct doctor *d = arg;
    if (!d->db_begun)
        d->db_begun = database_size(d);
    survey_frames(d->survey, raw, n);
    for (unsigned i = 0; i < n; i++)
        try_shedding(d, &raw[i]);
}

static struct examined_relay *relay_of(struct examined *e, const struct addr *public_addr)
{
    for (unsigned i = 0; i < e->n_relays; i++)
        if (addr_eq(&e->relays[i].public_addr, public_addr))
            return &e->relays[i];
    if (e->n_relays == EXAMINE_RELAYS)
        return NULL;
    struct examined_relay *r = &e->relays[e->n_relays++];
    *r = (struct examined_relay){.public_addr = *public_addr};
    return r;
}

/* An allocation is told again whenever it changes. */
static void on_allocation(void *arg, const struct fact_allocation *a)
{
    struct doctor *d = arg;
    struct examined *e = &d->facts;
    unsigned id = (unsigned)a->id % GRANTED;
    if ((uint64_t)a->id > e->allocations)
        e->allocations = (uint64_t)a->id;
    if (!a->granted || endpoint_none(&a->relay) || d->granted[id / 8] >> id % 8 & 1)
        return;
    d->granted[id / 8] |= (uint8_t)(1 << id % 8);
    e->granted++;
    learn_relay(d, &a->server, &a->relay.addr, &a->wire_addr);
    struct examined_relay *r = relay_of(e, &a->relay.addr);
    if (!r)
        return;
    r->allocations++;
    if (!addr_none(&a->wire_addr))
        r->wire_addr = a->wire_addr;
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct examined *e = &((struct doctor *)arg)->facts;
    unsigned i = 0;
    while (i < e->n_aliases && !(addr_eq(&e->aliases[i].private_addr, &a->private_addr) &&
                                 addr_eq(&e->aliases[i].public_addr, &a->public_addr)))
        i++;
    if (i == EXAMINE_RELAYS)
        return;
    e->aliases[i] = *a;
    e->n_aliases += i == e->n_aliases;
}

static void on_end(void *arg, const struct tally_run *run)
{
    struct doctor *d = arg;
    d->facts.loss = run->loss;
    if (!run->damage)
        return;
    snprintf(d->damage, sizeof d->damage, "%s", run->damage);
    d->facts.damage = d->damage;
}

/* ---- before and after ---- */

/* A folder for a database that nobody will miss. */
static int make_folder(struct doctor *d)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(d->folder, sizeof d->folder, "%s/edgewatch-doctor-XXXXXX",
                     tmp && *tmp ? tmp : "/tmp");
    if (n >= (int)sizeof d->folder || !mkdtemp(d->folder)) {
        log_error("%s: a folder for temporary files cannot be made there; $TMPDIR names another",
                  tmp && *tmp ? tmp : "/tmp");
        d->folder[0] = 0;
        return EXIT_NO_OUTPUT;
    }
    snprintf(d->db, sizeof d->db, "%.480s/look.db", d->folder);
    return EXIT_DONE;
}

static void remove_folder(const struct doctor *d)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH + 16];
    if (!*d->folder)
        return;
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", d->db, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(d->folder);
}

static void look_at_disk(struct doctor *d, const char *db)
{
    char copy[PATH];
    struct statvfs st;
    snprintf(copy, sizeof copy, "%s", db);
    if (statvfs(dirname(copy), &st) != 0)
        return;
    uint64_t size = database_size(d);
    d->facts.db = db;
    d->facts.disk_known = true;
    d->facts.disk_free = (uint64_t)st.f_bavail * st.f_frsize;
    d->facts.written = size > d->db_begun ? size - d->db_begun : 0;
}

static void look_at_clock(struct examined *e)
{
    struct timex t = {.modes = 0};
    int state = ntp_adjtime(&t);
    e->clock_known = state >= 0;
    e->clock_synced = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
    e->clock_error_us = t.maxerror;
}

/* The relays' packets, those with their own clients on the listening port left out as far as the
 * addresses tell: an Edge listens inside at another address than it relays at. */
static void look_at_relays(struct doctor *d)
{
    for (unsigned i = 0; i < d->facts.n_relays; i++) {
        struct examined_relay *r = &d->facts.relays[i];
        r->seen = survey_addr(d->survey, &r->public_addr);
        for (unsigned k = 0; addr_none(&r->wire_addr) && k < d->facts.n_aliases; k++)
            if (addr_eq(&d->facts.aliases[k].public_addr, &r->public_addr))
                r->wire_addr = d->facts.aliases[k].private_addr;
        if (addr_none(&r->wire_addr) || addr_eq(&r->wire_addr, &r->public_addr))
            continue;
        struct survey_addr wire = survey_addr(d->survey, &r->wire_addr);
        r->seen.sent += wire.sent;
        r->seen.received += wire.received;
    }
}

static void look_at_interfaces(struct doctor *d, struct sources *sources)
{
    struct examined *e = &d->facts;
    int fd = link_open();
    e->n_ifaces = sources_iface_count(sources);
    if (e->n_ifaces > EXAMINE_IFACES)
        e->n_ifaces = EXAMINE_IFACES;
    for (unsigned i = 0; i < e->n_ifaces; i++) {
        struct examined_iface *f = &e->ifaces[i];
        struct source_counts c;
        sources_iface_counts(sources, i, &c);
        f->name = sources_iface_name(sources, i);
        f->packets = c.packets;
        f->kernel_drops = c.kernel_drops;
        f->nic_drops = c.nic_drops;
        f->ring_drops = c.ring_drops;
        if (fd >= 0)
            f->gone = link_get(fd, f->name, 0, &f->link) != 0;
        if (!f->gone)
            (void)link_merges(f->name, f->merges, sizeof f->merges);
    }
    if (fd >= 0)
        close(fd);
}

/* ---- running ---- */

static int run_engine(struct doctor *d, const struct command *self, const struct settings *s,
                      struct sources *sources, const char *names)
{
    struct settings private = *s;
    private.db = d->db;
    private.quiet = true;
    private.exit_code = false;
    private.no_shed = true; /* the wire as it is */
    const struct engine_watch watch = {
        .arg = d,
        .frames = on_frames,
        .allocation = on_allocation,
        .alias = on_alias,
        .end = on_end,
        .seconds = !d->facts.live ? 0
                   : s->seconds   ? (unsigned)s->seconds
                                  : DEFAULT_SECONDS,
    };
    struct engine_job job = {
        .command = self->name,
        .settings = &private,
        .sources = sources,
        .names = names,
        .live = d->facts.live,
        .watch = &watch,
        .keys = d->keys,
    };
    if (d->facts.live)
        log_info("looking at %s for %u s; SIGINT (Ctrl-C) ends it earlier", names, watch.seconds);
    log_quiet(1);
    int code = engine_run(&job);
    log_quiet(s->quiet);
    return code;
}

static int tell(struct doctor *d, const struct settings *s, struct sources *sources,
                const char *names)
{
    struct examined *e = &d->facts;
    struct checkup lines;
    bool json = s->format && strcmp(s->format, "json") == 0;
    survey_facts(d->survey, &e->survey);
    e->seconds = e->survey.frames ? e->survey.last - e->survey.first : 0;
    e->promisc = !s->no_promisc;
    e->ring_bytes = (uint64_t)(s->ring_mb ? s->ring_mb : DEFAULT_RING_MB) << 20;
    look_at_relays(d);
    if (e->live) {
        look_at_interfaces(d, sources);
        look_at_clock(e);
    }
    look_at_disk(d, s->db);
    e->shed_off = s->no_shed;
    e->shed_above = setup_shed_above(s);
    doctor_tls_read(d->db, &d->tls);
    e->tls_listed = d->tls.connections;
    examine(e, &lines);
    doctor_tls_tell(&d->tls, &lines);
    lines.program = d->program;
    lines.program_n = s->no_shed || !(s->program || json) ? 0 : d->program_n;
    lines.program_text = shed_text;
    if (json)
        checkup_print_json(&lines, names, stdout);
    else {
        struct prose page = prose_on(stdout);
        page.out = paint_begin(stdout, s->color);
        checkup_print(&lines, names, &page);
        paint_end(page.out, stdout);
    }
    return checkup_usable(&lines) ? EXIT_DONE : EXIT_UNAVAILABLE;
}

static int look(struct doctor *d, const struct command *self, const struct settings *s,
                struct sources *sources, const char *names)
{
    char why[PRIVS_TEXT];
    if (d->facts.live && privs_drop(s->account, why) != 0) {
        log_error("%s", why);
        return EXIT_PERMISSION;
    }
    int code = make_folder(d);
    if (code == EXIT_DONE)
        code = confine(s, &(struct confinement){.live = d->facts.live, .scratch = d->folder});
    if (code != EXIT_DONE)
        return code;
    code = run_engine(d, self, s, sources, names);
    if (code != EXIT_DONE && code != EXIT_BAD_INPUT)
        return code;
    int told = tell(d, s, sources, names);
    return code == EXIT_DONE ? told : code;
}

static bool is_interface(const char *name)
{
    struct link_state link;
    int fd = link_open();
    bool is = fd >= 0 && link_get(fd, name, 0, &link) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

/* A file that is there is a file, so is what can't be an interface's name. */
static bool is_file(const char *name)
{
    return strcmp(name, "-") == 0 || strchr(name, '/') || access(name, F_OK) == 0 ||
           (strchr(name, '.') && !is_interface(name));
}

static int open_all(struct sources *sources, int n, char **names, bool live)
{
    for (int i = 0; i < n; i++) {
        enum source_error e =
            live ? sources_add_interface(sources, names[i]) : sources_add_file(sources, names[i]);
        if (e != SOURCE_OK) {
            log_error("%s", sources_error_text(sources));
            if (e == SOURCE_NO_PERMISSION)
                log_info("run it as root, or give the program the right: setcap cap_net_raw+ep");
            return engine_exit_of(e);
        }
    }
    return EXIT_DONE;
}

int doctor_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    bool live = !is_file(argv[0]);
    for (int i = 1; i < argc; i++)
        if (live == is_file(argv[i])) {
            log_error("%s: interfaces or files, not both", self->name);
            return EXIT_USAGE;
        }
    struct sources *sources = sources_new(&(struct source_options){
        .filter = s->filter,
        .snaplen = (uint32_t)s->snaplen,
        .ring_mb = (uint32_t)s->ring_mb,
        .no_promisc = s->no_promisc,
    });
    struct doctor *d = calloc(1, sizeof *d);
    int code = EXIT_UNAVAILABLE;
    if (d)
        d->survey = survey_new();
    if (sources && d && d->survey) {
        char names[NAMES];
        engine_names(argc, (const char *const *)argv, names, sizeof names);
        d->facts.live = live;
        setup_shed(s, &d->shed);
        d->shed.whole = UINT32_MAX;
        d->shed.cut = SHED_CUT;
        d->shed.drops = true;
        code = keys_open(s, live, &d->keys);
        if (code == EXIT_DONE)
            code = open_all(sources, argc, argv, live);
        if (code == EXIT_DONE)
            code = look(d, self, s, sources, names);
        remove_folder(d);
    } else {
        log_error("no memory");
    }
    if (d)
        survey_free(d->survey);
    if (d && d->keys)
        keys_close(d->keys);
    free(d);
    sources_free(sources);
    return code;
}
