"""Searching what was read, and adding a document: a bad one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import MemorySettings, Settings
from autonomy.core.errors import InvalidInput
from autonomy.memory.ingest import ingest
from autonomy.services.memory import Memory
from autonomy.storage.database import Database
from tests import ordinary

LEASES = "# Leases\n\nA lease is a promise that ends by itself. A worker renews its lease before the lease expires.\n"
TIDES = "# Tides\n\nThe tide rises because the moon pulls at the sea. A tide table lists high water for each day.\n"


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[App]:
    settings = Settings(home=tmp_path / "home", database_url=database.url, memory=MemorySettings(max_file_mb=1))
    (tmp_path / "home").mkdir()
    with App(settings, database) as opened:
        yield opened


def document(tmp_path: Path, name: str, text: str | bytes = LEASES) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def texts(memory: Memory, question: str) -> list[str]:
    return [hit["text"] for hit in memory.search(question)]


def documents(app: App) -> int:
    return int(app.database.read(lambda tx: tx.value("SELECT count(*) FROM document")))


def test_an_added_document_is_found_with_its_place(app: App, tmp_path: Path) -> None:
    assert app.memory.add(document(tmp_path, "leases.md")) == {"added": "leases.md", "documents": 1, "chunks": 1}
    (hit,) = app.memory.search("When does a lease expire?")
    assert (hit["location"], hit["section"], hit["page"]) == ("leases.md", "Leases", None)
    assert "renews its lease" in hit["text"]
    assert (app.home / "memory" / "leases.md").read_text() == LEASES


def test_the_search_covers_every_corpus_or_the_one_that_is_named(app: App, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    document(tmp_path / "docs", "tides.md", TIDES)
    ingest(app.database, tmp_path / "docs", embedder=app.embedder)
    app.memory.add(document(tmp_path, "leases.md"))
    assert {hit["location"] for hit in app.memory.search("lease tide moon worker")} == {"tides.md", "leases.md"}
    assert {hit["location"] for hit in app.memory.search("lease tide moon", corpora=[tmp_path / "docs"])} == {"tides.md"}
    assert app.memory.search("lease", corpora=[tmp_path]) == []


@pytest.mark.parametrize(("text", "limit"), [("", 8), (" \n", 8), ("a\0b", 8), ("lease", 0), ("lease", 101)])
def test_a_search_for_nothing_or_for_too_much_is_refused(app: App, text: str, limit: int) -> None:
    with pytest.raises(InvalidInput):
        app.memory.search(text, limit=limit)


def test_an_empty_memory_finds_nothing(app: App) -> None:
    assert app.memory.search("lease") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pdf", b"%PDF-1.4 garbage"), ("a.docx", b"PK not a zip"), ("empty.md", b""), ("a.exe", b"MZ"), (".hidden.md", b"# x\n"),
     ("large.txt", b"word " * 300_000)],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_a_bad_file_leaves_nothing_behind(app: App, tmp_path: Path, name: str, content: bytes, first: bool) -> None:
    if not first:
        app.memory.add(document(tmp_path, "leases.md"))
    before = documents(app)
    with pytest.raises(InvalidInput) as caught:
        app.memory.add(document(tmp_path, name, content))
    assert name in caught.value.message
    assert caught.value.hint
    assert documents(app) == before
    folder = app.home / "memory"
    assert [path.name for path in folder.iterdir()] == ([] if first else ["leases.md"]) if folder.exists() else first


def test_a_text_without_an_ending_is_added_and_a_file_for_programs_is_not(app: App, tmp_path: Path) -> None:
    assert app.memory.add(document(tmp_path, "GPL-3", LEASES.encode()))["added"] == "GPL-3"
    assert "GPL-3" in {row["location"] for row in app.memory.search("lease")}
    with pytest.raises(InvalidInput, match="not a kind of file that is read"):
        app.memory.add(document(tmp_path, "Makefile", LEASES.encode()))


def test_a_bad_file_does_not_take_the_place_of_a_good_one_of_its_name(app: App, tmp_path: Path) -> None:
    app.memory.add(document(tmp_path, "notes.md"))
    with pytest.raises(InvalidInput):
        app.memory.add(document(tmp_path, "notes.md", b""))
    assert (app.home / "memory" / "notes.md").read_text() == LEASES
    assert len(texts(app.memory, "lease")) == 1


def test_a_good_file_of_the_same_name_replaces_it(app: App, tmp_path: Path) -> None:
    app.memory.add(document(tmp_path, "notes.md"))
    app.memory.add(document(tmp_path, "notes.md", TIDES))
    assert "moon" in texts(app.memory, "tide")[0]
    assert not any("promise" in text for text in texts(app.memory, "lease promise"))


@pytest.mark.parametrize("name", ["..", ".", "missing.md", "docs"])
def test_what_is_no_file_is_refused(app: App, tmp_path: Path, name: str) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(InvalidInput, match="not a file"):
        app.memory.add(tmp_path / name)


def test_a_path_with_dots_adds_the_file_it_leads_to_under_its_own_name(app: App, tmp_path: Path) -> None:
    document(tmp_path, "leases.md")
    (tmp_path / "docs").mkdir()
    assert app.memory.add(tmp_path / "docs" / ".." / "leases.md")["added"] == "leases.md"
    assert [path.name for path in (app.home / "memory").iterdir()] == ["leases.md"]


def test_a_link_is_read_and_kept_as_a_file_of_its_own(app: App, tmp_path: Path) -> None:
    document(tmp_path, "real.md")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    app.memory.add(tmp_path / "link.md")
    kept = app.home / "memory" / "link.md"
    assert kept.read_text() == LEASES
    assert not kept.is_symlink()


def test_a_link_that_lies_in_wait_in_the_memory_folder_is_replaced_not_followed(app: App, tmp_path: Path) -> None:
    victim = document(tmp_path, "victim.txt", "mine")
    (app.home / "memory").mkdir()
    (app.home / "memory" / "leases.md").symlink_to(victim)
    app.memory.add(document(tmp_path, "leases.md"))
    assert victim.read_text() == "mine"


ADD = """
import os, sys
from pathlib import Path
from autonomy.bootstrap import config
from autonomy.bootstrap.app import open_app
from autonomy.core.errors import InvalidInput
with open_app(config.load({"AUTONOMY_HOME": sys.argv[1], "AUTONOMY_DATABASE_URL": sys.argv[2]})) as app:
    try:
        app.memory.add(Path(sys.argv[3]))
    except InvalidInput as error:
        print(error.message)
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the server's socket is closed to it as well
def test_a_file_that_may_not_be_read_is_refused(app: App, tmp_path: Path) -> None:
    path = document(tmp_path, "closed.md")
    path.chmod(0)
    assert "cannot be opened" in ordinary.run(ADD, str(app.home), app.database.url, str(path))
    assert documents(app) == 0
