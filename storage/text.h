/*
 * A growing text: JSON and addresses for the packed columns, formatted by hand because a call
 * brings thirty candidates and the writer has microseconds for it.
 */
#ifndef EW_STORAGE_TEXT_H
#define EW_STORAGE_TEXT_H

#include "capture/endpoint.h"
#include "capture/tick.h"

/* Zeroed = empty. Without memory 'failed' stays set and what follows is ignored. */
struct text {
    char *p; /* not NUL-terminated */
    size_t n, room;
    bool failed;
};

void text_free(struct text *t);
/* Room for n more bytes. False without memory. */
bool text_grow(struct text *t, size_t n);

static inline void text_raw(struct text *t, const char *s, size_t n)
{
    if (n && (t->room - t->n >= n || text_grow(t, n))) {
        memcpy(t->p + t->n, s, n);
        t->n += n;
    }
}

static inline void text_char(struct text *t, char c)
{
    text_raw(t, &c, 1);
}

static inline void text_put(struct text *t, const char *s)
{
    text_raw(t, s, strlen(s));
}

void text_int(struct text *t, int64_t v);

/* JSON values. NULL, an unknown tick and an absent address or port 0 are null. Bytes that are no
 * UTF-8 become U+FFFD. */
void text_json(struct text *t, const char *s);
void text_json_slice(struct text *t, struct slice s);
void text_json_addr(struct text *t, const struct addr *a);
void text_json_port(struct text *t, uint16_t port);
void text_json_tick(struct text *t, tick_t tick);

/* addr_text() without the C library for IPv4. Returns the length, 0 for none. */
size_t text_of_addr(const struct addr *a, char out[ADDR_TEXT]);

/* The address's /24 or /48: "1.2.3.0/24". "" for none. */
enum { NET_TEXT = ADDR_TEXT + 4 };
char *text_of_net(const struct addr *a, char out[NET_TEXT]);

/* Length of the UTF-8 sequence at s (n bytes there), 0 if it is none. */
size_t text_utf8(const uint8_t *s, size_t n);

#endif
