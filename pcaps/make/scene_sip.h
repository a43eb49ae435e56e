/* Signaling texts of a scene: SDP and the parts of SIP heads that repeat. */
#ifndef EW_PCAPS_SCENE_SIP_H
#define EW_PCAPS_SCENE_SIP_H

#include "pcaps/make/scene.h"

enum { SIP_TEXT = 4096 };

void scene_sdp(char text[SIP_TEXT], const struct scene *s, bool offer);

/* A start line and the dialog headers; `more` are further header lines or "". */
void scene_head(char text[SIP_TEXT], const struct scene *s, const char *start, const char *cseq,
                bool to_tag, const char *more);

/* ms-client-diagnostics 23 with ICEWarn 0x4000320 and the addresses of this call. */
void scene_diagnostics(char text[SIP_TEXT], const struct scene *s);

#endif
