"""A report's PDF as words with their places, and the passages that colour marks in it.

A highlight is a coloured rectangle behind the letters of one line; a badge is a small one behind nothing but a number, which
says which source is meant. What colour marks is read as well as it can be: each passage has its own measure of trust.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2 as pdfium  # type: ignore[import-untyped]
from pypdfium2 import raw

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits, fold
from autonomy.turnitin.labels import HEADINGS, LABELS, squash
from autonomy.turnitin.placed import Box, together

_BROKEN_WORD = frozenset("\x02\ufffe\u00ad")
_COLOURFUL = 12
"""The brightest and the darkest of a highlight's red, green and blue lie at least so far apart: grey marks nothing."""
_MOST_RECTANGLES = 4_000
_MOST_SEGMENTS = 12
_BAND = 16.0
_FRONT, _BACK = 20, 40
"""Pages at the beginning and at the end of a file on which a report's own pages are looked for in any case."""
_HEADINGS = re.compile("|".join(words for words, meaning in LABELS.items() if meaning in HEADINGS))
_NUMBER = re.compile(r"\d{1,3}")
Colour = tuple[int, int, int]


class Letter(NamedTuple):
    """A visible letter: its box goes from the line that it stands on to the height of a capital, so that letters of one size
    are of one height. A space or a line's end between letters has no box."""

    char: str
    left: float
    right: float
    top: float
    bottom: float


class Rectangle(NamedTuple):
    """A coloured rectangle."""

    left: float
    right: float
    top: float
    bottom: float
    colour: Colour


@dataclass(slots=True)
class Marked:
    """A coloured passage, the box of its first line, the share of its letters that the colour covers (0 to 1), and the
    number in the badge beside it."""

    text: str
    first: Box
    colour: Colour
    covered: float
    number: int | None = None


@dataclass(slots=True)
class Page:
    """One page: its words, the text as it runs, its coloured passages."""

    words: list[Box] = field(default_factory=list)
    text: str = ""
    marked: list[Marked] = field(default_factory=list)


def pages(document: Any, limits: Limits) -> list[Page]:
    """Every page of an opened PDF; a damaged one is empty. Raises InvalidInput for more text than the limits allow.

    In a long paper only the pages at its ends, and those that name a report's headings, have words: the rest is read as text,
    and letter by letter only where there is colour.
    """
    found: list[Page] = []
    characters = 0
    total = len(document)
    for number in range(total):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except pdfium.PdfiumError:
            found.append(Page())  # the others still stand at their numbers
            continue
        count = text_page.count_chars()
        characters += count
        if characters > limits.characters:
            raise InvalidInput(f"holds more than {limits.characters:,} characters of text", "Give the report alone.")
        text = text_page.get_text_range() if count else ""
        whole = number < _FRONT or number >= total - _BACK or _HEADINGS.search(squash(text)) is not None
        found.append(_page(page, text_page, number, text, whole=whole))
        text_page.close()
        page.close()
    _share_numbers(found)
    return found


def _page(page: Any, text_page: Any, number: int, text: str, *, whole: bool) -> Page:
    height = page.get_height()
    rectangles = list(_rectangles(page, height))
    letters = list(_letters(text_page, text_page.count_chars(), height)) if whole or rectangles else []
    return Page(_words(letters, number) if whole else [], fold(text), _marked(letters, rectangles, number))


def _letters(text_page: Any, count: int, height: float) -> Iterator[Letter]:
    box = raw.FS_RECTF()
    across, line = ctypes.c_double(), ctypes.c_double()
    for index in range(count):
        char = chr(raw.FPDFText_GetUnicode(text_page, index))
        if char.isspace() or char == "\x00" or raw.FPDFText_IsGenerated(text_page, index) == 1:
            yield Letter("\n" if char in "\r\n" else " ", 0, 0, 0, 0)
        elif raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box)):
            raw.FPDFText_GetCharOrigin(text_page, index, across, line)
            size = box.top - box.bottom
            yield Letter(char, box.left, box.right, height - line.value - 0.65 * size, height - line.value + 0.02 * size)


def _words(letters: Sequence[Letter], page: int) -> list[Box]:
    words: list[list[Letter]] = []
    last: Letter | None = None
    for letter in letters:
        if not letter.char.strip():
            last = None
        elif last is not None and _next_to(last, letter):
            words[-1].append(letter)
            last = letter
        else:
            words.append([letter])
            last = letter
    return [_boxed(word, page) for word in words]


def _next_to(last: Letter, letter: Letter) -> bool:
    """Whether a letter goes on with the word before it."""
    high = max(last.bottom - last.top, letter.bottom - letter.top)
    level = abs(last.bottom - letter.bottom) < 0.35 * high and abs(last.top - letter.top) < 0.5 * high
    onward = last.left - 0.2 * high <= letter.left < last.right + 0.5 * high
    return level and onward and not (last.char in "%％" and letter.char.isalpha())


def _boxed(letters: Sequence[Letter], page: int) -> Box:
    return Box(
        "".join(letter.char for letter in letters if letter.char not in _BROKEN_WORD),
        page,
        min(letter.left for letter in letters),
        max(letter.right for letter in letters),
        min(letter.top for letter in letters),
        max(letter.bottom for letter in letters),
    )


def _text(letters: Sequence[Letter]) -> str:
    """Letters as running text; a word broken at a line's end is whole again."""
    parts: list[str] = []
    broken = False
    for letter in letters:
        if letter.char in _BROKEN_WORD:
            broken = True
        elif letter.char.strip() or not broken:
            parts.append(letter.char)
            broken = False
    return "".join(parts)


def _rectangles(page: Any, height: float) -> Iterator[Rectangle]:
    """The filled, coloured shapes that may be a highlight or a badge."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    for count, shape in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=4)):
        if count == _MOST_RECTANGLES:
            break
        raw.FPDFPath_GetDrawMode(shape, mode, stroke)
        raw.FPDFPageObj_GetFillColor(shape, red, green, blue, alpha)
        colour = (red.value, green.value, blue.value)
        if not mode.value or not alpha.value or max(colour) - min(colour) < _COLOURFUL:
            continue
        if raw.FPDFPath_CountSegments(shape) <= _MOST_SEGMENTS:
            left, low, right, high = shape.get_bounds()
            yield Rectangle(left, right, height - high, height - low, colour)


def _marked(letters: Sequence[Letter], rectangles: Sequence[Rectangle], page: int) -> list[Marked]:
    if not rectangles:
        return []
    behind = _behind(letters, rectangles)
    badges = _badges(letters, behind, page)
    passages: list[list[int]] = []
    going = False
    for at, letter in enumerate(letters):
        rectangle = behind[at]
        if not letter.char.strip() or (rectangle is not None and rectangle in badges):
            continue
        if rectangle is None:
            going = False
            continue
        before = behind[passages[-1][-1]] if going else None
        if before is None or before.colour != rectangle.colour:
            passages.append([])
        passages[-1].append(at)
        going = True
    found = [_passage(letters, behind, passage, badges, page) for passage in passages]
    return [each for each in found if any(char.isalnum() for char in each.text)]


def _behind(letters: Sequence[Letter], rectangles: Sequence[Rectangle]) -> list[Rectangle | None]:
    """The smallest rectangle behind each letter's middle, if it is as low as a line."""
    bands: dict[int, list[Rectangle]] = {}
    for one in sorted(rectangles, key=lambda each: (each.right - each.left) * (each.bottom - each.top)):
        for band in range(int(one.top // _BAND), int(one.bottom // _BAND) + 1)[:10]:
            bands.setdefault(band, []).append(one)
    found: list[Rectangle | None] = []
    for letter in letters:
        across, down, high = (letter.left + letter.right) / 2, (letter.top + letter.bottom) / 2, letter.bottom - letter.top
        near = bands.get(int(down // _BAND), ()) if letter.char.strip() else ()
        found.append(
            next(
                (
                    one
                    for one in near
                    if one.left <= across <= one.right and one.top <= down <= one.bottom and one.bottom - one.top < 2.5 * high
                ),
                None,
            )
        )
    return found


def _badges(letters: Sequence[Letter], behind: Sequence[Rectangle | None], page: int) -> dict[Rectangle, Box]:
    """The rectangles that hold a short number and nothing else."""
    held: dict[Rectangle, list[Letter]] = {}
    for letter, rectangle in zip(letters, behind, strict=True):
        if rectangle is not None:
            held.setdefault(rectangle, []).append(letter)
    boxes = {rectangle: _boxed(inside, page) for rectangle, inside in held.items()}
    return {
        rectangle: together(box.text, (box, Box("", page, *rectangle[:4])))
        for rectangle, box in boxes.items()
        if _NUMBER.fullmatch(box.text) and rectangle.right - rectangle.left < 3 * box.height
    }


def _passage(
    letters: Sequence[Letter], behind: Sequence[Rectangle | None], at: list[int], badges: dict[Rectangle, Box], page: int
) -> Marked:
    first_letter = letters[at[0]]
    line = [letters[index] for index in at if abs(letters[index].bottom - first_letter.bottom) < 1]
    covered = [_covered(letters[index], behind[index]) for index in at]
    text = _text([letters[index] for index in range(at[0], at[-1] + 1) if behind[index] not in badges])
    first = _boxed(line, page)
    rectangle = behind[at[0]]
    assert rectangle is not None
    return Marked(fold(text), first, rectangle.colour, round(sum(covered) / len(covered), 2), _number(first, badges))


def _covered(letter: Letter, rectangle: Rectangle | None) -> float:
    """The share of a letter's height that the colour behind it has."""
    assert rectangle is not None
    shared = min(letter.bottom, rectangle.bottom) - max(letter.top, rectangle.top)
    return max(0.0, min(1.0, shared / max(letter.bottom - letter.top, 0.1)))


def _number(first: Box, badges: dict[Rectangle, Box]) -> int | None:
    """The number in the badge at the passage's beginning."""
    near = [
        (abs(badge.right - first.left), int(badge.text))
        for badge in badges.values()
        if badge.gap_across(first) <= 2 * first.height and badge.gap_down(first) <= 0.6 * first.height
    ]
    return min(near)[1] if near else None


def _share_numbers(found: Sequence[Page]) -> None:
    """Where badges tell which colours mean sources, other colours mark nothing, and a colour's only number is that of all."""
    numbers: dict[Colour, set[int]] = {}
    for page in found:
        for one in page.marked:
            if one.number is not None:
                numbers.setdefault(one.colour, set()).add(one.number)
    if not numbers:
        return
    for page in found:
        page.marked = [one for one in page.marked if one.colour in numbers]
        for one in page.marked:
            if one.number is None and len(numbers[one.colour]) == 1:
                (one.number,) = numbers[one.colour]
