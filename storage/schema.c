/* schema.sql, taken in by the assembler: one text serves the program and the curious reader. */
#include "storage/schema.h"

__asm__(".section .rodata\n"
        ".global schema_text\n"
        "schema_text:\n"
        ".incbin \"storage/schema.sql\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char schema_text[];

/* A change of schema.sql adds {N, "ALTER TABLE ..."} here and counts version up. */
static const struct schema_step steps[] = {
    {2, "ALTER TABLE sdp ADD COLUMN log_run INTEGER;"
        "CREATE INDEX sdp_log ON sdp(log_run) WHERE log_run IS NOT NULL;"
        "ALTER TABLE log ADD COLUMN shift_us INTEGER;"
        "ALTER TABLE log ADD COLUMN agreed INTEGER;"
        "ALTER TABLE log ADD COLUMN content INTEGER;"},
    {3, "CREATE INDEX failure_last ON failure(last_us);"},
    {4, schema_step_tls},
    {5, "ALTER TABLE health_span ADD COLUMN not_ip INTEGER;"
        "ALTER TABLE health_span ADD COLUMN fragments INTEGER;"
        "ALTER TABLE health_span ADD COLUMN handled INTEGER;"
        "ALTER TABLE health_span ADD COLUMN event TEXT;"
        "DROP VIEW health;"
        "CREATE VIEW health AS SELECT run_id, interface,"
        " strftime('%Y-%m-%dT%H:%M:%S', from_us / 1000000, 'unixepoch')"
        " || printf('.%06dZ', from_us % 1000000) AS from_time,"
        " strftime('%Y-%m-%dT%H:%M:%S', to_us / 1000000, 'unixepoch')"
        " || printf('.%06dZ', to_us % 1000000) AS to_time,"
        " packets, bytes, kernel_drops, nic_drops, ring_drops, decode_errors, table_evictions,"
        " stream_gaps, queue_lost, duplicates, one_way_flows, aggregated,"
        " not_ip, fragments, handled, event FROM health_span"},
    {6, "ALTER TABLE health_span ADD COLUMN shed_cut INTEGER;"
        "ALTER TABLE health_span ADD COLUMN shed_dropped INTEGER;"
        "DROP VIEW health;"
        "CREATE VIEW health AS SELECT run_id, interface,"
        " strftime('%Y-%m-%dT%H:%M:%S', from_us / 1000000, 'unixepoch')"
        " || printf('.%06dZ', from_us % 1000000) AS from_time,"
        " strftime('%Y-%m-%dT%H:%M:%S', to_us / 1000000, 'unixepoch')"
        " || printf('.%06dZ', to_us % 1000000) AS to_time,"
        " packets, bytes, kernel_drops, nic_drops, ring_drops, decode_errors, table_evictions,"
        " stream_gaps, queue_lost, duplicates, one_way_flows, aggregated,"
        " not_ip, fragments, handled, event, shed_cut, shed_dropped FROM health_span"},
    {7, schema_step_attempts},
};

const struct schema schema_edgewatch = {
    .application_id = 0x45576462, /* "EWdb" */
    .version = 7,
    .fresh = schema_text,
    .steps = steps,
    .n_steps = sizeof steps / sizeof *steps,
};
