"""Autonomy: durable document agents over one SQL database."""

__version__ = "0.1.0"
