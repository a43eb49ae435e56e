/*
 * Everything that belongs to one failure, read out of the views: rows as JSON objects (field.h).
 */
#ifndef EW_REPORT_STORY_FACTS_H
#define EW_REPORT_STORY_FACTS_H

#include "report/evidence.h"
#include "report/json.h"

/* Objects are NULL and lists empty where nothing is known. */
struct story_facts {
    json_t *failure; /* row of failures */
    json_t *attempts, *candidates, *diagnostics, *findings, *sends;
    json_t *call;       /* row of calls */
    json_t *allocation; /* of the near side's relay port */
    json_t *far;        /* of the far end, if that is a relay we watch too */
    json_t *alias;      /* private to public address of the near relay */
    struct evidence_packet *packets;
    size_t n_packets;
    bool near_is_offer, near_known; /* which side of the call is the failure's local end */
};

enum story_found { STORY_OK, STORY_NO_ID, STORY_DB_FAILED };

/* On anything but STORY_OK nothing needs freeing. */
enum story_found story_load(struct query_db *db, int64_t id, struct story_facts *out);
void story_unload(struct story_facts *f);

/* All of it as one JSON object; NULL without memory. */
json_t *story_json(const struct story_facts *f);

#endif
