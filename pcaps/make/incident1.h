/* The federated incident: desktop sharing refused between two Edge servers (protocol dossier 8). */
#ifndef EW_PCAPS_INCIDENT1_H
#define EW_PCAPS_INCIDENT1_H

#include "pcaps/make/samples.h"

int incident1(const struct sample *s,
              const char *dir); /* internal and external span, no readable signaling */
int incident1_sip(const struct sample *s,
                  const char *dir); /* the internal span with the signaling in clear */
int incident1_hep(const struct sample *s,
                  const char *dir); /* copies of the signaling on their way to a collector */

int incident1_logs(const struct sample *s,
                   const char *dir); /* what the client and two servers logged of it */

/* The call's messages between client and front end, in order; the last one has no head. */
struct incident1_said {
    int by_server;         /* 0: the client sends it */
    const char *at;        /* Edge time, as utc() reads it */
    const char *by_client; /* time of day of the client's clock */
    const char *head, *sdp;
};
extern const struct incident1_said incident1_dialog[];

#endif
