"""Files are read in a child: what kills, starves or hangs it costs that file only, and nothing it says is believed unseen."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from autonomy.memory import reading
from autonomy.memory.readers.document import Limits
from autonomy.memory.reading import Child, Readers, Reading
from tests.memory import made


@pytest.fixture
def child() -> Iterator[Child]:
    """A child with room for 256 MiB and twenty seconds."""
    one = Child(Limits(memory_bytes=256 << 20, seconds=20))
    yield one
    one.close()


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_document_comes_back_with_its_chunks_and_its_hash(child: Child, tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", f"# Pumps\n\n{made.prose('pump', 5)}\n".encode())
    answer = child.read(path, "a.md")
    assert answer.status == "ok"
    assert answer.document is not None
    chunk = answer.chunks[0]
    assert answer.document.text[chunk.start : chunk.end] == made.prose("pump", 5)
    assert chunk.section == "Pumps"
    assert child.read(path, "a.md", answer.sha256).status == "unchanged"


def test_a_pdf_bomb_costs_one_file_and_the_next_is_read(tmp_path: Path) -> None:
    child = Child(Limits(memory_bytes=192 << 20, seconds=20))
    try:
        bomb = write(tmp_path, "bomb.pdf", made.pdf_bomb(1 << 30))
        assert bomb.stat().st_size < 100_000
        assert child.read(bomb, "bomb.pdf").status == "failed"
        good = write(tmp_path, "good.txt", b"A pump moves water.")
        assert child.read(good, "good.txt").status == "ok"
    finally:
        child.close()


def test_a_file_that_takes_too_long_is_given_up_and_its_reader_killed(tmp_path: Path) -> None:
    child = Child(Limits(seconds=0.001))
    try:
        answer = child.read(write(tmp_path, "a.md", b"Words."), "a.md")
        assert (answer.status, answer.why) == ("failed", "took longer than 0.001 s to read")
        assert child.pid is None
    finally:
        child.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals")
def test_a_reader_killed_in_mid_file_is_replaced(child: Child, tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", b"Words that stay the same.")
    assert child.read(path, "a.md").status == "ok"
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)  # it will hold the request without answering
    answers: list[Reading] = []
    asking = threading.Thread(target=lambda: answers.append(child.read(path, "a.md")))
    asking.start()
    os.kill(first, signal.SIGKILL)
    asking.join()
    assert answers[0].status == "failed"
    assert "broke its reader" in answers[0].why
    assert child.read(path, "a.md").status == "ok"
    assert child.pid not in (None, first)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("empty.pdf", b"", "is empty"),
        ("garbage.md", bytes(range(256)) * 99, "binary"),
        ("secret.pdf", made.pdf([made.column(made.prose("pump", 3))], password="pw"), "encrypted"),
        ("cut.pdf", made.pdf([made.column(made.prose("pump", 40))])[:400], "not a readable PDF"),
        ("bomb.docx", partial(made.zip_bomb, 300 << 20), "bomb"),
        ("deep.docx", b"PK\x05\x06" + b"\x00" * 18, "Word"),
        ("large.txt", b"word " * 500_000, "larger than 2 MiB"),
    ],
)
def test_a_broken_or_hostile_file_has_its_reason(
    tmp_path: Path, name: str, data: bytes | Callable[[], bytes], why: str
) -> None:
    child = Child(Limits(file_bytes=2 << 20))
    try:
        answer = child.read(write(tmp_path, name, data() if callable(data) else data), name)
        assert answer.status == "failed"
        assert why in answer.why
        assert "\n" not in answer.why
    finally:
        child.close()


def test_a_nest_of_elements_comes_to_an_end(child: Child, tmp_path: Path) -> None:
    answer = child.read(write(tmp_path, "deep.html", b"<div>" * 100_000 + b"Words of the deep are few."), "deep.html")
    assert answer.status in ("ok", "failed")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_links_and_missing_files_are_not_read(child: Child, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "ordinary file" in child.read(tmp_path / "pipe.txt", "pipe.txt").why
    (tmp_path / "link.txt").symlink_to(write(tmp_path, "a.txt", b"Words."))
    assert "cannot be opened" in child.read(tmp_path / "link.txt", "link.txt").why
    assert "cannot be opened" in child.read(tmp_path / "none.txt", "none.txt").why


def test_a_reader_holds_no_secret_of_its_parent(child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-here")
    child.read(write(tmp_path, "a.md", b"Words."), "a.md")
    assert child.pid is not None
    assert "OPENAI_API_KEY" not in psutil.Process(child.pid).environ()


@pytest.mark.skipif(sys.platform != "linux", reason="reads limits of another process")
def test_a_reader_is_confined_before_it_sees_a_file(child: Child, tmp_path: Path) -> None:
    child.read(write(tmp_path, "a.md", b"Words."), "a.md")
    process = psutil.Process(child.pid)
    assert process.rlimit(psutil.RLIMIT_AS) == (256 << 20, 256 << 20)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)


SOUND: dict[str, Any] = {
    "status": "ok",
    "sha256": "ab",
    "words": 2,
    "document": {
        "text": "Two words",
        "pages": [[1, 0]],
        "headings": [],
        "title": "",
        "authors": [],
        "year": None,
        "media_type": "text/plain",
    },
    "chunks": [[0, 9, 1, None, "p", "en", 0.0, "two word"]],
}


def test_a_sound_answer_is_taken() -> None:
    answer = reading.decode(SOUND)
    assert answer is not None
    assert answer.chunks[0].terms == "two word"


@pytest.mark.parametrize(
    "wrong",
    [
        {"chunks": [[0, 99, 1, None, "p", "en", 0.0, ""]]},
        {"chunks": [[5, 2, 1, None, "p", "en", 0.0, ""]]},
        {"chunks": [["0", 2, 1, None, "p", "en", 0.0, ""]]},
        {"document": SOUND["document"] | {"text": "a\x00b"}},
        {"document": SOUND["document"] | {"title": "\ud800"}},
        {"document": SOUND["document"] | {"pages": [[1, -1]]}},
        {"document": None},
        {"status": 7},
        {"status": "failed", "why": "a\x00b"},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    assert reading.decode(SOUND | wrong) is None


def test_answers_keep_the_order_of_the_files_and_closing_leaves_no_child(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{n}.md", f"# Number {n}\n\n{made.prose('pump', 60 - n)}".encode()) for n in range(12)]
    with Readers(Limits(), 2) as readers:
        order = [
            path.name
            for path, answer in readers.map(paths, lambda child, path: child.read(path, path.name))
            if answer.status == "ok"
        ]
        pids = [child.pid for child in readers._children]
    assert order == [path.name for path in paths]
    assert not any(pid is not None and psutil.pid_exists(pid) for pid in pids)
