/*
 * A text log as lines of UTF-8: plain or gzip (also several members behind each other), UTF-8 or
 * UTF-16 with a byte order mark, CRLF or LF, of any size, from a file or stdin. Memory is two
 * buffers and one line, whatever the log is.
 */
#ifndef EW_CAPTURE_TEXTLOG_H
#define EW_CAPTURE_TEXTLOG_H

#include "capture/bytes.h"

/* Longer lines are cut, and counted. */
enum { TEXTLOG_LINE_MAX = 65536 };

struct textlog;

enum textlog_error {
    TEXTLOG_OK,
    TEXTLOG_NOT_OPENED, /* missing, unreadable, a directory */
    TEXTLOG_NO_MEMORY,
    TEXTLOG_DAMAGED, /* the compressed data is broken or ends early, or reading failed */
};

/* Opens path ("-" = stdin). NULL with the reason, naming path, in why. */
struct textlog *textlog_open(const char *path, enum textlog_error *error, char *why, size_t room);
void textlog_close(struct textlog *t);

struct textlog_line {
    struct slice text; /* without line end; lent until the next call */
    uint64_t number;   /* from 1 */
    bool unended;      /* the log ended before a line end */
};

/* The next line. False at the end: textlog_damage() says whether it is the true one. */
bool textlog_next(struct textlog *t, struct textlog_line *out);

/* TEXTLOG_OK, or TEXTLOG_DAMAGED with where and why (naming the log) in *text, which lives as long
 * as t. */
enum textlog_error textlog_damage(const struct textlog *t, const char **text);

struct textlog_counts {
    uint64_t read, total; /* bytes of the file as it lies there; total 0 = not known */
    uint64_t bytes;       /* of text so far */
    uint64_t lines, cut;  /* lines longer than TEXTLOG_LINE_MAX */
    uint64_t fingerprint; /* of the lines so far: the same log in other clothes has the same */
};
void textlog_counts(const struct textlog *t, struct textlog_counts *out);

#endif
