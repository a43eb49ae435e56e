/*
 * Every option of every command, in one table: the command line, the configuration file and the
 * help texts are made from it.
 */
#ifndef EW_CLI_OPTIONS_H
#define EW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_MOST = 128 };

/* Repeatable options. */
struct text_list {
    const char **items;
    unsigned n;
};

/* What was asked for. Texts are lent (argv, environment) or owned by `owned`. NULL, 0, false: not
 * given. Values have passed their check. */
struct settings {
    /* every command */
    const char *db, *config;
    bool quiet, help, version;
    /* where packets come from and how to read them */
    struct text_list interface, nat, edge, sip_port, turn_port, tls_key, keylog, hep, sdn;
    const char *sdn_cert, *sdn_key, *sdn_token_file;
    const char *metrics, *on_failure, *mail, *sendmail;
    const char *sensor, *filter, *relay_ports, *account;
    int64_t ring_mb, snaplen, seconds;
    bool no_promisc, no_shed;
    int64_t shed_above;
    const char *tls_passphrase;
    /* how long rows stay, days, and how large the database may grow */
    const char *users, *addresses, *privacy_key;
    int64_t keep_evidence, keep_details, keep_failures, max_db_mb;
    /* which rows, in which form */
    const char *since, *until, *around, *within;
    const char *user, *call, *addr, *verdict, *finding;
    bool program, all, exit_code, bom;
    int64_t limit;
    const char *format, *output, *color;
    /* the summary */
    const char *day, *night, *by;
    int64_t days;
    bool last_night;
    /* the pages */
    const char *listen, *cert, *key, *token_file, *serve_account;
    struct text_list host;
    int64_t query_seconds;

    /* as main() got them: a reload reads the command line and the file anew */
    int words;
    char **word;
    unsigned mask; /* options of the command, ON_* */

    uint64_t given[2];  /* bit i: option i of the table was on the command line */
    uint64_t valued[2]; /* ... or has a value from anywhere */
    struct text_list owned;
};

/* Which commands know an option. */
enum {
    ON_READ = 1 << 0,
    ON_MONITOR = 1 << 1,
    ON_FAILURES = 1 << 2,
    ON_CALLS = 1 << 3,
    ON_ALLOCATIONS = 1 << 4,
    ON_HEALTH = 1 << 5,
    ON_SHOW = 1 << 6,
    ON_EXPORT = 1 << 7,
    ON_REPORT = 1 << 8,
    ON_DECODE = 1 << 9,
    ON_ALL = 1 << 10, /* also before the command */
    ON_IMPORT = 1 << 11,
    ON_SERVE = 1 << 13,
    ON_TOP = 1 << 14,
    ON_SQL = 1 << 15,
    ON_BACKUP = 1 << 16,
    ON_DOCTOR = 1 << 12,
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST };

struct option_def {
    const char *name;
    char letter; /* 0 = none */
    enum option_kind kind;
    unsigned commands;   /* ON_* */
    const char *section; /* of the configuration file, NULL = command line only */
    const char *arg, *help;
    size_t at;                               /* in struct settings */
    const char *(*check)(const char *value); /* NULL or what is wrong with the value */
    int64_t min, max;                        /* numbers */
};

extern const struct option_def option_defs[];
extern const unsigned n_option_defs;

static inline bool option_bit(const uint64_t bits[2], unsigned i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static inline void option_set_bit(uint64_t bits[2], unsigned i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

void settings_free(struct settings *s);

/* Sets option i of the table. NULL, or what is wrong with value. copy: value does not outlive the
 * call. */
const char *settings_set(struct settings *s, unsigned i, const char *value, bool copy);

/* Reads options that one of the commands in mask (with ON_ALL) knows; stops at the first other word
 * if only ON_ALL is asked for. Other words are moved behind the options, *first is the first of
 * them. 0; -1 with a message in why. */
int options_parse(struct settings *s, unsigned mask, int argc, char **argv, int *first, char *why,
                  size_t room);

/* The entry of list (n names) most like word, NULL if none is near. */
const char *options_nearest(const char *word, const char *const list[], unsigned n);

#endif
