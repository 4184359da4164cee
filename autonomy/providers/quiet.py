"""Keeps other people's loggers and tracers from carrying prompts, URLs or keys out of the process."""

from __future__ import annotations

import logging
import os

_LOGGERS = ("httpx", "httpx2", "httpcore", "httpcore2", "openai")
_TRACERS = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


def quieten() -> None:
    """Raise the HTTP loggers to WARNING (their INFO lines hold whole URLs) and switch inherited tracing off.

    To be called after `openai` is imported: OPENAI_LOG=debug lowers its logger at import.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)
    for variable in _TRACERS:
        os.environ[variable] = "false"
