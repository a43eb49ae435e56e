/* Sharing that fails on the client itself, ICEWarn=0x320. */
#ifndef EW_PCAPS_INCIDENT2_H
#define EW_PCAPS_INCIDENT2_H

#include "pcaps/make/samples.h"

int incident2(const struct sample *sample, const char *dir);

#endif
