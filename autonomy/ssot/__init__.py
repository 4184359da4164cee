"""Task files: one file a task, readable by people, the only truth about it. No database is known here."""
