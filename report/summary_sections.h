/*
 * The tables of a summary: which columns of which list, and how a value is written. Text and HTML
 * are made from the same sections.
 */
#ifndef EW_REPORT_SUMMARY_SECTIONS_H
#define EW_REPORT_SUMMARY_SECTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SECTION_COLUMNS = 12, SECTION_CELL = 300, SECTION_TOP = 20 };

/* What stands beside attempts by partner, wherever they are shown. */
#define SECTION_PARTNER_ATTEMPTS                                                          \
    "Attempts: what the relays tried in the hours of the period to all of the partner's " \
    "network (/24, /48), in which others may live."

enum cell_kind {
    CELL_TEXT,
    CELL_COUNT,
    CELL_STAMP,  /* local date and time */
    CELL_HOUR,   /* the same, to the minute */
    CELL_RANGE,  /* port_from and port_to */
    CELL_FAILED, /* attempts that did not connect */
    CELL_SHARE,  /* ... of all attempts, in percent */
    CELL_PART,   /* attempts of of_attempts, in percent */
    CELL_BARS,   /* failures as a bar of the most in the list; HTML draws it */
    CELL_DROPS,
    CELL_SPAN, /* seconds, where there are drops */
};

struct section_column {
    const char *name, *title; /* of the row; above the column */
    enum cell_kind kind;
    bool wide; /* only where there is room */
};

struct section {
    const char *key, *title;
    struct section_column columns[SECTION_COLUMNS];
    const char *note; /* what the figures count, NULL if that needs no words */
};

/* The changes, then what failed by partner, Edge, leg, verdict, candidate, port range, and hour. */
extern const struct section sections_changes[2], sections_by[6], section_hours, section_days,
    section_health;

bool section_number(enum cell_kind kind); /* stands to the right */
/* The value of a cell; "" for NULL. list: the whole list, for bars. */
void section_cell(const json_t *list, const json_t *row, const struct section_column *c,
                  char out[SECTION_CELL]);
/* By hour, or by day where that would be too long a table. */
const struct section *section_of_time(const json_t *s);
/* The engine's row of health has no interface and is told in words: the i-th of its counters, "" if
 * it is 0; false behind the last. */
bool section_engine(const json_t *s, size_t i, char out[SECTION_CELL]);
/* "... and 13 more with 20 failures": rows of the list behind the first `put`. False: none. */
bool section_rest(const json_t *s, const struct section *section, size_t put,
                  char out[SECTION_CELL]);

#endif
