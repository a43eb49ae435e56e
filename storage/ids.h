/*
 * Row ids. The engine numbers its records from 1 in each run; rows go on where the table stands. A
 * run takes ids in chunks from the table next_id, so that a monitor and a 'read' that write at the
 * same time never collide, and a run that is alone gets them without gaps.
 */
#ifndef EW_STORAGE_IDS_H
#define EW_STORAGE_IDS_H

#include "storage/db.h"

enum ids_kind { IDS_FAILURE, IDS_ATTEMPT, IDS_CALL, IDS_ALLOCATION, IDS_TLS, IDS_KINDS };

struct ids {
    int64_t *base[IDS_KINDS]; /* by chunk of engine ids; 0 = not taken yet */
    size_t room[IDS_KINDS];
    int64_t last_base[IDS_KINDS], top[IDS_KINDS];
    struct ids_taken *taken; /* chunks of the open transaction */
    size_t n_taken, room_taken;
};

/* Row id of an engine id (from 1), -1 with db->why on failure. Inside a write transaction only. */
int64_t ids_row(struct ids *ids, struct db *db, enum ids_kind kind, int64_t engine);
/* One new id that belongs to no engine id. -1 on failure. */
int64_t ids_extra(struct db *db, enum ids_kind kind);
/* Gives back what the last chunks have left, if nobody took ids since. 0 or -1. */
int ids_release(struct ids *ids, struct db *db);
/* The transaction was committed, or rolled back: then its chunks are taken anew when needed. */
void ids_keep(struct ids *ids);
void ids_undo(struct ids *ids);
void ids_free(struct ids *ids);

#endif
