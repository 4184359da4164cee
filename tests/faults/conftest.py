"""The fixtures of this room stand in `tests.stage`."""

from tests.stage import _read, commands, fresh, on_sqlite, server, workspace

__all__ = ["_read", "commands", "fresh", "on_sqlite", "server", "workspace"]
