"""The fixtures of this room stand in `tests.stage`."""

from tests.stage import commands, fresh, server, workspace

__all__ = ["commands", "fresh", "server", "workspace"]
