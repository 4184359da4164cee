"""Which sentences of a draft a report's flagged passages stand in.

A passage comes as text: reports break lines, drop marks of citation and quote only parts of a sentence. So words are
compared, by runs of them, and not offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autonomy.text.words import spoken

RUN = 5
"""Words in a row that are no accident (texts of one genre share about 7 % of them)."""
SHARE = 0.5
"""Of a sentence's runs; below it a passage only touches the sentence."""


def flagged_sentences(passages: Sequence[str], sentences: Iterable[tuple[int, str]]) -> Mapping[int, int]:
    """Sentence number -> number of the passage that covers most of it; sentences that no passage covers are left out.

    A sentence of fewer than RUN words counts where a passage holds all of it, in order.
    """
    runs = [_runs(passage) for passage in passages]
    found: dict[int, int] = {}
    for number, sentence in sentences:
        mine = _runs(sentence)
        if not mine:
            continue
        length = len(next(iter(mine)))
        shares = [
            _covered(mine, theirs if length == RUN else _runs(text, length))
            for theirs, text in zip(runs, passages, strict=True)
        ]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= (SHARE if length == RUN else 1.0):
            found[number] = best
    return found


def _runs(text: str, length: int = RUN) -> frozenset[tuple[str, ...]]:
    said = spoken(text)
    length = min(length, len(said))
    return frozenset(tuple(said[at : at + length]) for at in range(len(said) - length + 1)) if length else frozenset()


def _covered(mine: frozenset[tuple[str, ...]], theirs: frozenset[tuple[str, ...]]) -> float:
    return len(mine & theirs) / len(mine)
