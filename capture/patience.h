/*
 * How long a connection to a server of ours may take for a request. A drop at a time keeps away any
 * limit on silence, and a few such connections are all that a small server takes.
 *
 * The server's thread tells what happens; any thread may cut.
 */
#ifndef EW_CAPTURE_PATIENCE_H
#define EW_CAPTURE_PATIENCE_H

#include <pthread.h>
#include <stdint.h>

enum { PATIENCE_CONNECTIONS = 64 };

struct patience {
    pthread_mutex_t lock;
    int64_t limit_ms;
    struct {
        int fd; /* -1 = free */
        int64_t since_ms;
    } at[PATIENCE_CONNECTIONS];
};

void patience_begin(struct patience *p, int64_t limit_ms);
void patience_end(struct patience *p);

/* A connection was accepted; it is given back before its socket is closed. The place, or -1: no
 * place is left, nobody watches it. */
int patience_connected(struct patience *p, int fd, int64_t now_ms);
/* It was answered: time begins anew. */
void patience_answered(struct patience *p, int place, int64_t now_ms);
void patience_closed(struct patience *p, int place);
/* Ends, with shutdown(), the connections that have taken longer than the limit. How many. */
unsigned patience_cut(struct patience *p, int64_t now_ms);

#endif
