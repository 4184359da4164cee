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
"""Of a sentence's runs; below it a passage only touches the sentence, unless it stands in it as a whole."""
INSIDE, WHOLE = 8, 0.8
"""Words of a passage, and the share of its runs, from which on it stands in a sentence (or block) that is longer than it."""


def flagged_sentences(passages: Sequence[str], sentences: Iterable[tuple[int, str]]) -> Mapping[int, int]:
    """Sentence number -> number of the passage that covers most of it; sentences that no passage covers are left out, but for
    those in which a passage stands as a whole.

    A sentence of fewer than RUN words counts where a passage holds all of it, in order.
    """
    runs = [_runs(passage) for passage in passages]
    found: dict[int, int] = {}
    for number, sentence in sentences:
        mine = _runs(sentence)
        if not mine:
            continue
        length = len(next(iter(mine)))
        if length < RUN:
            whole = [at for at, passage in enumerate(passages) if mine <= _runs(passage, length)]
            found |= {number: whole[0]} if whole else {}
            continue
        shares = [len(mine & theirs) / len(mine) for theirs in runs]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        if best is not None and (shares[best] >= SHARE or _inside(runs[best], mine)):
            found[number] = best
    return found


def _inside(passage: frozenset[tuple[str, ...]], sentence: frozenset[tuple[str, ...]]) -> bool:
    return len(passage) > INSIDE - RUN and len(passage & sentence) >= WHOLE * len(passage)


def _runs(text: str, length: int = RUN) -> frozenset[tuple[str, ...]]:
    said = spoken(text)
    length = min(length, len(said))
    return frozenset(tuple(said[at : at + length]) for at in range(len(said) - length + 1)) if length else frozenset()
