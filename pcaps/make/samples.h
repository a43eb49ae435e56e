/*
 * The samples: each case is one story in one or more capture files that belong together, with what
 * a monitor must say about it. The expectations come from the dossier and from what the builder
 * puts on the wire, never from a run of the monitor.
 */
#ifndef EW_PCAPS_SAMPLES_H
#define EW_PCAPS_SAMPLES_H

#include <stdint.h>

struct scene;
struct talk;

/*
 * expect: rows of the failures view, one per line:
 *      leg verdict severity src dst grade confidence   (- = NULL)
 * finding: codes of which each must be among the findings, separated by spaces
 * absent: codes that must not follow from the failures together, nor be likely for one
 * args: options the case needs
 */
struct sample {
    int number; /* of the story, see scene.h; 0 = has addresses of its own */
    const char *name, *files, *shows, *args, *expect, *finding, *absent;
    int (*build)(const struct sample *s, const char *dir);
    /* what happens between the Send request and the end of the call, where the case is only that */
    int64_t (*attempt)(struct scene *, struct talk *, int64_t at);
};

/* tables by theme, each ended by an entry without a name */
extern const struct sample samples_incidents[], samples_verdicts[], samples_client_leg[],
    samples_rfc[], samples_negatives[], samples_findings[];

/* builders for cases that are one call with one `attempt` */
int build_failing_call(const struct sample *s, const char *dir);
int build_working_call(const struct sample *s, const char *dir);

#endif
