/*
 * What top shows: failures as they come, partners of the last day, the sensor's health of the last
 * hour, or the story of one failure.
 */
#ifndef EW_CLI_TOP_H
#define EW_CLI_TOP_H

#include "report/handles.h"

enum { TOP_FAILURES = 300, TOP_PARTNERS = 100, TOP_INTERFACES = 32, TOP_WHY = HANDLES_WHY };

struct top_failure {
    int64_t id;
    tick_t first;
    char verdict[24], who[160], to[64], finding[48];
    bool info, fresh; /* fresh: not there when we looked before */
};

struct top_partner {
    char partner[64], users[160];
    int64_t failures, attempts, connected;
    tick_t last;
};

struct top_interface {
    char name[64]; /* "" = the engine */
    int64_t packets, drops, gaps, lost, blind;
    tick_t last;
};

struct top {
    const char *path;
    struct handles *handles;
    bool with_info;
    char partner[64]; /* failures of this one only; "" = all */
    /* what was read */
    tick_t since, until;    /* of the day that partners count */
    bool old;               /* counted from the newest packets, which are old */
    char why[TOP_WHY];      /* the database cannot be read; "" = it can */
    int64_t version, known; /* known: the highest id seen so far */
    int n_failures, n_partners, n_interfaces;
    int64_t day_failures;
    struct top_failure failures[TOP_FAILURES];
    struct top_partner partners[TOP_PARTNERS];
    struct top_interface interfaces[TOP_INTERFACES];
    /* where we are */
    bool in_partners;
    int at_failure, at_partner, from_failure, from_partner;
    /* a story, line by line */
    int64_t story; /* 0 = none */
    char *text, **lines;
    int n_lines, from_line;
};

/* Reads all of it anew. Lists stay as they were where the database fails; why tells. */
void top_load(struct top *t, tick_t now);
/* Opens the story of the selected failure for so many columns; closes it. */
void top_open_story(struct top *t, int columns);
void top_close_story(struct top *t);

void top_draw(struct top *t, tick_t now);
/* How many rows of failures, partners and health a screen of so many rows has. */
void top_share(const struct top *t, int rows, int *failures, int *partners, int *health);

#endif
