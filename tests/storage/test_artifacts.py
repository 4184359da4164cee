"""Files are written whole or not at all, and no name leads out of its folder."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.errors import AutonomyError, ConfigurationError, DiskFull, InvalidInput, StorageError
from autonomy.storage.artifacts import inside, stage, write_atomic
from tests.storage.limits import in_child, small_disk


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_hash_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "sources" / "a.txt"
    assert write_atomic(path, b"words") == hashlib.sha256(b"words").hexdigest()
    assert path.read_bytes() == b"words"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o027])
def test_a_file_that_is_not_private_has_the_mode_that_the_umask_gives(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        open_file, private = (stage(tmp_path / name, b"words", private=name == "b").temporary for name in "ab")
    finally:
        os.umask(before)
    assert stat.S_IMODE(open_file.stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_reader_sees_the_old_or_the_new_bytes_and_never_less(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wholes = [bytes([65 + n]) * 200_000 for n in range(4)]
    write_atomic(path, wholes[0])
    done = threading.Event()
    seen: set[bytes] = set()

    def watch() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [threading.Thread(target=write_atomic, args=(path, whole)) for whole in wholes * 5]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    assert seen <= set(wholes)
    assert names(tmp_path) == ["file"]


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "deliverable.md"
    link.symlink_to(outside)
    write_atomic(link, b"new")
    assert outside.read_bytes() == b"mine"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, moment, fail)
    with pytest.raises(DiskFull, match="no room left on the disk for file"):
        write_atomic(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_the_file_and_then_its_folder_are_synced_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    synced, replaced = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        told.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        synced(descriptor)

    def replace(source: object, target: object) -> None:
        told.append("rename")
        replaced(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomic(tmp_path / "file", b"x")
    assert told == ["file", "rename", "folder"]


def test_a_file_in_the_place_of_a_folder_is_named_as_the_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot write below"):
        write_atomic(tmp_path / "file" / "inner", b"x")


def test_a_folder_in_the_place_of_the_file_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError, match="cannot write taken"):
        write_atomic(tmp_path / "taken", b"x")
    assert names(tmp_path) == ["taken"]


def test_a_file_that_grows_over_the_limit_of_its_process_is_not_left_half_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    told = in_child(_write_too_much, path, file_bytes=4096)
    assert told == "DiskFull: file would grow over the file-size limit of this process"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def _write_too_much(path: Path) -> str:
    try:
        write_atomic(path, b"x" * 100_000)
    except AutonomyError as error:
        return f"{type(error).__name__}: {error.message}"
    return "written"


def test_on_a_full_disk_the_old_file_stays_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256 << 10) as disk:
        write_atomic(disk / "file", b"old")
        with pytest.raises(DiskFull) as raised:
            write_atomic(disk / "file", b"x" * (1 << 20))
        assert raised.value.hint == "Free some space, then resume the run."
        assert (disk / "file").read_bytes() == b"old"
        assert names(disk) == ["file"]


HOSTILE = [
    "", ".", "./", "..", "../x", "a/../../x", "a/..", "/etc/passwd", "//host/share", "a\x00b", "\x00", "loop", "loop/x",
    "out/passwd", "out", "up/x", "\ud800", "x" * 5000 + "/..",
]  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder with links that lead out of it and in circles."""
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "out").symlink_to("/etc")
    (folder / "up").symlink_to("..")
    (folder / "in").symlink_to("kept")
    (folder / "kept").mkdir()
    return folder


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_a_hostile_name_is_refused(room: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        inside(room, name)


@pytest.mark.parametrize("name", ["a", "a/b.txt", "sources/s1.txt", "in/x", "...", "a..b", "~", "$HOME", "-rf"])
def test_a_plain_name_is_accepted_as_it_is(room: Path, name: str) -> None:
    assert inside(room, name) == room / name


@given(st.lists(st.sampled_from(["..", ".", "a", "loop", "out", "up", "in", "kept", "", "\x00", "b c"]), max_size=6))
def test_no_name_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "names"
    if not folder.exists():
        folder.mkdir()
        (folder / "loop").symlink_to("loop")
        (folder / "out").symlink_to("/etc")
        (folder / "up").symlink_to("..")
        (folder / "in").symlink_to("kept")
        (folder / "kept").mkdir()
    try:
        found = inside(folder, "/".join(parts))
    except InvalidInput:
        return
    real = os.path.realpath(found)
    assert real.startswith(os.path.realpath(folder) + os.sep)
