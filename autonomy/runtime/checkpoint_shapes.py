"""Between LangGraph's shapes (configs, tuples) and ours."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple, get_checkpoint_id

from autonomy.runtime import checkpoint_lookup as lookup
from autonomy.runtime.checkpoint_heads import Key

LONGEST_ERROR = 4000
"""Characters kept of the text of an exception."""


def describe(error: BaseException) -> str:
    """An exception as the text that is stored for it; exceptions themselves are never stored."""
    return repr(error)[:LONGEST_ERROR].encode("utf-8", "backslashreplace").decode()


def key_of(config: RunnableConfig) -> Key:
    """The thread and namespace that a config speaks of."""
    configurable = config["configurable"]
    return configurable["thread_id"], configurable.get("checkpoint_ns") or ""


def config_of(key: Key, name: str) -> RunnableConfig:
    """The config that names a checkpoint."""
    return {"configurable": {"thread_id": key[0], "checkpoint_ns": key[1], "checkpoint_id": name}}


def wanted(
    config: RunnableConfig | None, filter: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None
) -> lookup.Wanted:
    """What a listing is asked for."""
    asked = config["configurable"] if config else {}
    until = get_checkpoint_id(before) if before else None
    return lookup.Wanted(
        asked.get("thread_id"), asked.get("checkpoint_ns"), asked.get("checkpoint_id"), until, filter or {}, limit
    )


def tuple_of(key: Key, found: lookup.Loaded) -> CheckpointTuple:
    """A loaded checkpoint as LangGraph takes it."""
    state = found.state
    assert state.row is not None
    return CheckpointTuple(
        config_of(key, state.row.name),
        cast(Checkpoint, state.checkpoint()),
        cast(CheckpointMetadata, state.metadata()),
        None if found.parent is None else config_of(key, found.parent),
        found.pending,
    )
