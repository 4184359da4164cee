"""Reading files without trusting them: a few child processes parse, this process only asks and waits.

A child that dies, hangs or grows too large costs the one file it was reading and is replaced. What comes back is checked
for shape before use: a parser taken over by a file can spoil that file's text, nothing else.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from autonomy.core.errors import InvalidInput
from autonomy.memory.chunks import Chunk
from autonomy.memory.confined import Confined
from autonomy.memory.readers.document import Limits, ReadDocument

__all__ = ["CHILDREN", "Child", "Limits", "Readers", "Reading", "decode"]

CHILDREN = 2
"""Children that parse at once."""
_AHEAD = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one file. `why` is set when it failed; `document` and `chunks` when it is ok."""

    status: Literal["ok", "unchanged", "failed"]
    why: str = ""
    sha256: str = ""
    words: int = 0
    document: ReadDocument | None = None
    chunks: tuple[Chunk, ...] = ()


class Child(Confined):
    """One reader process, started when first asked and again after each death."""

    def __init__(self, limits: Limits) -> None:
        super().__init__("autonomy.memory.reader_child", limits)

    def read(self, path: Path, name: str, known_sha256: str = "") -> Reading:
        """Read one file; never raises for what the file does."""
        try:
            message = self.ask({"path": str(path), "name": name, "sha256": known_sha256})
        except InvalidInput as error:
            return Reading("failed", error.message)
        reading = decode(message)
        return reading if reading is not None else Reading("failed", "its reader gave an answer that makes no sense")


def decode(message: Any) -> Reading | None:
    """A child's answer as a Reading, or None when its shape or its offsets are wrong."""
    try:
        if message["status"] == "failed":
            return Reading("failed", " ".join(_text(message["why"]).split())[:300])
        if message["status"] == "unchanged":
            return Reading("unchanged", sha256=_text(message["sha256"]))
        if message["status"] != "ok":
            return None
        document = _document(message["document"])
        chunks = tuple(_chunk(fields, document.text) for fields in message["chunks"])
        return Reading("ok", "", _text(message["sha256"]), int(message["words"]), document, chunks)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("not a text")
    value.encode("utf-8")
    return value


def _document(fields: dict[str, Any]) -> ReadDocument:
    text = _text(fields["text"])
    size = len(text)
    year = fields["year"]
    return ReadDocument(
        text=text,
        pages=tuple((int(number), _offset(start, size)) for number, start in fields["pages"]),
        headings=tuple((_offset(start, size), int(level), _text(words)) for start, level, words in fields["headings"]),
        blocks=(),
        title=_text(fields["title"]),
        authors=tuple(_text(author) for author in fields["authors"]),
        year=None if year is None else int(year),
        media_type=_text(fields["media_type"]),
    )


def _chunk(fields: list[Any], text: str) -> Chunk:
    start, end, page, section, kind, language, position, terms = fields
    if not _offset(start, len(text)) < _offset(end, len(text)) or not 0 <= float(position) <= 1:
        raise ValueError("not a stretch")
    return Chunk(
        start=start,
        end=end,
        page=None if page is None else int(page),
        section=None if section is None else _text(section),
        kind=_text(kind),
        language=_text(language),
        position=float(position),
        terms=_text(terms),
    )


def _offset(value: Any, size: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= size:
        raise ValueError("not an offset")
    return value


class Readers:
    """A small pool of children. Use as a context manager; leaving it ends them all."""

    def __init__(self, limits: Limits, children: int = CHILDREN) -> None:
        self._children = [Child(limits) for _ in range(max(1, children))]
        self._free = deque(self._children)
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(len(self._children), thread_name_prefix="autonomy-reader")

    def map(self, items: Iterable[T], ask: Callable[[Child, T], Reading]) -> Iterator[tuple[T, Reading]]:
        """`ask(child, item)` for each item, several at once, answers in the items' order."""
        waiting: deque[tuple[T, Future[Reading]]] = deque()
        for item in items:
            waiting.append((item, self._pool.submit(self._with_child, ask, item)))
            if len(waiting) > len(self._children) * _AHEAD:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()

    def _with_child(self, ask: Callable[[Child, T], Reading], item: T) -> Reading:
        with self._guard:
            child = self._free.popleft()
        try:
            return ask(child, item)
        finally:
            with self._guard:
                self._free.append(child)

    def close(self) -> None:
        """End the children; a read in progress fails."""
        for child in self._children:
            child.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for child in self._children:
            child.close()

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
