"""What leaves the process: data on stdout, everything else on stderr, nothing that could steer a terminal.

Every text that came from a user, a document or a model passes `plain` before it is shown: control characters become
visible escapes. A reader that closes the pipe ends the output quietly and changes nothing about the work or its code.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import select
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from autonomy.core.errors import StorageError
from autonomy.core.unseen import show


def plain(text: object) -> str:
    """One line that shows control, bidirectional and invisible characters instead of obeying them."""
    return show(str(text), _escape)


def plain_lines(text: object) -> str:
    """As `plain`, but line ends stay."""
    return show(str(text), _escape, keep="\n")


def squeezed(text: object) -> str:
    """White space runs as one space, then `plain`: for excerpts on one line."""
    return plain(" ".join(str(text).split()))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65_536 else f"\\U{code:08x}"


def cut(text: str, width: int, more: str = "…") -> str:
    """The text in at most `width` columns."""
    if columns(text) <= width:
        return text
    kept = ""
    room = max(width - columns(more), 0)
    for character in text:
        if columns(kept) + columns(character) > room:
            break
        kept += character
    return kept.rstrip() + more


def wrapped(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most `width` characters, broken at white space alone: a path stays whole, wider than the line if need be.
    `first` stands before the first line instead of `indent`."""
    import textwrap

    lead = indent if first is None else first
    whole = textwrap.TextWrapper(width, lead, indent, break_long_words=False, break_on_hyphens=False)
    return whole.wrap(text)


def columns(text: str) -> int:
    """How many terminal columns the text takes (wide characters two, combining ones and joiners none)."""
    if text.isascii():
        return len(text)
    import unicodedata

    total = 0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total


_PAINT = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few signs that need Unicode, and what stands for them where there is none."""

    done: str = "✓"
    now: str = "▸"
    todo: str = "·"
    failed: str = "✗"
    skipped: str = "–"
    full: str = "━"
    held: str = "╍"
    empty: str = "─"
    rule: str = "─"
    more: str = "…"
    arrow: str = "→"
    dot: str = "·"
    branch: str = "├"
    last: str = "└"
    advice: str = "!"


ASCII = Glyphs("+", ">", ".", "x", "-", "#", "=", ".", "-", "...", "->", "-", "|", "`")


def wants_ascii(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to keep to ASCII: the stream cannot carry more, or the locale is plain C."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    named = environ.get("LC_ALL") or environ.get("LANG") or ""
    return not encoding.startswith("utf") or named in ("C", "POSIX")


def wants_colour(stream: TextIO, environ: Mapping[str, str], forbidden: bool) -> bool:
    """Colour only on a terminal that can and when nobody said no; FORCE_COLOR asks for it elsewhere."""
    if forbidden or environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return bool(environ.get("FORCE_COLOR")) or stream.isatty()


class PipeSafe:
    """A text stream whose reader may go away: from then on writes vanish, and `gone` says so."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.gone = False

    def write(self, text: str) -> int:
        """Write, or drop when nobody reads any more."""
        if not self.gone:
            try:
                self._stream.write(text)
            except OSError as error:
                self._abandon(error)
        return len(text)

    def flush(self) -> None:
        """Flush, or do nothing when nobody reads any more."""
        if not self.gone:
            try:
                self._stream.flush()
            except OSError as error:
                self._abandon(error)

    def left(self) -> bool:
        """Whether the reader has gone, asked without writing: a silent stream must not wait for its next line to notice."""
        if not self.gone and hasattr(select, "poll"):
            watched = select.poll()
            try:
                watched.register(self._stream.fileno(), 0)  # errors and hang-ups are reported whatever is asked for
                self.gone = any(flags & (select.POLLERR | select.POLLHUP) for _, flags in watched.poll(0))
            except (OSError, ValueError):
                return self.gone  # no file behind it (a test's own stream): writing will tell
        return self.gone

    def _abandon(self, error: OSError) -> None:
        """Write nothing more, not even what is still buffered. Raises StorageError unless it was the reader who left."""
        self.gone = True
        # The buffer still holds what could not be written; the interpreter flushes it once more at exit.
        with contextlib.suppress(OSError):
            void = os.open(os.devnull, os.O_WRONLY)
            os.dup2(void, self._stream.fileno())
            os.close(void)
        hung_up = isinstance(error, BrokenPipeError) or error.errno == errno.EIO
        if not hung_up:
            reason = (error.strerror or type(error).__name__).lower()
            raise StorageError(f"the output could not be written: {reason}", "Write it elsewhere.") from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_streams() -> None:
    """Make stdout and stderr safe for any text and any reader; once, at the start of the process."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the shell closed it
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace" if name == "stderr" else "replace")
        setattr(sys, name, PipeSafe(stream))


class Output:
    """One command's way to speak. `json` turns every answer into JSON; `colour` and `glyphs` fit the streams."""

    def __init__(self, *, json: bool = False, no_color: bool = False, environ: Mapping[str, str] | None = None) -> None:
        surroundings = os.environ if environ is None else environ
        self.json = json
        self.terminal = sys.stdout.isatty()
        self.colour = wants_colour(sys.stdout, surroundings, no_color)
        self.colour_err = wants_colour(sys.stderr, surroundings, no_color)
        self.glyphs = ASCII if wants_ascii(sys.stdout, surroundings) else Glyphs()
        self.glyphs_err = ASCII if wants_ascii(sys.stderr, surroundings) else Glyphs()
        self.moving = sys.stderr.isatty() and not json and surroundings.get("TERM") != "dumb" and not surroundings.get("CI")

    @property
    def width(self) -> int:
        """Columns of the terminal, 80 where there is none; never so few that a table breaks."""
        return max(shutil.get_terminal_size((80, 24)).columns, 40)

    @property
    def gone(self) -> bool:
        """Whether the reader of stdout went away."""
        left = getattr(sys.stdout, "left", None)
        return bool(left()) if left is not None else False

    def folded(self, text: str, *, lead: str = "", under: int = 0) -> str:
        """One line for a program; for a terminal the same in lines of its width, broken at white space, of which all but the
        first begin `under` so many columns. `lead` stands before the text and may be painted."""
        if not self.terminal:
            return lead + text
        rows = wrapped(text, self.width, " " * under, first=" " * columns(_PAINT.sub("", lead))) or [""]
        return "\n".join([lead + rows[0].lstrip(), *rows[1:]])

    def data(self, text: str) -> None:
        """Lines of the answer, on stdout."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def document(self, value: Any) -> None:
        """One JSON document on stdout: indented for a person, one line for a program."""
        self.data(self.dump(value, indent=2 if sys.stdout.isatty() else None))

    def line(self, value: Any) -> None:
        """One JSON object of a stream."""
        self.data(self.dump(value))

    def dump(self, value: Any, indent: int | None = None) -> str:
        """JSON that any stream can carry, and that steers no terminal: what no reader sees stays escaped."""
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False, default=str)
        text = show(text, lambda character: json.dumps(character)[1:-1], keep="\n")
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return json.dumps(value, ensure_ascii=True, indent=indent, allow_nan=False, default=str)
        return text

    def say(self, text: str) -> None:
        """A hint or a progress line, on stderr."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def paint(self, text: str, *codes: int) -> str:
        """The text in ANSI colours on stdout, as it is where colour is off."""
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self.colour and codes else text

    def paint_err(self, text: str, *codes: int) -> str:
        """The text in ANSI colours on stderr, as it is where colour is off."""
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self.colour_err and codes else text


BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN = 1, 2, 31, 32, 33, 34, 36
