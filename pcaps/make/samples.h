/*
 * The samples: each case is one story in one or more capture files that belong together, with what
 * a monitor must say about it. The expectations come from the dossier and from what the builder
 * puts on the wire, never from a run of the monitor.
 */
#ifndef EW_PCAPS_SAMPLES_H
#define EW_PCAPS_SAMPLES_H

/*
 * expect: rows of the failures view, one per line:
 *         leg verdict severity src dst grade confidence   (- = NULL)
 * finding: codes of which each must be among the findings, separated by spaces
 * absent: codes that must not be
 * args: options the case needs
 */
struct sample {
    const char *name, *files, *shows, *args, *expect, *finding, *absent;
    int (*build)(const char *dir);
};

extern const struct sample samples_incidents[], samples_verdicts[], samples_turn[], samples_rfc[],
    samples_negatives[], samples_findings[];

#endif
