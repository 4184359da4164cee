"""A run's rows and files as its nodes see them: writes join the superstep, reads see them at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autonomy.core.clock import new_id
from autonomy.runtime.unit import Unit
from autonomy.storage.artifacts import inside, write_atomic
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
    """Implements `agents.context.Artifacts`: the file first, whole; then its row and event with the superstep.

    With a database each file asks for the run's fence before it is written: a worker that was frozen past its lease must
    not put its own draft in the place of what another has delivered.
    """

    def __init__(self, home: Path, unit: Unit, database: Database | None = None) -> None:
        self._home = home
        self._unit = unit
        self._database = database

    @property
    def folder(self) -> Path:
        """The run's artifact folder; it may not exist yet."""
        return self._home / "artifacts" / self._unit.run_id

    def put(self, name: str, data: bytes, *, role: str, media_type: str) -> str:
        """Write `artifacts/{run_id}/{name}`; returns the sha256 in hex. Raises LeaseLost."""
        if self._database is not None:
            self._database.read(self._unit.fence)
        run_id = self._unit.run_id
        relative = f"artifacts/{run_id}/{name}"
        sha256 = write_atomic(inside(self.folder, name), data)
        artifact_id = new_id()

        def write(tx: Tx) -> None:
            tx.run(
                "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
                "VALUES (:id, :run, :role, :path, :media, :sha, :size, now_us()) ON CONFLICT (run_id, path) DO UPDATE "
                "SET role = excluded.role, media_type = excluded.media_type, sha256 = excluded.sha256, size = excluded.size",
                id=artifact_id,
                run=run_id,
                role=role,
                path=relative,
                media=media_type,
                sha=sha256,
                size=len(data),
            )

        self._unit.add(write)
        self._unit.emit("artifact.created", {"path": relative, "role": role, "sha256": sha256, "size": len(data)})
        return sha256
