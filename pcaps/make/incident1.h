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

#endif
