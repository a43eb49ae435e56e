/* The audio call whose TCP pair fails beside a working UDP pair. */
#ifndef EW_PCAPS_AUDIO_H
#define EW_PCAPS_AUDIO_H

#include "pcaps/make/samples.h"

int failed_beside_working(const struct sample *sample, const char *dir);

#endif
