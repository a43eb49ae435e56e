/* Reading the configuration file. */
#include "cli/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/edgewatch/edgewatch.conf"
#define DATABASE_DEFAULT "edgewatch.db"

static const char *const sections[] = {"sensor", "capture", "edge",  "tls",   "storage",
                                       "report", "privacy", "feeds", "notify"};

struct reading {
    struct settings *s;
    FILE *in;
    int line;                /* read so far */
    int too_long;            /* the first line that libinih has no room for, 0 = none */
    char wrong[CONFIG_TEXT]; /* of the first bad line */
};

/* For libinih, like fgets(): it would take the rest of a long line for a line of its own. */
static char *next_line(char *line, int room, void *user)
{
    struct reading *r = user;
    if (r->too_long || !fgets(line, room, r->in))
        return NULL;
    r->line++;
    size_t n = strlen(line);
    if (n + 1 == (size_t)room && line[n - 1] != '\n') {
        r->too_long = r->line;
        snprintf(r->wrong, sizeof r->wrong, "the line is longer than %d bytes", room - 2);
        return NULL;
    }
    return line;
}

static int index_of_key(const char *section, const char *key)
{
    for (unsigned i = 0; i < n_option_defs; i++) {
        const struct option_def *d = &option_defs[i];
        if (d->section && strcmp(d->section, section) == 0 && strcmp(d->name, key) == 0)
            return (int)i;
    }
    return -1;
}

static bool known_section(const char *section)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i], section) == 0)
            return true;
    return false;
}

/* The section that the key belongs to instead, or the most similar key. */
static void unknown_key(struct reading *r, const char *section, const char *key)
{
    const char *names[OPTIONS_MOST];
    unsigned n = 0;
    for (unsigned i = 0; i < n_option_defs; i++) {
        const struct option_def *d = &option_defs[i];
        if (d->section && strcmp(d->name, key) == 0) {
            snprintf(r->wrong, sizeof r->wrong, "\"%s\" belongs into section [%s]", key,
                     d->section);
            return;
        }
        if (d->section && strcmp(d->section, section) == 0)
            names[n++] = d->name;
    }
    const char *near = options_nearest(key, names, n);
    snprintf(r->wrong, sizeof r->wrong, "unknown key \"%s\" in section [%s]%s%s%s", key, section,
             near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* For libinih: 1 = fine, 0 = this line is bad. */
static int take(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    if (*r->wrong)
        return 0;
    if (!known_section(section)) {
        snprintf(r->wrong, sizeof r->wrong, "unknown section [%s]", section);
        return 0;
    }
    int i = index_of_key(section, key);
    if (i < 0) {
        unknown_key(r, section, key);
        return 0;
    }
    if (option_defs[i].kind != OPTION_LIST && option_bit(r->s->given, (unsigned)i))
        return 1;
    const char *wrong = settings_set(r->s, (unsigned)i, value, true);
    if (wrong)
        snprintf(r->wrong, sizeof r->wrong, "%s: \"%s\" %s", key, value, wrong);
    return !wrong;
}

int config_read(const char *path, struct settings *s, char why[CONFIG_TEXT])
{
    struct reading r = {.s = s, .in = fopen(path, "r")};
    if (!r.in) {
        snprintf(why, CONFIG_TEXT, "%.300s: %s", path, strerror(errno));
        return -1;
    }
    int line = ini_parse_stream(next_line, &r, take, &r);
    if (line == 0)
        line = r.too_long;
    bool unreadable = ferror(r.in);
    fclose(r.in);
    if (unreadable)
        snprintf(why, CONFIG_TEXT, "%.300s: cannot be read", path);
    else if (line < 0)
        snprintf(why, CONFIG_TEXT, "%.300s: no memory", path);
    else if (line > 0)
        snprintf(why, CONFIG_TEXT, "%.200s:%d: %.280s", path, line,
                 *r.wrong ? r.wrong : "neither [section] nor key = value");
    return line == 0 && !unreadable ? 0 : -1;
}

static unsigned index_of_db(void)
{
    unsigned i = 0;
    while (strcmp(option_defs[i].name, "db") != 0)
        i++;
    return i;
}

/* NULL: nobody named one. */
static const char *named_path(const struct settings *s)
{
    const char *path = s->config ? s->config : getenv("EDGEWATCH_CONFIG");
    return path && *path ? path : NULL;
}

const char *config_path(const struct settings *s)
{
    const char *path = named_path(s);
    return path ? path : CONFIG_DEFAULT;
}

int config_load(struct settings *s, char why[CONFIG_TEXT])
{
    const char *env = getenv("EDGEWATCH_DB"), *path = config_path(s);
    if (!s->db && env && *env) {
        s->db = env;
        option_set_bit(s->given, index_of_db());
    }
    if (named_path(s) || access(path, F_OK) == 0)
        if (config_read(path, s, why) != 0)
            return -1;
    if (!s->db)
        s->db = DATABASE_DEFAULT;
    return 0;
}
