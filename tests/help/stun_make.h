/*
 * STUN and MS-TURN messages made byte by byte, for tests: begin, add attributes, seal.
 */
#ifndef EW_TESTS_HELP_STUN_MAKE_H
#define EW_TESTS_HELP_STUN_MAKE_H

#include "capture/endpoint.h"

struct stun_make {
    uint8_t b[1024];
    size_t n;
    bool padded; /* attributes to a multiple of 4, as RFC 5389 wants */
};

/* "21 12a442..." to bytes; blanks are skipped. Returns how many. Aborts on anything else. */
size_t octets_of(const char *hex, uint8_t *out, size_t room);

/* id: 32 hex digits. */
struct stun_make stun_begin(uint16_t type, const char *id, bool padded);
void stun_add(struct stun_make *m, uint16_t type, const void *value, size_t n);
void stun_add_text(struct stun_make *m, uint16_t type, const char *text);
void stun_add_hex(struct stun_make *m, uint16_t type, const char *hex);
void stun_add_u32(struct stun_make *m, uint16_t type, uint32_t value);
/* n bytes of value fill. */
void stun_add_fill(struct stun_make *m, uint16_t type, uint8_t fill, size_t n);
/* endpoint: "1.2.3.4:5" or "[2001:db8::1]:5". The xor form masks with the id of the message. */
void stun_add_addr(struct stun_make *m, uint16_t type, const char *endpoint);
void stun_add_xaddr(struct stun_make *m, uint16_t type, const char *endpoint);
/* Writes the message length; the message is b[0..n). */
struct slice stun_seal(struct stun_make *m);

#endif
