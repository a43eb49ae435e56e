/*
 * Text from a format, as snprintf() makes it, for the few conversions that failures are told with.
 * snprintf() took half of what a failure costs: a call of it sets up a stream, and a fraction goes
 * through big numbers.
 */
#ifndef EW_CAPTURE_FORMAT_H
#define EW_CAPTURE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* The text is the one of snprintf(), to the byte, and so is what is returned: its length, had there
 * been room. By hand: %s %.Ns %c %d %u %x, the whole numbers also with l and ll, %.0f to %.3f of
 * what is not negative, %%. A format with anything else is handed to snprintf(). */
__attribute__((format(printf, 3, 4))) int format_text(char *out, size_t room, const char *format,
                                                      ...);
__attribute__((format(printf, 3, 0))) int format_args(char *out, size_t room, const char *format,
                                                      va_list args);

#endif
