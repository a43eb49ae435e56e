/* top: the database of a running monitor in a terminal, until q, SIGINT or SIGTERM. */
#include "cli/top.h"

#include "cli/opened.h"
#include "cli/screen.h"
#include "cli/when.h"

#include "capture/log.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MS_KEY = 250, MS_QUERY = 5000 };
#define BETWEEN_LOADS (1 * TICK_S)    /* however much is written */
#define LONGEST_BETWEEN (30 * TICK_S) /* the day moves on, written or not */

static volatile sig_atomic_t ended;

static void on_end(int signal)
{
    (void)signal;
    ended = 1;
}

/* Before ncurses puts its own there, which would leave without a word. */
static void catch_ends(void)
{
    struct sigaction act = {.sa_handler = on_end};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
}

static int clamp(int n, int most)
{
    return n > most - 1 ? (most > 0 ? most - 1 : 0) : n < 0 ? 0 : n;
}

/* By how much a key moves; 0 for others. all: more than any list has. */
static int step(int key, int page, int all)
{
    switch (key) {
    case SCREEN_UP:
    case 'k':
        return -1;
    case SCREEN_DOWN:
    case 'j':
        return 1;
    case SCREEN_PAGE_UP:
        return -page;
    case SCREEN_PAGE_DOWN:
    case ' ':
        return page;
    case SCREEN_HOME:
    case 'g':
        return -all;
    case SCREEN_END:
    case 'G':
        return all;
    default:
        return 0;
    }
}

static void story_key(struct top *t, int key, int rows, int columns)
{
    int page = rows - 2, last = t->n_lines - page + 1;
    if (key == SCREEN_ESCAPE || key == SCREEN_ENTER || key == 'h') {
        top_close_story(t);
        return;
    }
    if (key == SCREEN_RESIZED) {
        top_open_story(t, columns);
        return;
    }
    t->from_line = clamp(t->from_line + step(key, page - 1, t->n_lines), last);
}

static void choose_partner(struct top *t, bool all)
{
    strcpy(t->partner,
           all || t->at_partner >= t->n_partners ? "" : t->partners[t->at_partner].partner);
    t->in_partners = false;
    t->at_failure = t->from_failure = 0;
    t->known = 0; /* another list: nothing in it is new */
    t->version = -1;
}

static void list_key(struct top *t, int key, int rows, int columns)
{
    int failures, partners, health;
    top_share(t, rows, &failures, &partners, &health);
    switch (key) {
    case SCREEN_TAB:
        t->in_partners = partners && !t->in_partners;
        return;
    case SCREEN_ENTER:
        if (t->in_partners)
            choose_partner(t, false);
        else
            top_open_story(t, columns);
        return;
    case SCREEN_ESCAPE:
        choose_partner(t, true);
        return;
    case 'i':
        t->with_info = !t->with_info;
        t->known = 0;
        t->version = -1;
        return;
    default:
        break;
    }
    if (t->in_partners)
        t->at_partner = clamp(t->at_partner + step(key, partners, TOP_PARTNERS), t->n_partners);
    else
        t->at_failure = clamp(t->at_failure + step(key, failures, TOP_FAILURES), t->n_failures);
}

static void run(struct top *t)
{
    tick_t loaded = 0;
    t->version = -1;
    while (!ended) {
        int rows, columns;
        tick_t now = when_now();
        int64_t version = handles_version(t->handles);
        bool asked = t->version < 0, changed = version != t->version || *t->why;
        if (asked || (changed && now - loaded >= BETWEEN_LOADS) ||
            now - loaded >= LONGEST_BETWEEN) {
            top_load(t, now);
            t->version = version;
            loaded = now;
        }
        top_draw(t, now);
        int key = screen_key(MS_KEY);
        screen_size(&rows, &columns);
        if (key == 'q')
            return;
        if (t->story)
            story_key(t, key, rows, columns);
        else
            list_key(t, key, rows, columns);
    }
}

int top_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct query_db *db;
    char why[256];
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        log_error("%s: needs a terminal; edgewatch failures lists into a pipe", self->name);
        return EXIT_UNAVAILABLE;
    }
    int code = open_database(s, &db);
    if (code != EXIT_DONE)
        return code;
    query_close(db);
    struct top *t = calloc(1, sizeof *t);
    if (!t || !(t->handles = handles_new(s->db, MS_QUERY))) {
        free(t);
        log_error("out of memory");
        return EXIT_UNAVAILABLE;
    }
    t->path = s->db;
    t->with_info = s->all;
    catch_ends();
    if (screen_begin(why, sizeof why)) {
        run(t);
        screen_end();
    } else {
        log_error("%s: %s", self->name, why);
        code = EXIT_UNAVAILABLE;
    }
    top_close_story(t);
    handles_free(t->handles);
    free(t);
    return code;
}
