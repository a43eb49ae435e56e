/* The packed columns back into facts (the other direction of facts_json.h). */
#ifndef EW_STORAGE_LOAD_JSON_H
#define EW_STORAGE_LOAD_JSON_H

#include "flows/arena.h"
#include "flows/facts.h"

/* A copy of the bytes as text, NULL without memory. */
const char *load_text(struct arena *a, struct slice s);

/* An empty slice adds nothing. False if memory is out; JSON that is none of ours is skipped. */
bool load_json_side(struct arena *a, struct slice json, struct fact_call *c, enum call_side side);
bool load_json_diags(struct arena *a, struct slice json, struct fact_call *c);
bool load_json_sends(struct arena *a, struct slice json, struct fact_allocation *f);

#endif
