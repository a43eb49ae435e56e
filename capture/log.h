/*
 * Messages to stderr, one line each: "edgewatch: object: reason". Said once, where found.
 * Never on the packet path: there an event is a counter.
 */
#ifndef EW_CAPTURE_LOG_H
#define EW_CAPTURE_LOG_H

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* quiet = only errors and warnings */
void log_quiet(int on);

#endif
