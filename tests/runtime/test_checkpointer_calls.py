"""The checkpointer's methods called by hand, in orders that a graph seldom or never brings about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langgraph.checkpoint.serde.types import INTERRUPT

from autonomy.core.errors import LeaseLost, StorageError
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database, Tx
from autonomy.storage.gather import Row
from tests.runtime.graphs import rows_of


def at(name: str | None = None) -> Any:
    configurable = {"thread_id": "t", "checkpoint_ns": ""}
    return {"configurable": configurable if name is None else {**configurable, "checkpoint_id": name}}


def made(name: str, version: int = 1, **values: Any) -> Any:
    return {
        "v": 4,
        "ts": "2026-01-01T00:00:00+00:00",
        "id": name,
        "channel_values": values,
        "channel_versions": dict.fromkeys(values, version),
        "versions_seen": {},
        "updated_channels": None,
    }


async def values(saver: SqlSaver, config: Any) -> dict[str, Any] | None:
    found = await saver.aget_tuple(config)
    return None if found is None else found.checkpoint["channel_values"]


class Held:
    """Keeps the writer thread busy until it is released, so that what is put meanwhile is committed together."""

    def __init__(self, database: Database) -> None:
        self._release = threading.Event()
        self._begun = threading.Event()
        self._future = database.submit(self._hold)
        self._begun.wait(20)

    def _hold(self, tx: Tx) -> None:
        self._begun.set()
        self._release.wait(20)

    def release(self) -> None:
        self._release.set()
        self._future.result(20)


async def test_the_newest_checkpoint_is_the_one_with_the_highest_name(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("2", a="second"), {"step": 2}, {"a": 1})
    await saver.aput(at(), made("1", a="first"), {"step": 1}, {"a": 1})
    assert await values(saver, at()) == {"a": "second"}
    assert await values(SqlSaver(database), at()) == {"a": "second"}
    assert [each.checkpoint["id"] async for each in saver.alist(at())] == ["2", "1"]


async def test_a_checkpoint_that_is_put_twice_counts_as_last_put(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("1", a="old"), {"step": 1}, {"a": 1})
    await saver.aput(at(), made("1", a="new"), {"step": 1}, {"a": 1})
    assert await values(saver, at()) == {"a": "new"}
    assert len([each async for each in saver.alist(at())]) == 1


async def test_a_channel_whose_version_moved_is_stored_also_when_it_is_not_announced(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("1", a=1), {"step": 1}, {"a": 1})
    await saver.aput(at("1"), made("2", 2, a=2), {"step": 2}, {})
    assert await values(SqlSaver(database), at()) == {"a": 2}


async def test_the_first_word_of_a_task_counts_and_the_last_of_a_special_channel(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("1"), {"step": 1}, {})
    for word in ("first", "second"):
        await saver.aput_writes(at("1"), [("notes", word), (INTERRUPT, word)], "task")
        await saver.barrier("t")
    found = await SqlSaver(database).aget_tuple(at())
    assert found is not None
    assert found.pending_writes == [("task", INTERRUPT, "second"), ("task", "notes", "first")]


async def test_pending_writes_come_in_the_order_in_which_tasks_are_applied(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("1"), {"step": 1}, {})
    for path in ("c", "a", "b"):
        await saver.aput_writes(at("1"), [("notes", f"{path}0"), ("more", f"{path}1")], f"task {path}", path)
    found = await saver.aget_tuple(at())
    assert found is not None
    assert [write[2] for write in found.pending_writes or []] == ["a0", "a1", "b0", "b1", "c0", "c1"]


async def test_writes_that_come_before_their_checkpoint_wait_for_it(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput_writes(at("1"), [("notes", "early"), (INTERRUPT, "urgent")], "task")
    assert await values(saver, at()) is None
    await saver.aput(at(), made("1", a=1), {"step": 1}, {"a": 1})
    found = await SqlSaver(database).aget_tuple(at())
    assert found is not None
    assert [write[2] for write in found.pending_writes or []] == ["urgent", "early"]


@pytest.mark.parametrize("snapshots", [False, True])
async def test_nothing_is_stored_on_top_of_a_put_that_fails_in_the_same_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch, snapshots: bool
) -> None:
    if snapshots:
        monkeypatch.setattr("autonomy.runtime.checkpoint_heads.SNAPSHOT_FACTOR", 0)
        monkeypatch.setattr("autonomy.runtime.checkpoint_heads.SNAPSHOT_SLACK", -1)
    refusing: list[bool] = []

    def companion(thread_id: str) -> Callable[[Tx], None]:
        bad = bool(refusing and refusing.pop())

        def write(tx: Tx) -> None:
            tx.run("INSERT INTO lane (user_id) SELECT 'n' || count(*) FROM lane")
            if bad:
                raise StorageError("the disk said no", "")

        return write

    saver = SqlSaver(database, companion=companion, behind=1)
    await saver.aput(at(), made("1", a=1), {"step": 1}, {"a": 1})
    await saver.barrier("t")
    held = Held(database)
    refusing.append(True)
    await saver.aput(at("1"), made("2", 2, a=2), {"step": 2}, {"a": 2})
    third = asyncio.create_task(saver.aput(at("2"), made("3", 3, a=3), {"step": 3}, {"a": 3}))
    await asyncio.sleep(0)
    held.release()
    with pytest.raises(StorageError, match="the disk said no"):
        await third
    assert [row["checkpoint_id"] for row in rows_of(database)] == ["1"]
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM lane")) == 1
    # Without reading first: the head that failed is void, and a sound one takes its place.
    await saver.aput(at("1"), made("4", 2, a=4), {"step": 2}, {"a": 2})
    await saver.barrier("t")
    assert await values(SqlSaver(database), at()) == {"a": 4}


def of(thread_id: str, name: str | None = None) -> Any:
    """`at`, of another thread."""
    return {"configurable": {**at(name)["configurable"], "thread_id": thread_id}}


@pytest.mark.parametrize("harm", ["none", "row taken", "parent gone"])
async def test_checkpoints_of_many_threads_share_a_commit_and_only_an_overtaken_one_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    saver, threads = SqlSaver(database), [f"t{n}" for n in range(8)]
    for each in threads:
        await saver.aput(of(each), made("1", a=each), {"step": 1}, {"a": 1})
    third = next(row for row in rows_of(database) if row["id"] >> 32 == 3)
    if harm == "row taken":
        sql = "INSERT INTO checkpoint (id, thread, checkpoint_id, root, kind, data) VALUES (:id, 3, '9', :id, 1, :data)"
        database.write(lambda tx: tx.run(sql, id=third["id"] + 1, data=b"another's"))
    elif harm == "parent gone":
        database.write(lambda tx: tx.run("DELETE FROM checkpoint WHERE id = :id", id=third["id"]))
    before, stored = database.commits, len(rows_of(database))
    gathered: list[int] = []
    gather = Tx.gather

    def count(tx: Tx, group: Sequence[Row]) -> None:
        gathered.append(len(group))
        gather(tx, group)

    monkeypatch.setattr(Tx, "gather", count)
    held = Held(database)
    puts = [asyncio.create_task(saver.aput(of(each, "1"), made("2", 2, a=2), {"step": 2}, {"a": 2})) for each in threads]
    await asyncio.sleep(0)
    held.release()
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, LeaseLost)]
    assert failed == ([] if harm == "none" else [2])
    assert gathered == [8]
    assert database.commits == before + 2  # the one that held the writer, and theirs
    assert len(rows_of(database)) == stored + 8 - len(failed)
    monkeypatch.undo()
    for n, each in enumerate(threads):
        if n not in failed:
            assert await values(SqlSaver(database), of(each)) == {"a": 2}


async def test_a_thread_that_was_deleted_and_begun_anew_by_another_is_not_gone_on_with(database_url: str) -> None:
    with Database(database_url, grow_wal=False) as mine, Database(database_url, grow_wal=False) as theirs:
        saver, other = SqlSaver(mine), SqlSaver(theirs)
        await saver.aput(at(), made("1", a=1), {"step": 1}, {"a": 1})
        await other.adelete_thread("t")
        await other.aput(at(), made("9", a=9), {"step": 1}, {"a": 1})
        with pytest.raises(LeaseLost):
            await saver.aput(at("1"), made("2", 2, a=2), {"step": 2}, {"a": 2})
        assert await values(saver, at()) == {"a": 9}


async def test_a_failed_linger_surfaces_in_the_next_put_and_not_before(database: Database) -> None:
    saver = SqlSaver(database)
    await saver.aput(at(), made("1", a=1), {"step": 1}, {"a": 1})
    database.write(lambda tx: tx.run("DELETE FROM checkpoint"))
    database.write(lambda tx: tx.run("DELETE FROM thread"))
    with pytest.raises(LeaseLost):
        await saver.aput(at("1"), made("2", 2, a=2), {"step": 2}, {"a": 2})
    await saver.aput(at(), made("3", a=3), {"step": 1}, {"a": 1})
    assert await values(saver, at()) == {"a": 3}


async def test_many_threads_are_forgotten_and_found_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomy.runtime.checkpointer_sql.MOST_HEADS", 4)
    saver = SqlSaver(database)
    for step in range(3):
        for n in range(10):
            config = {"configurable": {"thread_id": f"t{n}", "checkpoint_ns": ""}}
            parent = {"configurable": {**config["configurable"], "checkpoint_id": str(step - 1)}} if step else config
            await saver.aput(parent, made(str(step), step + 1, a=[n] * step), {"step": step}, {"a": step + 1})  # type: ignore[arg-type]
    assert len(saver._heads) <= 4
    for n in range(10):
        assert await values(saver, {"configurable": {"thread_id": f"t{n}"}}) == {"a": [n, n]}
