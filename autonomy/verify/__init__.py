"""Acceptance phases: black boxes over a running server, with figures."""
