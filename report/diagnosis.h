/*
 * ICEWarn and the diagnostics headers of Lync in plain words, for `decode` and for the story.
 */
#ifndef EW_REPORT_DIAGNOSIS_H
#define EW_REPORT_DIAGNOSIS_H

#include "capture/bytes.h"
#include "report/prose.h"

/* The value bit by bit, and which bits are out of the ordinary. */
void diagnosis_icewarn(const struct prose *p, unsigned indent, uint32_t value);

/* One key of a MediaDebug block, with what it means. */
void diagnosis_field(const struct prose *p, unsigned indent, const char *key, const char *value);

/* A whole header, with or without its name. -1 if it is none (nothing is printed). */
int diagnosis_header(const struct prose *p, struct slice text);

/* "application sharing" for "applicationsharing" and "application-sharing"; others as they are. */
const char *diagnosis_medium(const char *medium);

/* "0x320", "320", "ICEWarn=0x320": hexadecimal, 1 to 8 digits. False: anything else. */
bool diagnosis_icewarn_parse(const char *text, uint32_t *out);

#endif
