/*
 * What `doctor` found, as lines: a fact, what is to be thought of it, and what to do about it.
 */
#ifndef EW_REPORT_CHECKUP_H
#define EW_REPORT_CHECKUP_H

#include "report/prose.h"

#include <stdbool.h>
#include <stdio.h>

enum judgement { CHECK_OK, CHECK_LOOK, CHECK_BAD };

enum { CHECKUP_LINES = 64, CHECKUP_FACT = 400 };

struct checkup_line {
    const char *check; /* "directions", static */
    enum judgement judgement;
    char fact[CHECKUP_FACT];
    const char *advice; /* static, NULL: nothing to do */
};

struct sock_filter;

struct checkup {
    /* the filter program of load shedding, and what writes its i-th line; NULL, 0: none */
    const struct sock_filter *program;
    unsigned program_n;
    char *(*program_text)(const struct sock_filter *program, unsigned i, char *out, unsigned room);
    struct checkup_line lines[CHECKUP_LINES];
    unsigned n;
};

/* One more line; beyond CHECKUP_LINES it is lost. */
__attribute__((format(printf, 5, 6))) void checkup_add(struct checkup *c, const char *check,
                                                       enum judgement j, const char *advice,
                                                       const char *fmt, ...);
/* No line is bad. */
bool checkup_usable(const struct checkup *c);

/* sources: what was looked at. */
void checkup_print(const struct checkup *c, const char *sources, const struct prose *p);
void checkup_print_json(const struct checkup *c, const char *sources, FILE *out);

#endif
