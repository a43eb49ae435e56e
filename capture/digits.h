/*
 * Numbers and IPv4 addresses in decimal without the C library: each candidate and each text of a
 * failure holds some. Nothing is put behind them.
 */
#ifndef EW_CAPTURE_DIGITS_H
#define EW_CAPTURE_DIGITS_H

#include <stdint.h>

enum { DIGITS_MOST = 20, DIGITS_ADDR4 = 15 };

/* At most DIGITS_MOST bytes. Returns their end. */
char *digits_put(char *to, uint64_t v);
/* "192.0.2.1": writes up to DIGITS_ADDR4 + 1 bytes, the last of them of no use. Returns the end of
 * the text. */
char *digits_put_addr4(char *to, const uint8_t b[4]);

#endif
