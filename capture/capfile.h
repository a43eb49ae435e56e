/*
 * Capture files, piece by piece: pcap (microseconds and nanoseconds, both byte orders, also the
 * "modified" format with a longer record header) and pcapng (several sections, both byte orders,
 * several interfaces with a link type and a time unit each).
 *
 * Pure: the caller reads bytes into a batch, capfile_walk() lists the frames that lie whole in it,
 * without copying any. What cannot be true stops the walk for good, with a text that names the
 * byte offset; the frames before it are listed.
 */
#ifndef EW_CAPTURE_CAPFILE_H
#define EW_CAPTURE_CAPFILE_H

#include "capture/batch.h"
#include "capture/bytes.h"

/* The longest piece that must lie whole in a batch: a frame, its header, and 64 KiB of options. */
enum { CAPFILE_MAX_RECORD = FRAME_MAX_BYTES + 65536 };

/* Told of every interface: its number within the section, its name ("" if it has none). Returns the
 * number that its frames shall carry as batch_packet.iface. */
typedef uint16_t capfile_iface_fn(void *ctx, unsigned number, struct slice name);

/* Told of TLS key logs inside a pcapng, piece by piece; last: that block's is complete. */
typedef void capfile_secrets_fn(void *ctx, struct slice piece, bool last);

struct capfile;

/* NULL: out of memory. */
struct capfile *capfile_new(capfile_iface_fn *on_iface, void *ctx);
void capfile_free(struct capfile *c);
/* Without it they are passed over. ctx is capfile_new()'s. */
void capfile_on_secrets(struct capfile *c, capfile_secrets_fn *on_secrets);

/* Looks at b->bytes from b->at to b->end, appends frames to b->packets and advances b->at and
 * b->count. Stops at a record that is not complete yet, when b->packets is full, or at damage.
 * What is left from b->at on must come first when the next bytes are offered. */
void capfile_walk(struct capfile *c, struct batch *b);

/* The file has ended, and left bytes were never consumed. */
void capfile_finish(struct capfile *c, size_t left);

/* NULL, or what is wrong, e.g. "record of 300000 bytes at offset 24". */
const char *capfile_damage(const struct capfile *c);

#endif
