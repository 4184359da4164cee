"""What a document is made of, block by block: the one walk that the Markdown and the Word document are both written from.

Invariant: texts are inline Markdown as `inert` leaves it, each on one line; what kind of block it is says the type alone,
and nothing of it is read back from the Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "center", "right"]
_RULES: dict[Align, str] = {"left": ":---", "center": ":---:", "right": "---:"}


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 is the title, 2 a section, up to 6."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Running text; an entry of the reference list that stands in the text; or the key below a table."""

    text: str
    kind: Literal["text", "reference", "key"] = "text"


@dataclass(frozen=True, slots=True)
class Quotation:
    """A block quotation."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """The box on top, line by line."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list without numbers."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One `aligns` for each column; `|` is escaped in its texts."""

    aligns: tuple[Align, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class References:
    """The list: (label, entry), the label empty where a style numbers nothing; `apart` is a blank line between entries."""

    rows: tuple[tuple[str, str], ...]
    apart: bool = False


Block = Heading | Prose | Quotation | Note | Items | Table | References


def markdown(blocks: Iterable[Block]) -> str:
    """The document as Markdown; it ends with a line break."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def listed(label: str, entry: str) -> str:
    """One work of the reference list in Markdown: numbered, else with a bullet."""
    return f"{label or '-'} {entry}"


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Prose(text):
            return text
        case Quotation(text):
            return f"> {text}"
        case Note(lines):
            return "  \n".join(f"> {line}" for line in lines)
        case Items(lines):
            return "\n".join(f"- {line}" for line in lines)
        case Table(aligns, head, rows):
            ruled = tuple(_RULES[align] for align in aligns)
            return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ruled, *rows))
        case References(rows, apart):
            return ("\n\n" if apart else "\n").join(listed(label, entry) for label, entry in rows)
