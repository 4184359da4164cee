"""LangGraph's checkpointer over `storage.Database`: one commit per superstep, on SQLite and PostgreSQL alike.

The task writes of a superstep wait in memory and are folded into the checkpoint that they lead to; those that must not
wait (errors, interrupts, resumes) are stored at once, and those of parallel tasks that are still at work after a moment
(LINGER). What a superstep writes besides its checkpoint comes from `companion` and goes into the same transaction, before
it. Everything is serialised before the first wait, since the next superstep may change it.

`behind=0` (strict) returns from a put when it is durable. `behind=1` returns when the put before it is durable, so at most
one superstep can be lost to a crash; `barrier` waits for the rest, and belongs before every effect and at the end of a run.
A write that fails surfaces in the thread's next call and makes the cached head void: the next delta never lacks its parent.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.types import ERROR

from autonomy.core.errors import AutonomyError, Unresumable
from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime import checkpoint_lookup as lookup
from autonomy.runtime import checkpoint_rows as rows
from autonomy.runtime import checkpoint_upkeep as upkeep
from autonomy.runtime.bell import Bell
from autonomy.runtime.checkpoint_heads import Head, Key, Pending, Work
from autonomy.runtime.checkpoint_shapes import config_of, describe, key_of, tuple_of, wanted
from autonomy.runtime.serializer import Serializer
from autonomy.storage.database import Database

LINGER_S = 0.1
"""How long, once to twice, a finished task's writes may wait in memory for its siblings: far above the moment that a put
needs, far below what is worth to be done again after a crash."""
MOST_HEADS = 1024
"""Threads remembered at once; the least lately used idle one is forgotten, and then read again when it is needed."""

Companion = Callable[[str], Work | None]
"""thread id -> what the superstep writes besides its checkpoint, handed over at the moment of the put; or, as the saver's
`fence`, what must hold before task writes are stored without a checkpoint (it raises LeaseLost)."""


class SqlSaver(BaseCheckpointSaver[int]):
    """See the module. `fingerprint` and `state_version` are stored in each checkpoint; `check` compares them.

    Errors: Unserializable (on save, naming the path), CorruptState (on load, naming thread, checkpoint and channel),
    LeaseLost (another process has written to the thread), StorageError (the database refused).
    """

    def __init__(
        self,
        database: Database,
        *,
        fingerprint: str = "",
        state_version: int = 0,
        companion: Companion | None = None,
        fence: Companion | None = None,
        behind: int = 0,
    ) -> None:
        super().__init__(serde=Serializer())
        if behind not in (0, 1):
            raise ValueError("behind is 0 (strict) or 1")
        self._database = database
        self._stamp = codec.Stamp(fingerprint, state_version)
        self._companion = companion
        self._fence = fence
        self._behind = behind
        # Held for moments only, never while waiting; the writer thread takes it when a write has failed.
        self._lock = threading.RLock()
        self._heads: dict[Key, Head] = {}
        self._failures: dict[Key, BaseException] = {}
        self._sweeping = False
        self._sweeper: asyncio.AbstractEventLoop | None = None
        self._bell: Bell | None = None

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> SqlSaver:
        """The allowlist is fixed; a graph cannot widen it."""
        return self

    # -- saving -----------------------------------------------------------------------------------

    def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Store a checkpoint; see `aput`."""
        head, awaited = self._put(config, checkpoint, metadata, new_versions)
        self._wait(head, awaited)
        return config_of(head.key, checkpoint["id"])

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Store a checkpoint with its task writes and its companion's writes in one transaction."""
        head, awaited = self._put(config, checkpoint, metadata, new_versions)
        await self._await(head, awaited)
        return config_of(head.key, checkpoint["id"])

    def _put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> tuple[Head, Future[None] | None]:
        """Serialise and queue; returns the write that has to be durable before the caller goes on."""
        key, parent = key_of(config), get_checkpoint_id(config)
        full_metadata = get_checkpoint_metadata(config, metadata)
        with self._lock:
            head = self._head(key)
            pending = head.pending.get(parent) if parent is not None else None
            encoded = codec.encode(
                checkpoint,
                full_metadata,
                self._stamp,
                known=head.base(parent),
                new_versions=new_versions,
                writes=() if pending is None else tuple(pending.writes.values()),
            )
            if pending is not None:
                del head.pending[cast(str, parent)]
            run_id = full_metadata.get("run_id")
            extra = self._companion(key[0]) if self._companion is not None and not key[1] else None
            before = head.last
            future = self._submit(head, head.checkpoint(encoded, parent, run_id if isinstance(run_id, str) else None, extra))
            return head, before if self._behind else future

    def put_writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Keep a task's writes; see `aput_writes`."""
        head, future = self._put_writes(config, writes, task_id, task_path, None)
        self._wait(head, future)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep a task's writes for the next put of their thread. Returns at once (a put may wait for this), except for
        errors, interrupts and resumes, which are durable on return."""
        head, future = self._put_writes(config, writes, task_id, task_path, asyncio.get_running_loop())
        if future is not None:
            await self._await(head, future)

    def _put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
        loop: asyncio.AbstractEventLoop | None,
    ) -> tuple[Head, Future[None] | None]:
        key, name = key_of(config), config["configurable"]["checkpoint_id"]
        with self._lock:
            if (
                key in self._failures
            ):  # LangGraph does not wait for this call: the failure stays for the put that it does wait for
                raise self._failures[key]
            head = self._head(key)
            waiting = head.pending.get(name)
            if waiting is None:
                waiting = head.pending[name] = Pending(None if self._fence is None else self._fence(key[0]))
            pending = waiting.writes
            urgent = False
            for n, (channel, value) in enumerate(writes):
                index = WRITES_IDX_MAP.get(channel, n)
                urgent = urgent or index < 0
                if index >= 0 and (task_id, index) in pending:
                    continue
                if channel == ERROR and isinstance(value, BaseException):
                    value = describe(value)
                pending[task_id, index] = codec.write_of(task_id, task_path, index, channel, value)
            if urgent:
                return head, self._flush(head, name)
            if not self._sweeping or self._sweeper is not loop:
                self._arm(loop)
            return head, None

    def _flush(self, head: Head, name: str) -> Future[None]:
        """Store the waiting writes of one checkpoint in a row of their own."""
        pending = head.pending.pop(name)
        data = codec.encode_writes(name, tuple(pending.writes.values()))
        return self._submit(head, head.writes(name, data, pending.fence))

    def _arm(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Have `_sweep` look after waiting writes in a moment: in the event loop that writes, or in a timer's thread (whose
        start costs too much for the usual way). One timer serves all threads of the saver."""
        self._sweeping, self._sweeper = True, loop
        if loop is not None:
            loop.call_later(LINGER_S, self._sweep, loop)
            return
        timer = threading.Timer(LINGER_S, self._sweep, (None,))
        timer.daemon = True
        timer.start()

    def _sweep(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Store what waited already at the last sweep, in threads that stand still; look again while anything waits."""
        with self._lock:
            self._sweeping = False
            for head in tuple(self._heads.values()):
                for name, pending in tuple(head.pending.items()):
                    # Where rows came in between, the thread is on its way and its next put will take these along.
                    if pending.seen_at == head.number:
                        self._flush_quietly(head, name)
                    pending.seen_at = head.number
            if any(head.pending for head in self._heads.values()):
                self._arm(loop)

    def _flush_quietly(self, head: Head, name: str) -> None:
        try:
            self._flush(head, name)
        except AutonomyError as error:
            self._fail(head, head.number, error)

    # -- reading ----------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """A checkpoint with its pending writes: the one named in the config, else the newest. Raises CorruptState."""
        key, name = key_of(config), get_checkpoint_id(config)
        self._settle(key)
        before = self._mark(key)
        found = self._database.read(lambda tx: lookup.load(tx, key, name))
        return self._hand_out(key, name, found, before)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """A checkpoint with its pending writes: the one named in the config, else the newest. Raises CorruptState."""
        key, name = key_of(config), get_checkpoint_id(config)
        await self._asettle(key)
        before = self._mark(key)
        found = await self._database.aread(lambda tx: lookup.load(tx, key, name))
        return self._hand_out(key, name, found, before)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first. `filter` compares metadata values for equality, in Python: no key reaches the SQL."""
        asked = wanted(config, filter, before, limit)
        for key in self._keys(asked.thread_id):
            self._settle(key)
        for key, name in asked.narrow(self._database.read(asked.names)):
            found = self._database.read(lambda tx, key=key, name=name: asked.load(tx, key, name))  # type: ignore[misc]
            if found is not None:
                yield tuple_of(key, found)
                if asked.enough():
                    return

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """See `list`. No cursor stays open between two checkpoints."""
        asked = wanted(config, filter, before, limit)
        for key in self._keys(asked.thread_id):
            await self._asettle(key)
        for key, name in asked.narrow(await self._database.aread(asked.names)):
            found = await self._database.aread(lambda tx, key=key, name=name: asked.load(tx, key, name))  # type: ignore[misc]
            if found is not None:
                yield tuple_of(key, found)
                if asked.enough():
                    return

    def _mark(self, key: Key) -> tuple[Head | None, int]:
        with self._lock:
            head = self._heads.get(key)
            return head, 0 if head is None else head.number

    def _hand_out(
        self, key: Key, name: str | None, found: lookup.Loaded | None, before: tuple[Head | None, int]
    ) -> CheckpointTuple | None:
        """The tuple; and the head is set on what was read, unless the thread has moved meanwhile."""
        result = None if found is None else tuple_of(key, found)
        with self._lock:
            if name is None and self._mark(key) == before:
                head = before[0]
                if found is None:
                    if head is None:
                        self._remember(Head(key, empty=True))
                elif head is None or not head.stands_at(found.state, found.last):
                    assert result is not None
                    self._remember(Head.at(key, found.state, found.last, result.checkpoint["channel_values"]))
        return result

    # -- deleting, copying, pruning -----------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint and write of a thread."""
        self._settle_thread(thread_id)
        self._database.write(lambda tx: upkeep.delete_thread(tx, thread_id))
        self._forget(thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint and write of a thread."""
        await self.barrier(thread_id)
        await self._database.awrite(lambda tx: upkeep.delete_thread(tx, thread_id))
        self._forget(thread_id)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, and their writes."""
        self._settle_thread(None)
        self._database.write(lambda tx: upkeep.delete_for_runs(tx, run_ids))
        self._forget(None)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, and their writes."""
        await self.barrier(None)
        await self._database.awrite(lambda tx: upkeep.delete_for_runs(tx, run_ids))
        self._forget(None)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes into a thread that has none. Raises InvalidInput."""
        self._settle_thread(source_thread_id)
        self._database.write(lambda tx: upkeep.copy_thread(tx, source_thread_id, target_thread_id))
        self._forget(target_thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes into a thread that has none. Raises InvalidInput."""
        await self.barrier(source_thread_id)
        await self._database.awrite(lambda tx: upkeep.copy_thread(tx, source_thread_id, target_thread_id))
        self._forget(target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`keep_latest` keeps the newest checkpoint of each namespace, `delete` none. Raises InvalidInput."""
        for thread_id in thread_ids:
            self._settle_thread(thread_id)
            self._database.write(lambda tx, thread_id=thread_id: upkeep.prune(tx, thread_id, strategy))  # type: ignore[misc]
            self._forget(thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`keep_latest` keeps the newest checkpoint of each namespace, `delete` none. Raises InvalidInput."""
        for thread_id in thread_ids:
            await self.barrier(thread_id)
            await self._database.awrite(lambda tx, thread_id=thread_id: upkeep.prune(tx, thread_id, strategy))  # type: ignore[misc]
            self._forget(thread_id)

    # -- what the engine asks besides -----------------------------------------------------------------

    async def barrier(self, thread_id: str | None) -> None:
        """Wait until everything of a thread (of all threads for None) is durable; raises what failed."""
        for key in self._keys(thread_id):
            await self._asettle(key)

    def check(self, thread_id: str) -> None:
        """Raises Unresumable, saying why, when the thread's newest checkpoint is of another graph or state version."""
        meta = self._database.read(lambda tx: rows.latest_meta(tx, thread_id))
        if meta is None:
            return
        if meta.state_version != self._stamp.state_version:
            raise Unresumable(
                f"run {thread_id} has state version {meta.state_version}, this release {self._stamp.state_version}",
                "Finish it with the release that began it, or start it again.",
            )
        if meta.fingerprint != self._stamp.fingerprint:
            raise Unresumable(
                f"run {thread_id} has graph {meta.fingerprint or 'none'}, this release {self._stamp.fingerprint or 'none'}",
                "Finish it with the release that began it, or start it again.",
            )

    # -- heads, failures, waiting -------------------------------------------------------------------

    def _head(self, key: Key) -> Head:
        """The thread's head, made where it is not known; raises what an earlier write of the thread failed with."""
        self._raise_failure(key)
        head = self._heads.get(key)
        return self._remember(Head(key) if head is None else head)

    def _remember(self, head: Head) -> Head:
        """Keep the head as the one lately used, and forget an idle one where there are too many."""
        self._heads.pop(head.key, None)
        self._heads[head.key] = head
        if len(self._heads) > MOST_HEADS:
            idle = next((each for each in self._heads.values() if each.idle() and each is not head), None)
            if idle is not None:
                del self._heads[idle.key]
        return head

    def _keys(self, thread_id: str | None) -> tuple[Key, ...]:
        with self._lock:
            return tuple(key for key in {**self._heads, **self._failures} if thread_id is None or key[0] == thread_id)

    def _forget(self, thread_id: str | None) -> None:
        """Rows were taken away or rewritten: what is known of them no longer holds."""
        with self._lock:
            for key in self._keys(thread_id):
                self._heads.pop(key, None)

    def _submit(self, head: Head, write: Work) -> Future[None]:
        future = self._database.submit(write)
        head.last = future
        future.add_done_callback(functools.partial(self._settled, head, head.number))
        return future

    def _settled(self, head: Head, number: int, future: Future[None]) -> None:
        error = future.exception()
        if error is not None:
            self._fail(head, number, error)

    def _fail(self, head: Head, number: int, error: BaseException) -> None:
        """Make the head void, and keep the first error for the thread's next call."""
        with self._lock:
            head.broken = number if head.broken is None else min(number, head.broken)
            if self._heads.get(head.key) is head:
                del self._heads[head.key]
            if not head.failed:
                head.failed = True
                self._failures[head.key] = error

    def _raise_failure(self, key: Key) -> None:
        with self._lock:
            error = self._failures.pop(key, None)
        if error is not None:
            raise error

    def _surface(self, head: Head, future: Future[None]) -> None:
        """Raise what a write that is done failed with. (Its callback may not have run yet.)"""
        error = future.exception()
        if error is not None:
            self._fail(head, head.number, error)
            self._raise_failure(head.key)

    def _wait(self, head: Head, future: Future[None] | None) -> None:
        if future is not None:
            wait((future,))
            self._surface(head, future)

    async def _await(self, head: Head, future: Future[None] | None) -> None:
        """Wait for a write. A cancelled wait does not take the write back."""
        if future is None:
            return
        if not future.done():
            loop = asyncio.get_running_loop()
            if self._bell is None or self._bell.loop is not loop:
                self._bell = Bell(loop)
            await self._bell.wait(future)
        self._surface(head, future)

    def _flush_all(self, key: Key) -> tuple[Head, Future[None] | None] | None:
        with self._lock:
            self._raise_failure(key)
            head = self._heads.get(key)
            if head is None:
                return None
            for name in tuple(head.pending):
                self._flush(head, name)
            return head, head.last

    def _settle(self, key: Key) -> None:
        """Store what waits and wait for it."""
        under_way = self._flush_all(key)
        if under_way is not None:
            self._wait(*under_way)

    async def _asettle(self, key: Key) -> None:
        under_way = self._flush_all(key)
        if under_way is not None:
            await self._await(*under_way)

    def _settle_thread(self, thread_id: str | None) -> None:
        for key in self._keys(thread_id):
            self._settle(key)
