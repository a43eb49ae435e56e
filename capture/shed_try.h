/*
 * The program of shed.h outside of the kernel: what would it do with a packet, and what does it
 * look like? For doctor.
 */
#ifndef EW_CAPTURE_SHED_TRY_H
#define EW_CAPTURE_SHED_TRY_H

#include "capture/frame.h"
#include "capture/shed.h"

/* Bytes of the frame that it would keep. */
uint32_t shed_try(const struct sock_filter *program, const struct raw_packet *raw);

/* The i-th instruction in tcpdump -d's notation. Returns out. */
char *shed_text(const struct sock_filter *program, unsigned i, char *out, unsigned room);

#endif
