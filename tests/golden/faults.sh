#!/bin/bash
# A sample of the failures that `make faults` makes happen: calls that fail in the middle of a run.
# needs: sqlite3
cd "$(dirname "$0")/../.." || exit 1
exec tests/faults/run.sh sample read import report
