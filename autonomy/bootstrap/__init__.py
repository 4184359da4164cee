"""The only place where concrete parts are joined, and where settings are read."""
