"""The end of a log, read backwards over files and blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from autonomy.audit import lines, reading
from autonomy.audit.log import AuditLog
from autonomy.audit.reading import newest, since


@pytest.mark.parametrize("block", [1, 7, 300, 1 << 16])
def test_the_newest_lines_come_oldest_first_over_files_and_blocks(
    log: AuditLog, folder: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    log._rotate = 1500
    for number in range(20):
        log.append("task_read", correlation_id="c", actor="a", number=number)
    last = newest(folder, 1)[0]["seq"]
    assert len(lines.rotated(folder)) > 2
    for count in (0, 1, 5, last, last + 10):
        assert [body["seq"] for body in newest(folder, count)] == list(range(max(last - count, 0) + 1, last + 1))
    for seq in (0, 1, 10, last - 1, last, last + 1):
        assert [body["seq"] for body in since(folder, seq)] == list(range(seq + 1, last + 1))


@pytest.mark.parametrize("block", [1, 64, 1 << 16])
def test_what_is_torn_or_no_line_is_left_out(log: AuditLog, folder: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    for _ in range(3):
        log.append("task_read", correlation_id="c", actor="a")
    with (folder / lines.CURRENT).open("ab") as stream:
        stream.write(b"garbage\n\n{}\n{torn")
    assert [body["seq"] for body in newest(folder, 10)] == [1, 2, 3]


def test_where_there_is_no_log_there_are_no_lines(folder: Path) -> None:
    assert newest(folder, 5) == since(folder, 0) == []
