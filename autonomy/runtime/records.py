"""A run's rows and files as its nodes see them: writes join the superstep, reads see them at once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from autonomy.core.clock import new_id
from autonomy.core.errors import StorageError
from autonomy.runtime.unit import Unit
from autonomy.storage.artifacts import Staged, inside, stage
from autonomy.storage.database import Database, Tx


def dumps(value: Any) -> str:
    """JSON as it stands in TEXT columns: one form for one value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class RunRecords:
    """Implements `agents.context.Records`. Each kind is read once; later reads come from memory.

    A worker that takes the run over makes a new one, so nothing outlives the lease it was read under.
    """

    def __init__(self, database: Database, unit: Unit) -> None:
        self._database = database
        self._unit = unit
        self._kinds: dict[str, dict[str, tuple[int, str]]] = {}

    def _kind(self, kind: str) -> dict[str, tuple[int, str]]:
        found = self._kinds.get(kind)
        if found is None:
            run_id = self._unit.run_id
            sql = "SELECT key, number, body FROM record WHERE run_id = :run AND kind = :kind"
            rows = self._database.read(lambda tx: tx.tuples(sql, run=run_id, kind=kind))
            found = self._kinds[kind] = {key: (number, body) for key, number, body in rows}
        return found

    def forget(self) -> None:
        """Drop what a failed try has put; the next read comes from the table."""
        self._kinds.clear()

    def put(self, kind: str, key: str, body: Any, number: int = 0) -> None:
        """Write or overwrite one row."""
        text = dumps(body)
        self._kind(kind)[key] = (number, text)
        run_id = self._unit.run_id

        def write(tx: Tx) -> None:
            tx.run(
                "INSERT INTO record (run_id, kind, key, number, body, created_at) "
                "VALUES (:run, :kind, :key, :number, :body, now_us()) "
                "ON CONFLICT (run_id, kind, key) DO UPDATE SET number = excluded.number, body = excluded.body",
                run=run_id,
                kind=kind,
                key=key,
                number=number,
                body=text,
            )

        self._unit.add(write)

    def drop(self, kind: str, key: str) -> None:
        """Remove one row; nothing happens when there is none."""
        self._kind(kind).pop(key, None)
        run_id = self._unit.run_id

        def write(tx: Tx) -> None:
            tx.run("DELETE FROM record WHERE run_id = :run AND kind = :kind AND key = :key", run=run_id, kind=kind, key=key)

        self._unit.add(write)

    def get(self, kind: str, key: str) -> Any | None:
        """One body, or None."""
        found = self._kind(kind).get(key)
        return None if found is None else json.loads(found[1])

    def number(self, kind: str, key: str) -> int:
        """The place given when the row was put; 0 where there is none."""
        return self._kind(kind).get(key, (0, ""))[0]

    def keys(self, kind: str) -> list[str]:
        """Keys by number, then key."""
        rows = self._kind(kind)
        return sorted(rows, key=lambda key: (rows[key][0], key))

    def all(self, kind: str) -> list[Any]:
        """Bodies by number, then key."""
        rows = self._kind(kind)
        return [json.loads(rows[key][1]) for key in self.keys(kind)]


class RunArtifacts:
    """Implements `agents.context.Artifacts`: the bytes first, under a name of their own; their name, row and event with the
    superstep.

    The rename stands inside the superstep's transaction, behind its fence, while the run's row is locked: whoever was
    overtaken renames nothing. One case is left, on PostgreSQL: a worker frozen in that transaction until the server gives
    it up, and woken after another has delivered. So each holder begins by taking away what earlier epochs have staged
    (`sweep`); the late rename then finds nothing to rename.
    """

    def __init__(self, home: Path, unit: Unit, database: Database | None = None) -> None:
        self._home = home
        self._unit = unit
        self._database = database
        self._staged: list[Staged] = []

    @property
    def folder(self) -> Path:
        """The run's artifact folder; it may not exist yet."""
        return self._home / "artifacts" / self._unit.run_id

    def sweep(self) -> None:
        """Take away what earlier holders have staged and not published; before anything else is done under the lease."""
        for path in self.folder.glob(".*.part"):
            epoch = path.name.split(".")[1]
            if epoch.isdecimal() and int(epoch) < self._unit.epoch:
                with contextlib.suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        """Take away what was staged for a step that did not come to its end."""
        for staged in self._staged:
            staged.discard()

    def put(self, name: str, data: bytes, *, role: str, media_type: str) -> str:
        """Stage `artifacts/{run_id}/{name}`, to stand there with the superstep; returns the sha256 in hex. Whoever may read
        the workspace may read it: it is there to be handed over.

        With a database, an overtaken worker is told at once: raises LeaseLost.
        """
        if self._database is not None:
            self._database.read(self._unit.fence)
        run_id = self._unit.run_id
        relative = f"artifacts/{run_id}/{name}"
        path, prefix = inside(self.folder, name), f".{self._unit.epoch}."
        staged = stage(path, data, folder=self.folder, prefix=prefix, suffix=".part", private=False)
        self._staged.append(staged)
        artifact_id = new_id()

        def write(tx: Tx) -> None:
            if not staged.publish():
                self._unit.fence(tx)
                raise StorageError(f"the staged file of {relative} was taken away", "Resume the run.")
            tx.run(
                "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
                "VALUES (:id, :run, :role, :path, :media, :sha, :size, now_us()) ON CONFLICT (run_id, path) DO UPDATE "
                "SET role = excluded.role, media_type = excluded.media_type, sha256 = excluded.sha256, size = excluded.size",
                id=artifact_id,
                run=run_id,
                role=role,
                path=relative,
                media=media_type,
                sha=staged.sha256,
                size=len(data),
            )

        self._unit.add(write)
        told = {"path": relative, "role": role, "media_type": media_type, "sha256": staged.sha256, "size": len(data)}
        self._unit.emit("artifact.created", told)
        return staged.sha256
