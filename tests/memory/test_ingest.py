"""A folder into a corpus: only what changed is read, old texts stay readable, a broken file is named and skipped."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.memory import documents
from autonomy.memory import folder as folders
from autonomy.memory.documents import Entry
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.folder import Found
from autonomy.memory.ingest import IngestReport, Progress, ingest
from autonomy.memory.readers.document import Limits
from autonomy.memory.reading import Reading
from autonomy.memory.search import search
from autonomy.memory.sources import SqlSources
from autonomy.storage import postgres
from autonomy.storage.database import Database, Tx
from tests import ordinary
from tests.memory import made

EMBEDDER = HashEmbedder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each kind."""
    root = tmp_path / "corpus"
    (root / "sub").mkdir(parents=True)
    (root / "pumps.md").write_text(f"# Pumps\n\n{made.prose('pump', 6)}\n")
    (root / "valves.html").write_text(f"<main><h1>Valves</h1><p>{made.prose('valve', 6)}</p></main>")
    (root / "sub" / "wheels.txt").write_text(f"WHEELS\n\n{made.prose('wheel', 6)}\n")
    (root / "pipes.pdf").write_bytes(made.pdf([made.column(made.prose("pipe", 6))]))
    (root / "gauges.docx").write_bytes(made.word("Gauges", "", [("Normal", made.prose("gauge", 6))]))
    return root


def read(database: Database, root: Path, **options: Any) -> IngestReport:
    return ingest(database, root, embedder=EMBEDDER, **options)


def found(database: Database, report: IngestReport, query: str) -> list[str]:
    sources = SqlSources(database)
    passages = search(database, [report.corpus_id], query, embedder=EMBEDDER)
    return [sources.source(passage.source).location for passage in passages]


def states(database: Database) -> dict[str, list[str]]:
    rows = database.read(lambda tx: tx.rows("SELECT location, state FROM document ORDER BY location, state"))
    held: dict[str, list[str]] = {}
    for row in rows:
        held.setdefault(row["location"], []).append(row["state"])
    return held


def test_every_kind_of_file_is_read_and_found(database: Database, folder: Path) -> None:
    report = read(database, folder)
    assert (report.found, report.read, report.failed) == (5, 5, ())
    for topic, location in [("pump", "pumps.md"), ("wheel", "sub/wheels.txt"), ("pipe", "pipes.pdf"), ("gauge", "gauges.docx")]:
        assert found(database, report, f"what the {topic} does")[0] == location


def test_unchanged_files_are_not_read_again_and_a_changed_one_is(database: Database, folder: Path) -> None:
    read(database, folder)
    assert (read(database, folder).read, read(database, folder).unchanged) == (0, 5)
    (folder / "pumps.md").write_text(f"# Pumps\n\n{made.prose('turbine', 6)}\n")
    again = read(database, folder)
    assert (again.read, again.unchanged) == (1, 4)
    assert found(database, again, "turbine")[0] == "pumps.md"
    assert not any("pump does" in p.text for p in search(database, [again.corpus_id], "pump", embedder=EMBEDDER))


def test_a_file_written_again_with_the_same_bytes_is_not_parsed_again(database: Database, folder: Path) -> None:
    read(database, folder)
    os.utime(folder / "pumps.md", ns=(1, 1))
    assert (read(database, folder).read, read(database, folder).unchanged) == (0, 5)


def test_a_replaced_or_deleted_text_stays_readable_for_runs_that_cite_it(database: Database, folder: Path) -> None:
    report = read(database, folder)
    first = search(database, [report.corpus_id], "what the pump does", embedder=EMBEDDER)[0]
    (folder / "pumps.md").write_text(f"# Pumps\n\n{made.prose('turbine', 6)}\n")
    (folder / "valves.html").unlink()
    again = read(database, folder)
    assert again.removed == 1
    assert states(database)["pumps.md"] == ["ok", "replaced"]
    assert states(database)["valves.html"] == ["gone"]
    sources = SqlSources(database)
    assert sources.snapshot(first.source)[first.start : first.end] == first.text
    assert sources.anchor(first.source, first.start, first.end).section == "Pumps"
    (folder / "pumps.md").write_text(f"# Pumps\n\n{made.prose('pump', 6)}\n")
    back = read(database, folder)
    assert search(database, [back.corpus_id], "what the pump does", embedder=EMBEDDER)[0].source == first.source


def test_the_same_text_twice_is_one_source_until_its_original_goes(database: Database, folder: Path) -> None:
    (folder / "copy.md").write_text((folder / "pumps.md").read_text())
    report = read(database, folder)
    assert report.duplicates == 1
    assert (
        found(database, report, "what the pump does").count("copy.md")
        + found(database, report, "what the pump does").count("pumps.md")
        == 1
    )
    assert states(database)["copy.md"] == ["ok"]
    assert states(database)["pumps.md"] == ["duplicate"]
    (folder / "copy.md").unlink()
    later = read(database, folder)
    assert "pumps.md" in found(database, later, "what the pump does")
    assert states(database)["pumps.md"] == ["ok"]


def test_of_files_with_one_text_the_first_by_name_is_the_original_whatever_order_they_come_in(
    database: Database, folder: Path
) -> None:
    text = (folder / "pumps.md").read_text()
    (folder / "pumps-copy.md").write_text(text)
    (folder / "zz.md").write_text(text)
    report = read(database, folder)
    assert report.unused == (("pumps-copy.md", "the same text as another"), ("zz.md", "the same text as another"))
    assert report.duplicates == 2
    again = read(database, folder)
    assert (again.unused, again.duplicates, again.unchanged) == (report.unused, 2, 7)


def test_a_document_too_short_to_quote_is_named_each_time(database: Database, folder: Path) -> None:
    (folder / "short.md").write_text("Pump\n")
    assert read(database, folder).unused == (("short.md", "too short to quote"),)
    assert read(database, folder).unused == (("short.md", "too short to quote"),)


def test_broken_files_are_named_and_the_rest_is_read(database: Database, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(made.pdf([made.column("x")])[:90])
    (folder / "locked.pdf").write_bytes(made.pdf([made.column("x")], password="pw"))
    (folder / "empty.md").write_bytes(b"")
    report = read(database, folder)
    assert [location for location, _ in report.failed] == ["broken.pdf", "empty.md", "locked.pdf"]
    assert report.read == 5
    again = read(database, folder)
    assert (again.read, again.failed) == (0, report.failed)
    (folder / "empty.md").write_text("Now it holds six words and more than that.")
    assert [location for location, _ in read(database, folder).failed] == ["broken.pdf", "locked.pdf"]


def test_a_file_over_the_size_limit_is_skipped_without_being_read(database: Database, folder: Path) -> None:
    with open(folder / "huge.txt", "wb") as stream:
        stream.truncate(1 << 30)
    report = read(database, folder)
    assert report.failed == (("huge.txt", "is larger than 64 MiB"),)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes and links")
def test_pipes_loops_and_ways_out_of_the_folder_are_not_followed(database: Database, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text(made.prose("secret", 6))
    os.mkfifo(folder / "pipe.txt")
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to(outside)
    (folder / "leak.md").symlink_to(outside / "secret.md")
    (folder / "ring.md").symlink_to(folder / "ring.md")
    (folder / ".hidden.md").write_text("Hidden words are not for reading at all.")
    Path(os.fsdecode(os.fsencode(folder) + b"/no\xfftext.md")).write_text("Words.")
    report = read(database, folder)
    assert dict(report.failed).keys() == {"pipe.txt", "ring.md", "no?text.md"}
    assert dict(report.failed)["no?text.md"] == "its name is not valid Unicode"
    assert report.read == 5


LEGAL = (
    "evil\u202egpj.md",
    "two\nlines.md",
    "red\x1b[31m\x07.md",
    "<img src=x onerror=alert(1)>.md",
    "\u200b\u2066.md",
    "\x9b\r.md",
)


@pytest.mark.skipif(os.name != "posix", reason="needs file names of any characters")
@pytest.mark.parametrize("name", LEGAL, ids=ascii)
def test_a_file_is_read_whatever_characters_its_name_holds(database: Database, folder: Path, name: str) -> None:
    (folder / name).write_text(f"# Turbines\n\n{made.prose('turbine', 6)}\n")
    report = read(database, folder)
    assert report.failed == ()
    stored = database.read(lambda tx: tx.tuples("SELECT location FROM document WHERE state = 'ok'"))
    assert name in {location for (location,) in stored}
    assert read(database, folder).read == 0


RUN = "abcdefghijklmnopqrstuvwxyz"
OWN = (f"artifacts/{RUN}/deliverable.md", f"artifacts/{RUN}/sources/one.txt", "reports/phase_a_acceptance.md",
       "reports/phase_a/kept.txt", "memory/added.md")  # fmt: skip
THEIRS = ("notes.md", "artifacts/drawing.md", "reports/2026.md", "reports/phase_two.md", "memory/chapter/one.md", "ssot/why.md")
EXPORT = ("autonomy-abcdefgh/deliverable.md", "autonomy-abcdefgh/sources/one.txt")


def test_files_of_another_kind_are_named_and_texts_without_an_ending_are_read(database: Database, folder: Path) -> None:
    prose = f"Brakes\n\n{made.prose('brake', 6)}\n"
    for name in ("BRAKES", "BRAKES-2.0", "Makefile", ".hidden", "notes.doc"):
        (folder / name).write_text(prose + name)
    (folder / "sub" / "sums.csv").write_text("brake,1\nbrake,2\n")
    (folder / "settings").write_text("# The brake is what stops the wheel of the pump.\nbrake = 1\n" * 9)
    (folder / "script").write_text(f"#!/bin/sh\n{prose}")
    (folder / "latin").write_bytes(prose.replace("brake", "fren\u00f3").encode("latin-1"))
    (folder / "program").write_bytes(b"\x7fELF\0" + prose.encode())
    report = read(database, folder)
    assert report.unread == ("Makefile", "latin", "notes.doc", "program", "script", "settings", "sub/sums.csv")
    assert {"BRAKES", "BRAKES-2.0"} <= {each.location for each in folders.listing(folder).files}
    assert found(database, report, "how does the brake work")[0] in ("BRAKES", "BRAKES-2.0")


def test_a_folder_of_other_kinds_alone_is_refused_with_some_of_their_names(database: Database, tmp_path: Path) -> None:
    lay(tmp_path, *(f"f{number}.py" for number in range(7)))
    with pytest.raises(InvalidInput) as caught:
        read(database, tmp_path)
    assert "holds no document: 7 files are of a kind that is not read: f0.py, f1.py, f2.py, f3.py, f4.py and 2 more" in str(
        caught.value
    )


def test_what_a_workspace_holds_beside_documents_is_no_file_that_was_not_read(tmp_path: Path) -> None:
    lay(tmp_path, *OWN, "autonomy.db", "autonomy.db-wal", f"artifacts/{RUN}.tmp", "ssot/a.json", "audit/events.jsonl")
    (tmp_path / "memory" / "GPL-3").write_text(made.prose("licence", 6))
    lay(tmp_path, "mine.py")
    assert folders.listing(tmp_path) == folders.Listing([], ["mine.py"])


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("Words.")


def walked(root: Path, workspace: Path | None = None) -> set[str]:
    return {each.location for each in folders.listing(root, workspace).files}


@pytest.mark.parametrize("place", [".", "inner"])
@pytest.mark.parametrize("known", [True, False])
def test_what_autonomy_wrote_is_not_read_and_what_lies_beside_it_is(tmp_path: Path, place: str, known: bool) -> None:
    """This workspace may have its database elsewhere; another is known by its database file."""
    workspace = (tmp_path / place).resolve()
    lay(workspace, *OWN, *THEIRS)
    assert walked(tmp_path) == {str(Path(place, name)) for name in (*OWN, *THEIRS)}, "a plain folder is read as it is"
    if not known:
        (workspace / "autonomy.db").touch()
    assert walked(tmp_path, workspace if known else None) == {str(Path(place, name)) for name in THEIRS}


def test_the_files_of_an_exported_run_are_not_read_unless_their_folder_is_the_corpus(tmp_path: Path) -> None:
    lay(tmp_path, *EXPORT, "autonomy-abcdefgh/mine.md", "site/deliverable.md", "site/manifest.json")
    manifest = tmp_path / "autonomy-abcdefgh" / "manifest.json"
    manifest.write_text(
        json.dumps({"run_id": RUN, "claims": [], "files": [{"path": name.partition("/")[2]} for name in EXPORT]})
    )
    assert walked(tmp_path) == {"autonomy-abcdefgh/mine.md", "site/deliverable.md"}
    assert walked(manifest.parent) == {"deliverable.md", "sources/one.txt", "mine.md"}
    manifest.write_text("[" * 100_000)
    assert walked(tmp_path) == {*EXPORT, "autonomy-abcdefgh/mine.md", "site/deliverable.md"}


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "hidden only", "broken only", "code only", "loop"])
def test_a_folder_with_nothing_to_read_is_a_clear_one_line_error(database: Database, tmp_path: Path, kind: str) -> None:
    root = tmp_path / "it"
    if kind == "loop":
        root.symlink_to(root)
    elif kind == "file":
        root.write_text("words")
    elif kind != "missing":
        root.mkdir()
    if kind == "hidden only":
        (root / ".a.md").write_text("words")
    if kind == "code only":
        (root / "a.md").write_text("# Code\n\n```\nopen the valve and close it again in the evening\n```\n")
    if kind == "broken only":
        (root / "a.pdf").write_bytes(b"%PDF-1.4 nothing")
        (root / "b.md").write_bytes(b"")
    with pytest.raises(InvalidInput) as caught:
        read(database, root)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    if kind == "broken only":
        assert "none of the 2 files" in caught.value.message
        assert "a.pdf" in caught.value.message


INGEST = """
import sys
from pathlib import Path
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.ingest import ingest
from autonomy.storage.database import Database
with Database(sys.argv[1], grow_wal=False) as database:
    print(dict(ingest(database, Path(sys.argv[2]), embedder=HashEmbedder()).failed)["pumps.md"])
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the server's socket is closed to it as well
def test_an_unreadable_file_is_named(database: Database, folder: Path) -> None:
    (folder / "pumps.md").chmod(0)
    assert ordinary.run(INGEST, database.url, str(folder)).startswith("cannot be opened")


def test_a_file_that_vanishes_between_listing_and_reading_is_named(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = folders.listing

    def list_then_lose(root: Path, workspace: Path | None = None) -> Any:
        items = listed(root, workspace)
        (root / "pumps.md").unlink()
        return items

    monkeypatch.setattr(folders, "listing", list_then_lose)
    assert dict(read(database, folder).failed)["pumps.md"].startswith("cannot be opened")


def test_progress_is_told_at_the_start_and_for_each_file(database: Database, folder: Path) -> None:
    told: list[Progress] = []
    read(database, folder, progress=told.append)
    assert [one.done for one in told] == [0, 1, 2, 3, 4, 5]
    assert {one.total for one in told} == {5}
    read(database, folder, progress=told.append)
    assert told[-1].done == 5


def test_two_ingestions_of_one_folder_at_once_agree(database: Database, folder: Path) -> None:
    for n in range(12):
        (folder / f"more{n}.md").write_text(f"# More {n}\n\n{made.prose(f'thing {n}', 5)}\n")
    reports: list[IngestReport] = []
    with Database(database.url, grow_wal=False) as other:
        threads = [threading.Thread(target=lambda one=one: reports.append(read(one, folder))) for one in (database, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [report.documents for report in reports] == [17, 17]
    assert all(held == ["ok"] for held in states(database).values())
    counts = database.read(lambda tx: (tx.value("SELECT count(*) FROM chunk"), tx.value("SELECT count(*) FROM chunk_vector")))
    assert counts == (reports[0].chunks, reports[0].chunks)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # those of SQLite exclude each other anyway
def test_writers_of_one_location_wait_for_each_other(database: Database, folder: Path) -> None:
    report = read(database, folder)
    entry = Entry(
        id="s1",
        found=Found("new.md", folder / "new.md"),
        reader="1",
        reading=Reading("failed", "first"),
    )
    first = postgres.connect(database.url)
    first.execute("BEGIN")
    documents.store(Tx(first, database.dialect), report.corpus_id, entry)
    later = dataclasses.replace(entry, id="s2", reading=Reading("failed", "second"))
    waiting = database.submit(lambda tx: documents.store(tx, report.corpus_id, later))
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not database.read(lambda tx: tx.value(blocked)):
        assert not waiting.done()
    first.execute("COMMIT")
    first.close()
    assert waiting.result() == "failed"
    held = database.read(lambda tx: tx.rows("SELECT id, error FROM document WHERE location = 'new.md'"))
    assert held == [{"id": "s2", "error": "second"}]


STOPPED = """
import os, sys
from pathlib import Path
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.ingest import ingest
from autonomy.storage.database import Database
def told(progress):
    if progress.done == 9:
        os._exit(9)
ingest(Database(sys.argv[1], grow_wal=False), Path(sys.argv[2]), embedder=HashEmbedder(), progress=told)
"""


def test_an_ingestion_that_was_killed_goes_on_where_it_stood(database: Database, folder: Path) -> None:
    for n in range(30):
        (folder / f"more{n:02}.md").write_text(f"# More {n}\n\n{made.prose(f'thing {n}', 5)}\n")
    ended = subprocess.run([sys.executable, "-c", STOPPED, database.url, str(folder)], check=False, timeout=120)
    assert ended.returncode == 9
    broken = database.read(
        lambda tx: tx.value(
            "SELECT count(*) FROM document d WHERE state = 'ok' "
            "AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.document_id = d.id)"
        )
    )
    assert broken == 0
    report = read(database, folder)
    assert (report.documents, report.read + report.unchanged) == (35, 35)
    assert read(database, folder).read == 0


def test_other_limits_read_a_failed_file_again(database: Database, folder: Path) -> None:
    (folder / "long.txt").write_text(made.prose("road", 300))
    assert "long.txt" in dict(read(database, folder, limits=Limits(characters=5_000)).failed)
    assert read(database, folder).failed == ()


def test_a_corpus_belongs_to_one_embedder(database: Database, folder: Path) -> None:
    class Other:
        name = "other"

        def embed(self, texts: Any) -> Any:
            return [[1.0, 0.0, 0.0] for _ in texts]

    first = read(database, folder)
    second = ingest(database, folder, embedder=Other())
    assert first.corpus_id != second.corpus_id
    assert found(database, first, "what the pump does")[0] == "pumps.md"
    assert search(database, [second.corpus_id], "what the pump does", embedder=Other())[0].title == "Pumps"
