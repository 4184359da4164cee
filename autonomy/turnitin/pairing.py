"""Which label a percentage belongs to: the nearest in its row, else the nearest in its column; never the next in reading order.

A percentage that stands in a row with words belongs to the nearest of these words, whatever they are, and to no label above
or below. In columns a report has its figures either above all labels or below them, so the direction that fits more labels
is taken. Where two figures claim one label alike, or a label stands twice with different figures, none is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autonomy.turnitin.labels import Meaning, squash
from autonomy.turnitin.placed import Box, Figure, Label

_FARTHEST = 3.0
"""Heights of the figure between it and a label above or below it, at most."""
_ALIKE = 1.1
_NEARER = 3.0
"""So many times nearer must the words on one side be than those on the other."""


class Claim(NamedTuple):
    """A figure that may belong to a label, and how far it is away."""

    distance: float
    figure: Figure
    label: Label


@dataclass(frozen=True, slots=True)
class Paired:
    """One figure per meaning, and the meanings for which several figures stand."""

    figures: Mapping[Meaning, Figure]
    doubtful: frozenset[Meaning]


def pair(figures: Sequence[Figure], labels: Sequence[Label], cells: Sequence[Box]) -> Paired:
    """Hold the percentages of a part of a report against its labels; `cells` is all the text there."""
    owner = {id(cell): label for label in labels for cell in label.cells}
    beside: list[Claim] = []
    unclear: set[Meaning] = set()
    alone: list[Figure] = []
    for figure in figures:
        words = _neighbours(figure, figures, cells)
        if not words:
            alone.append(figure)
        else:
            claims, either = _of_row(figure, words, owner)
            beside.extend(claims)
            unclear |= either
    taken, doubtful = _settle(beside)
    unclear -= {claim.label.meaning for claim in taken}
    free = [label for label in labels if id(label) not in {id(claim.label) for claim in taken}]
    columns, more = _of_columns(alone, figures, free)
    return _by_meaning([*taken, *columns], doubtful | more | unclear)


def _neighbours(figure: Figure, figures: Sequence[Figure], cells: Iterable[Box]) -> list[Box]:
    """The words next to a figure in its row, left and right, with no other figure between."""
    row = [cell for cell in cells if figure.beside(cell) and squash(cell.text)]
    others = [other for other in figures if other is not figure and figure.beside(other)]
    words = []
    for side in (
        [cell for cell in row if cell.right <= figure.left + 0.3 * cell.height],
        [cell for cell in row if cell.left >= figure.right - 0.3 * cell.height],
    ):
        nearest = min(side, key=figure.gap_across, default=None)
        if nearest is not None and not any(_between(other, figure, nearest) for other in others):
            words.append(nearest)
    return words


def _between(other: Box, figure: Box, word: Box) -> bool:
    """Whether another figure stands between a figure and the far end of a word: over the word, or on the way to it."""
    if word.left >= figure.left:
        return other.right > figure.right and other.left < word.right
    return other.left < figure.left and other.right > word.left


def _of_row(figure: Figure, words: Sequence[Box], owner: Mapping[int, Label]) -> tuple[list[Claim], set[Meaning]]:
    """The claim of a figure on the words next to it, if these are a label; and the labels that it may belong to, if both
    sides are about as near."""
    gaps = sorted((figure.gap_across(word), at) for at, word in enumerate(words))
    labels = [owner.get(id(words[at])) for _, at in gaps]
    if len(gaps) == 2 and gaps[1][0] < _NEARER * max(gaps[0][0], 0.5 * figure.height):
        return [], {label.meaning for label in labels if label is not None}
    return ([Claim(gaps[0][0], figure, labels[0])] if labels[0] is not None else []), set()


def _settle(claims: Iterable[Claim]) -> tuple[list[Claim], frozenset[Meaning]]:
    """Nearest first, each figure and each label once; and the labels that two figures claim alike."""
    waiting = sorted(claims, key=lambda claim: claim.distance)
    taken: list[Claim] = []
    doubtful: set[Meaning] = set()
    figures: dict[int, Claim] = {}
    labels: dict[int, Claim] = {}
    for claim in waiting:
        rival = labels.get(id(claim.label))
        if id(claim.figure) in figures:
            continue
        if rival is None:
            taken.append(claim)
            figures[id(claim.figure)] = labels[id(claim.label)] = claim
        elif claim.distance <= rival.distance * _ALIKE and claim.figure.value != rival.figure.value:
            doubtful.add(claim.label.meaning)
    return taken, frozenset(doubtful)


def _of_columns(
    alone: Sequence[Figure], figures: Sequence[Figure], labels: Sequence[Label]
) -> tuple[list[Claim], frozenset[Meaning]]:
    """The pairs of figures and labels in columns, in the direction that makes more of them."""
    found = []
    for above in (True, False):
        claims = [
            Claim(figure.gap_down(label), figure, label)
            for figure in alone
            for label in labels
            if (figure.over(label) if above else label.over(figure))
            and figure.gap_down(label) <= _FARTHEST * figure.height
            and not _blocked(figure, label, [*figures, *labels])
            and not _queued(figure, figures, labels, above=above)
        ]
        taken, doubtful = _settle(claims)
        found.append((len(taken), -sum(claim.distance for claim in taken), taken, doubtful))
    first, second = sorted(found, key=lambda each: each[:2], reverse=True)
    if first[:2] == second[:2] and first[0]:
        return [], frozenset(claim.label.meaning for claim in (*first[2], *second[2]))
    return first[2], first[3]


def _blocked(figure: Box, label: Box, others: Iterable[Box]) -> bool:
    """Whether another figure or label stands between the two in their column."""
    upper, lower = sorted((figure, label), key=lambda box: box.middle)
    return any(upper.over(other) and other.over(lower) for other in others if other is not figure and other is not label)


def _queued(figure: Figure, figures: Sequence[Figure], labels: Sequence[Label], *, above: bool) -> bool:
    """Whether another figure stands in line behind this one, with no label between: which label is whose then nobody knows."""
    behind = [
        other
        for other in figures
        if other is not figure
        and (other.over(figure) if above else figure.over(other))
        and figure.gap_down(other) <= _FARTHEST * figure.height
    ]
    return any(
        not any((other.over(label) and label.over(figure)) or (figure.over(label) and label.over(other)) for label in labels)
        for other in behind
    )


def _by_meaning(claims: Iterable[Claim], doubtful: frozenset[Meaning]) -> Paired:
    held: dict[Meaning, list[Figure]] = {}
    for claim in claims:
        held.setdefault(claim.label.meaning, []).append(claim.figure)
    several = {meaning for meaning, all_of in held.items() if len({(each.value, each.less) for each in all_of}) > 1}
    unsure = frozenset(doubtful | several)
    return Paired({meaning: all_of[0] for meaning, all_of in held.items() if meaning not in unsure}, unsure)
