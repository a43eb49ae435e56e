/* Connections that take too long. */
#include "capture/patience.h"

#include <sys/socket.h>

void patience_begin(struct patience *p, int64_t limit_ms)
{
    pthread_mutex_init(&p->lock, NULL);
    p->limit_ms = limit_ms;
    for (int i = 0; i < PATIENCE_CONNECTIONS; i++)
        p->at[i].fd = -1;
}

void patience_end(struct patience *p)
{
    pthread_mutex_destroy(&p->lock);
}

int patience_connected(struct patience *p, int fd, int64_t now_ms)
{
    int place = 0;
    pthread_mutex_lock(&p->lock);
    while (place < PATIENCE_CONNECTIONS && p->at[place].fd >= 0)
        place++;
    if (place < PATIENCE_CONNECTIONS) {
        p->at[place].fd = fd;
        p->at[place].since_ms = now_ms;
    }
    pthread_mutex_unlock(&p->lock);
    return place < PATIENCE_CONNECTIONS ? place : -1;
}

void patience_answered(struct patience *p, int place, int64_t now_ms)
{
    if (place < 0)
        return;
    pthread_mutex_lock(&p->lock);
    p->at[place].since_ms = now_ms;
    pthread_mutex_unlock(&p->lock);
}

void patience_closed(struct patience *p, int place)
{
    if (place < 0)
        return;
    pthread_mutex_lock(&p->lock);
    p->at[place].fd = -1;
    pthread_mutex_unlock(&p->lock);
}

/* The lock keeps the number from being given to another file meanwhile. */
unsigned patience_cut(struct patience *p, int64_t now_ms)
{
    unsigned n = 0;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < PATIENCE_CONNECTIONS; i++) {
        if (p->at[i].fd < 0 || now_ms - p->at[i].since_ms <= p->limit_ms)
            continue;
        shutdown(p->at[i].fd, SHUT_RDWR);
        n++;
    }
    pthread_mutex_unlock(&p->lock);
    return n;
}
