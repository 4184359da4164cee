"""A run's rows and files: read at once, written with the superstep, never outside the run's own folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.errors import ConfigurationError, InvalidInput
from autonomy.runtime.records import RunArtifacts, RunRecords, dumps
from autonomy.runtime.unit import Unit
from autonomy.storage.database import Database
from tests.runtime.driven import LEASE_US, RUN, count, start, story


def unit() -> Unit:
    return Unit(RUN, epoch=1, lease_us=LEASE_US)


def commit(database: Database, one: Unit) -> None:
    write = one.drain()
    assert write is not None
    database.write(write)


def test_a_record_is_read_before_it_is_written(database: Database) -> None:
    start(database)
    one = unit()
    records = RunRecords(database, one)
    records.put("card", "c1", {"quote": "ä"}, 7)
    assert (records.get("card", "c1"), records.number("card", "c1"), records.keys("card")) == ({"quote": "ä"}, 7, ["c1"])
    assert count(database, "record") == 0
    assert RunRecords(database, unit()).all("card") == []
    commit(database, one)
    assert RunRecords(database, unit()).get("card", "c1") == {"quote": "ä"}


def test_overwriting_and_dropping_reach_the_table(database: Database) -> None:
    start(database)
    one = unit()
    records = RunRecords(database, one)
    for key, number in (("b", 1), ("a", 1), ("z", 0)):
        records.put("card", key, key, number)
    records.put("card", "a", "again", 2)
    records.drop("card", "z")
    records.drop("card", "never")
    expected = ["b", "again"]
    assert records.all("card") == expected
    commit(database, one)
    fresh = RunRecords(database, unit())
    assert (fresh.all("card"), fresh.keys("card"), fresh.get("card", "z")) == (expected, ["b", "a"], None)


def test_what_is_changed_after_reading_or_putting_changes_nothing(database: Database) -> None:
    start(database)
    records, body = RunRecords(database, unit()), {"list": [1]}
    records.put("card", "a", body)
    body["list"].append(2)
    found = records.get("card", "a")
    assert found == {"list": [1]}
    found["list"].append(3)
    assert records.get("card", "a") == {"list": [1]}


def test_runs_do_not_see_each_others_records(database: Database) -> None:
    start(database)
    one = unit()
    RunRecords(database, one).put("card", "a", 1)
    commit(database, one)
    assert RunRecords(database, Unit("other", epoch=1, lease_us=LEASE_US)).all("card") == []


def test_forgetting_goes_back_to_the_table(database: Database) -> None:
    start(database)
    records = RunRecords(database, unit())
    records.put("card", "a", 1)
    records.forget()
    assert records.get("card", "a") is None


@pytest.mark.parametrize("body", [float("nan"), float("inf"), object(), {1, 2}])
def test_a_body_that_is_no_json_is_refused_when_it_is_put(database: Database, body: Any) -> None:
    start(database)
    one = unit()
    with pytest.raises((ValueError, TypeError)):
        RunRecords(database, one).put("card", "a", body)
    assert one.drain() is None


plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,  # the order of keys is the same question at every depth
)


@given(st.dictionaries(st.text(), plain))
def test_one_value_has_one_spelling(value: dict[str, Any]) -> None:
    turned = dict(reversed(list(value.items())))
    assert dumps(value) == dumps(turned)


# -- files ------------------------------------------------------------------------------------------


def test_a_file_gets_its_name_with_its_row(database: Database, tmp_path: Path) -> None:
    start(database)
    one = unit()
    artifacts = RunArtifacts(tmp_path, one)
    sha256 = artifacts.put("sources/s1.txt", b"text", role="source", media_type="text/plain")
    file = tmp_path / "artifacts" / RUN / "sources" / "s1.txt"
    assert sha256 == hashlib.sha256(b"text").hexdigest()
    assert (file.exists(), count(database, "artifact")) == (False, 0)
    commit(database, one)
    assert [path for path in (tmp_path / "artifacts" / RUN).rglob("*") if path.is_file()] == [file]
    assert file.read_bytes() == b"text"
    (row,) = database.read(lambda tx: tx.rows("SELECT * FROM artifact"))
    assert (row["path"], row["role"], row["sha256"], row["size"]) == (f"artifacts/{RUN}/sources/s1.txt", "source", sha256, 4)
    event = story(database)[-1]
    assert (event.type, event.content["path"], event.content["sha256"]) == ("artifact.created", row["path"], sha256)


def test_a_file_written_again_is_the_same_artifact_with_the_new_sum(database: Database, tmp_path: Path) -> None:
    start(database)
    ids = []
    for data in (b"one", b"two"):
        one = unit()
        RunArtifacts(tmp_path, one).put("deliverable.md", data, role="deliverable", media_type="text/markdown")
        commit(database, one)
        (row,) = database.read(lambda tx: tx.rows("SELECT * FROM artifact"))
        ids.append(row["id"])
    assert ids[0] == ids[1]
    assert row["sha256"] == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("name", ["", "../x", "a/../../x", "/etc/x", "a\x00b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    one = unit()
    with pytest.raises(InvalidInput):
        RunArtifacts(tmp_path, one).put(name, b"x", role="draft", media_type="text/plain")
    assert one.drain() is None
    assert list(tmp_path.rglob("*")) == []


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts" / RUN
    folder.mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(InvalidInput):
        RunArtifacts(tmp_path, unit()).put("out/x", b"x", role="draft", media_type="text/plain")


def test_a_place_that_cannot_be_written_is_named_and_leaves_nothing_to_write(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("a file")
    one = unit()
    with pytest.raises(ConfigurationError):
        RunArtifacts(tmp_path, one).put("x", b"x", role="draft", media_type="text/plain")
    assert one.drain() is None
