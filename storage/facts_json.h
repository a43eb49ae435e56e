/*
 * The packed columns: a call's sides and diagnostics, an allocation's sends, as JSON arrays that
 * both the views and the joiner's reload understand. The layout stands in schema.sql.
 */
#ifndef EW_STORAGE_FACTS_JSON_H
#define EW_STORAGE_FACTS_JSON_H

#include "flows/facts.h"
#include "flows/wire/sdp.h"
#include "storage/text.h"

/* flags of one medium of one side */
enum media_flag { MEDIA_PRESENT = 1, MEDIA_REJECTED = 2, MEDIA_TCP = 4, MEDIA_CONCLUDED = 8 };
/* allocation.flags */
enum allocation_flag { ALLOCATION_GRANTED = 1, ALLOCATION_MS = 2, ALLOCATION_HEARD = 4 };

/* Append; false (nothing appended) if there is nothing to tell. */
bool facts_json_side(struct text *out, const struct fact_call *c, enum call_side side);
bool facts_json_diags(struct text *out, const struct fact_call *c);
bool facts_json_sends(struct text *out, const struct fact_allocation *a);

#endif
