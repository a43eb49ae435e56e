/*
 * The files of --tls-key and --keylog: read before root is given up, key logs followed afterwards.
 * Once there is a key, the process leaves no core file and lets no debugger in.
 */
#ifndef EW_CLI_KEYS_H
#define EW_CLI_KEYS_H

#include "capture/source.h"
#include "cli/options.h"
#include "flows/tls_keys.h"

struct keys;

/* Opens and reads all of it. live: key logs are followed from here on; else a named pipe is read
 * to its end, if there is one. 0 and *out, or an exit code after a message that names the file. */
int keys_open(const struct settings *s, bool live, struct keys **out);
void keys_close(struct keys *k); /* wipes; NULL is fine */
/* For engine_config; NULL for NULL. */
struct tls_keys *keys_tls(struct keys *k);
/* What has been added to the key logs since. Cheap when it is nothing. */
void keys_follow(struct keys *k);
/* What captures brought along. */
void keys_fetch(struct keys *k, struct sources *s);
/* After root was given up: that resets what protects the process. */
void keys_protect(const struct keys *k);

#endif
