"""Which deliveries have had their effect, and how far the reading of a bot's updates has come."""

from __future__ import annotations

from autonomy.storage.database import Database, Tx

LONGEST = 128
"""Characters of a delivery's id."""


def record(database: Database, source: str, delivery_id: str, effect: str) -> bool:
    """Keep a delivery's id for ever; False if it was kept before."""
    sql = (
        "INSERT INTO delivery (source, delivery_id, effect, received_at) VALUES (:source, :id, :effect, now_us()) "
        "ON CONFLICT (source, delivery_id) DO NOTHING"
    )

    def keep(tx: Tx) -> int:
        return tx.run(sql, source=source, id=delivery_id, effect=effect)

    return database.write(keep) == 1


def recorded(database: Database, source: str, delivery_id: str) -> bool:
    """Whether a delivery has had its effect."""
    sql = "SELECT 1 FROM delivery WHERE source = :source AND delivery_id = :id"
    return database.read(lambda tx: tx.value(sql, source=source, id=delivery_id)) is not None


def cursor(database: Database, name: str) -> int:
    """Where to go on; 0 at the beginning."""
    return int(database.read(lambda tx: tx.value("SELECT value FROM cursor WHERE name = :name", name=name)) or 0)


def keep_cursor(database: Database, name: str, value: int) -> None:
    """Go on from there next time; never backwards."""
    sql = (
        "INSERT INTO cursor (name, value, updated_at) VALUES (:name, :value, now_us()) ON CONFLICT (name) DO UPDATE "
        "SET value = excluded.value, updated_at = excluded.updated_at WHERE cursor.value < excluded.value"
    )
    database.write(lambda tx: tx.run(sql, name=name, value=value))
