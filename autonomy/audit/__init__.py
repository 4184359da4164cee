"""The audit log: append-only, hash-chained lines of what was done, by whom, for which task."""
