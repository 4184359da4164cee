"""The plan as a picture: steps in layers, laid out here, drawn as SVG by a template.

Steps that wait for the same steps and are waited for by the same ones stand together in one frame. All of a frame then lead
to all of the next, so one line between two frames tells the truth about every pair in them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autonomy.core import unseen

WIDTH, HEIGHT, GAP = 138, 58, 8
"""Of a step's box, and between boxes of a frame, in CSS pixels."""
PAD, CHANNEL, MARGIN = 8, 28, 2
ROWS = 6
"""Most boxes above each other in a frame; more stand beside them."""
CELLS = 18
"""Columns of text in a line of a box; two lines are shown."""
ROOM, DENSEST = 1154, 0.85
"""What a full page gives the picture, in CSS pixels; a wider one is drawn smaller, down to that share, and scrolls beyond."""
DOT, DOT_GAP, DOT_CHANNEL, ABREAST = 24, 8, 18, 9
"""The sketch for narrow screens: numbered marks, at most so many beside each other."""

STATE_WORDS = {"pending": "to do", "running": "at work", "done": "done", "failed": "failed", "skipped": "left out"}


@dataclass(frozen=True, slots=True)
class Box:
    """One step where it is drawn: the corner of its box, its number in the plan, its lines of text."""

    number: int
    id: str
    text: str
    lines: tuple[str, ...]
    kind: str
    state: str
    word: str
    current: bool
    after: tuple[int, ...]
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The outline around steps that stand alike."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template draws; `edges` are SVG paths with whether what they come from is done."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    edges: tuple[tuple[str, bool], ...]

    @property
    def long(self) -> bool:
        """Whether the page is too narrow for it at full size, and wide enough for a smaller one."""
        return ROOM < self.width <= ROOM / DENSEST


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the layout sees it; `after` and `before` are indexes."""

    index: int
    data: Mapping[str, Any]
    after: frozenset[int]
    before: frozenset[int]


def picture(graph: Mapping[str, Any]) -> Drawing:
    """The plan from left to right, for screens with room."""
    return _draw(graph, flat=False)


def sketch(graph: Mapping[str, Any]) -> Drawing:
    """The plan from top to bottom, as numbered marks: it fits a phone, its list of steps tells the rest."""
    return _draw(graph, flat=True)


def layers(nodes: Sequence[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]]) -> list[list[list[Step]]]:
    """Layers of frames of steps. A step stands one layer behind the last of those it waits for.

    Edges that lead nowhere or backwards against the order of the plan are left out, so that no data can make a circle.
    """
    place = {str(node["id"]): index for index, node in enumerate(nodes)}
    after: list[set[int]] = [set() for _ in nodes]
    before: list[set[int]] = [set() for _ in nodes]
    for edge in edges:
        source, target = place.get(str(edge["source"])), place.get(str(edge["target"]))
        if source is not None and target is not None and source != target:
            after[target].add(source)
            before[source].add(target)
    order = _ordered(after)
    for index in range(len(nodes)):
        late = {other for other in after[index] if order[other] >= order[index]}
        after[index] -= late
        for other in late:
            before[other].discard(index)
    depth: dict[int, int] = {}
    for index in sorted(range(len(nodes)), key=order.__getitem__):
        depth[index] = 1 + max((depth[other] for other in after[index]), default=-1)
    steps = [Step(index, nodes[index], frozenset(after[index]), frozenset(before[index])) for index in range(len(nodes))]
    found: list[list[list[Step]]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    alike: dict[tuple[int, frozenset[int], frozenset[int]], list[Step]] = {}
    for step in steps:
        key = (depth[step.index], step.after, step.before)
        if key not in alike:
            alike[key] = []
            found[depth[step.index]].append(alike[key])
        alike[key].append(step)
    return found


def _ordered(after: Sequence[set[int]]) -> list[int]:
    """For each step its place in an order in which it follows what it waits for, circles cut at their first step."""
    places = [-1] * len(after)
    waiting = [set(each) for each in after]
    left = list(range(len(after)))
    for number in range(len(after)):
        free = next((index for index in left if not waiting[index]), left[0])
        places[free] = number
        left.remove(free)
        for each in waiting:
            each.discard(free)
    return places


def _draw(graph: Mapping[str, Any], *, flat: bool) -> Drawing:
    found = layers(graph["nodes"], graph["edges"])
    sizes = [[_size(len(frame), flat=flat) for frame in layer] for layer in found]
    gap, channel = (DOT_GAP, DOT_CHANNEL) if flat else (GAP, CHANNEL)
    along = 0 if flat else 1
    spread = [sum(size[along] for size in layer) + 2 * gap * (len(layer) - 1) for layer in sizes]
    most = max(spread, default=0)
    boxes: list[Box] = []
    frames: dict[frozenset[int], Frame] = {}
    ahead: float = MARGIN
    for layer, layer_sizes, taken in zip(found, sizes, spread, strict=True):
        side = MARGIN + (most - taken) / 2
        for frame, size in zip(layer, layer_sizes, strict=True):
            x, y = (side, ahead) if flat else (ahead, side)
            frames[frozenset(step.index for step in frame)] = Frame(x, y, *size)
            boxes += [_box(step, number, len(frame), x, y, flat=flat) for number, step in enumerate(frame)]
            side += size[along] + 2 * gap
        ahead += max(size[1 - along] for size in layer_sizes) + channel
    length = max(ahead - channel, 0) + MARGIN
    width, height = (most + 2 * MARGIN, length) if flat else (length, most + 2 * MARGIN)
    edges = tuple(_edges(found, frames, flat=flat))
    seen = tuple(frame for members, frame in frames.items() if len(members) > 1)
    return Drawing(width, height, tuple(sorted(boxes, key=lambda box: box.number)), seen, edges)


def _shape(count: int, *, flat: bool) -> tuple[int, int]:
    """Columns and rows of a frame."""
    if flat:
        rows = -(-count // ABREAST)
        return -(-count // rows), rows
    columns = -(-count // ROWS)
    return columns, -(-count // columns)


def _size(count: int, *, flat: bool) -> tuple[float, float]:
    columns, rows = _shape(count, flat=flat)
    width, height, gap = (DOT, DOT, DOT_GAP) if flat else (WIDTH, HEIGHT, GAP)
    pad = 2 * PAD if count > 1 else 0
    return columns * (width + gap) - gap + pad, rows * (height + gap) - gap + pad


def _box(step: Step, number: int, count: int, x: float, y: float, *, flat: bool) -> Box:
    columns, rows = _shape(count, flat=flat)
    width, height, gap = (DOT, DOT, DOT_GAP) if flat else (WIDTH, HEIGHT, GAP)
    column, row = (number % columns, number // columns) if flat else (number // rows, number % rows)
    pad = PAD if count > 1 else 0
    data = step.data
    text = unseen.show(" ".join(str(data.get("description") or data["id"]).split()), unseen.named)
    state = str(data.get("state", "pending"))
    if data.get("current") and state == "pending":
        state = "running"
    return Box(
        number=step.index + 1,
        id=str(data["id"]),
        text=text,
        lines=wrapped(text, CELLS, 2),
        kind=str(data.get("kind", "")),
        state=state if state in STATE_WORDS else "pending",
        word=STATE_WORDS.get(state, state),
        current=bool(data.get("current")),
        after=tuple(sorted(index + 1 for index in step.after)),
        x=x + pad + column * (width + gap),
        y=y + pad + row * (height + gap),
    )


def _edges(
    found: Sequence[Sequence[Sequence[Step]]], frames: Mapping[frozenset[int], Frame], *, flat: bool
) -> Iterable[tuple[str, bool]]:
    """One curve for each pair of frames of which one waits for the other."""
    every = [frame for layer in found for frame in layer]
    home = {step.index: frame for frame in every for step in frame}
    for target in every:
        sources = {id(home[index]): home[index] for index in sorted(target[0].after)}
        for source in sources.values():
            one = frames[frozenset(step.index for step in source)]
            other = frames[frozenset(step.index for step in target)]
            done = all(step.data.get("state") in ("done", "skipped") for step in source)
            yield _curve(one, other, flat=flat), done


def _curve(one: Frame, other: Frame, *, flat: bool) -> str:
    if flat:
        x1, y1 = one.x + one.width / 2, one.y + one.height
        x2, y2 = other.x + other.width / 2, other.y
        bend = (y2 - y1) / 2
        return f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    x1, y1 = one.x + one.width, one.y + one.height / 2
    x2, y2 = other.x, other.y + other.height / 2
    bend = (x2 - x1) / 2
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def wrapped(text: str, cells: int, most: int) -> tuple[str, ...]:
    """The text in at most so many lines; wide characters count twice, what does not fit ends in three dots."""
    lines, line = list[str](), ""
    for word in text.split():
        for piece in _pieces(word, cells):
            joined = f"{line} {piece}" if line else piece
            if _cells(joined) <= cells:
                line = joined
            else:
                lines.append(line)
                line = piece
    lines.append(line)
    if len(lines) > most:
        last = lines[most - 1]
        while _cells(last) > cells - 1:
            last = last[:-1]
        lines = [*lines[: most - 1], f"{last.rstrip()}…"]
    return tuple(lines)


def _pieces(word: str, cells: int) -> list[str]:
    """A word in pieces that each fit a line."""
    cuts = [0]
    used = 0
    for index, char in enumerate(word):
        width = _cells(char)
        if used + width > cells:
            cuts.append(index)
            used = 0
        used += width
    return [word[start:end] for start, end in pairwise([*cuts, len(word)])]


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
