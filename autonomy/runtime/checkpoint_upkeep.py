"""Deleting, copying and pruning threads: the only place that rewrites checkpoint rows.

A checkpoint that loses its parent becomes a snapshot in its own row (its id stays, so whoever counts on the thread's
numbers is not misled) and keeps its parent's name.
"""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.core.errors import InvalidInput
from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime import checkpoint_rows as rows
from autonomy.storage.database import Tx


def delete_thread(tx: Tx, thread_id: str) -> None:
    """Take away a thread with all its namespaces."""
    threads = "SELECT id FROM thread WHERE thread_id = :thread_id"
    tx.run(f"DELETE FROM checkpoint WHERE thread IN ({threads})", thread_id=thread_id)
    tx.run("DELETE FROM thread WHERE thread_id = :thread_id", thread_id=thread_id)


def copy_thread(tx: Tx, source: str, target: str) -> None:
    """Copy all rows under new ids. Raises InvalidInput where the target has rows."""
    if tx.value("SELECT 1 FROM thread WHERE thread_id = :target LIMIT 1", target=target) is not None:
        raise InvalidInput(f"thread {target} exists already", "Copy into a new thread.")
    for thread, ns in tx.tuples("SELECT id, ns FROM thread WHERE thread_id = :source", source=source):
        copy = rows.open_thread(tx, target, ns)
        tx.run(
            "INSERT INTO checkpoint (id, thread, checkpoint_id, parent, parent_id, root, kind, run_id, data) "
            "SELECT id + :shift, :copy, checkpoint_id, parent + :shift, parent_id, root + :shift, kind, run_id, data "
            "FROM checkpoint WHERE thread = :thread",
            shift=(copy - thread) << 32,
            copy=copy,
            thread=thread,
        )


def delete_for_runs(tx: Tx, run_ids: Sequence[str]) -> None:
    """Take away the checkpoints of these runs; what stands on top of them stays readable."""
    doomed: dict[int, set[int]] = {}
    for run_id in set(run_ids):
        for thread, row in tx.tuples("SELECT thread, id FROM checkpoint WHERE run_id = :run_id", run_id=run_id):
            doomed.setdefault(thread, set()).add(row)
    for thread, ids in doomed.items():
        _take_away(tx, thread, ids)


def prune(tx: Tx, thread_id: str, strategy: str) -> None:
    """`keep_latest` or `delete`. A thread whose graph rebuilds channels from its ancestors' writes is left whole."""
    if strategy not in ("keep_latest", "delete"):
        raise InvalidInput(f"no such way to prune: {strategy!r}", "Use 'keep_latest' or 'delete'.")
    if strategy == "delete":
        delete_thread(tx, thread_id)
        return
    for (thread,) in tx.tuples("SELECT id FROM thread WHERE thread_id = :thread_id", thread_id=thread_id):
        newest = rows.find(tx, thread)
        if newest is None or codec.header(newest, thread_id)[0].get("counters_since_delta_snapshot"):
            continue
        found = tx.tuples(
            "SELECT id FROM checkpoint WHERE thread = :thread AND kind < 2 AND id <> :id", thread=thread, id=newest.id
        )
        _take_away(tx, thread, {each for (each,) in found})


def _take_away(tx: Tx, thread: int, doomed: set[int]) -> None:
    """Delete checkpoints with the writes on top of them, after those that build on them were made to stand alone."""
    thread_id = str(tx.value("SELECT thread_id FROM thread WHERE id = :thread", thread=thread))
    found = tx.packed(f"SELECT {rows.ROW} FROM checkpoint WHERE thread = :thread AND kind < 2 ORDER BY id", thread=thread)
    every = {each[0]: codec.Row(*each) for each in found}
    for row in every.values():
        # The root of a row above it is only where reading begins: too low a one does no harm.
        if row.id not in doomed and row.parent in doomed:
            _stand_alone(tx, thread_id, row, every[row.parent].name)
    for row_id in doomed:
        tx.run(
            "DELETE FROM checkpoint WHERE thread = :thread AND kind = 2 AND checkpoint_id = :name",
            thread=thread,
            name=every[row_id].name,
        )
        tx.run("DELETE FROM checkpoint WHERE id = :id", id=row_id)


def _stand_alone(tx: Tx, thread_id: str, row: codec.Row, parent: str) -> None:
    state = rows.replay(tx, thread_id, row)
    encoded = codec.encode(state.checkpoint(), state.metadata(), state.stamp())
    tx.run(
        "UPDATE checkpoint SET kind = 1, root = id, parent = NULL, parent_id = :parent, data = :data WHERE id = :id",
        parent=parent,
        data=encoded.data,
        id=row.id,
    )
