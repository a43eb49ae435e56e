/*
 * What TCP connects and UDP checks share: ids, who is wanted, evidence, and the last look at a
 * verdict before it leaves, where the sensor's own blindness lowers the claim (design §2.5).
 */
#ifndef EW_FLOWS_ATTEMPTS_H
#define EW_FLOWS_ATTEMPTS_H

#include "flows/evidence.h"
#include "flows/hosts.h"
#include "flows/limits.h"
#include "flows/tracker.h"

struct lossy_span {
    tick_t from, to;
};

/* Whose attempts they are of which it is asked whether they are wanted. */
enum asker { ASKER_TCP, ASKER_UDP, ASKERS };

struct answered_hook {
    void *arg;
    /* n and id as they were given to attempts_asking(); n may be another's by now */
    void (*answered)(void *arg, uint32_t n, uint64_t id, bool wanted);
};

struct question {
    uint32_t n;
    uint8_t asker;
    bool open;
};

struct attempts {
    struct tracker_hooks hooks;
    struct answered_hook asker[ASKERS];
    struct question questions[LIMIT_QUESTIONS]; /* by the attempt's id, from answered on */
    uint64_t answered;
    struct hosts *hosts;
    struct evidence_store *proof[2]; /* of unknown, of wanted endpoints */
    struct lossy_span lossy[LIMIT_LOSSY_SPANS];
    unsigned n_lossy;                          /* ever; the newest are kept */
    struct lossy_span gaps[LIMIT_LOSSY_SPANS]; /* of BLIND_SPAN each: streams had gaps then */
    unsigned n_gaps;
    struct tracker_counts counts;
};

/* 0, or -1 without memory. */
int attempts_open(struct attempts *s, uint64_t seed, const struct tracker_hooks *hooks);
void attempts_close(struct attempts *s);

/* A new attempt's id, one more than that of the one before. *wanted: are its ends? */
uint64_t attempts_begin(struct attempts *s, const struct endpoint *src, const struct endpoint *dst,
                        enum wanted *wanted);
/* It was WANTED_LATER: asker's n-th entry wants to know. */
void attempts_asking(struct attempts *s, enum asker asker, uint64_t id, uint32_t n);
/* Fetches the answers up to that attempt's, always in the order in which they were asked. */
void attempts_answers(struct attempts *s, uint64_t id);
/* May a new attempt keep evidence? Unknown sources only so many a minute. */
bool attempts_proof(struct attempts *s, const struct endpoint *src, bool wanted, tick_t now);
void attempts_lossy(struct attempts *s, tick_t from, tick_t to);
/* A stream has a gap that its receiver has not. */
void attempts_gap(struct attempts *s, tick_t now);

/* Evidence handles as struct attempt has them, from a store's own and back. */
static inline uint32_t attempts_handle(uint32_t handle, bool wanted)
{
    return handle ? handle | (uint32_t)wanted << 31 : 0;
}

/* Sets quality, lowers what can't be claimed, asks again who is wanted, and reports. a->quality may
 * be QUALITY_ONE_WAY or LOSSY already. asked: time of the last request; spoke: a packet of dst was
 * seen. */
void attempts_report(struct attempts *s, struct attempt *a, tick_t asked, bool spoke, bool final);

#endif
