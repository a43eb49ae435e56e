/*
 * A subcommand: one row of the table in main.c, one file of its own.
 */
#ifndef EW_CLI_COMMAND_H
#define EW_CLI_COMMAND_H

#include "cli/exits.h"
#include "cli/options.h"

struct command {
    const char *name;
    const char *args;    /* "FILE...", "" */
    const char *summary; /* one line */
    const char *about;   /* a paragraph for its help text */
    const char *exits;   /* "0 66 74": the exit codes it can give beside 64 and 78 */
    const char *example; /* lines, each a call and why */
    unsigned options;    /* ON_* */
    int least, most;     /* positional arguments; most -1 = any number */
    bool no_config;      /* needs neither configuration nor database */
    int (*run)(const struct command *self, const struct settings *s, int argc, char **argv);
};

int read_run(const struct command *self, const struct settings *s, int argc, char **argv);
int import_run(const struct command *self, const struct settings *s, int argc, char **argv);
int monitor_run(const struct command *self, const struct settings *s, int argc, char **argv);
int list_run(const struct command *self, const struct settings *s, int argc, char **argv);
int show_run(const struct command *self, const struct settings *s, int argc, char **argv);
int export_run(const struct command *self, const struct settings *s, int argc, char **argv);
int report_run(const struct command *self, const struct settings *s, int argc, char **argv);
int doctor_run(const struct command *self, const struct settings *s, int argc, char **argv);
int decode_run(const struct command *self, const struct settings *s, int argc, char **argv);
int backup_run(const struct command *self, const struct settings *s, int argc, char **argv);
int serve_run(const struct command *self, const struct settings *s, int argc, char **argv);
int top_run(const struct command *self, const struct settings *s, int argc, char **argv);
int sql_run(const struct command *self, const struct settings *s, int argc, char **argv);

#endif
