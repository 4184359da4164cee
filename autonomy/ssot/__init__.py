"""Task files that people read: one schema, one status engine, atomic writes, the protocol of work and review."""
