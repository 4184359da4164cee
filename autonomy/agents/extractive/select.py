"""Quotable sentences for one question from retrieved passages: cleaned first, then ranked, then thinned.

The invariant: a card's quote is `passage.text[a:b]` at offset `passage.start + a`, so it is the snapshot's own words. Better
few cards than bad ones: nothing that cannot stand alone, that is off the question, or that repeats what is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autonomy.agents.extractive.headings import clean_heading
from autonomy.agents.extractive.interpret import asked_words
from autonomy.agents.roles import SelectRequest, served
from autonomy.core.types import Anchor, Card, Passage
from autonomy.text import claims, ranking
from autonomy.text.everyday import is_everyday
from autonomy.text.fitting import asks, fits
from autonomy.text.language import detect, is_cjk
from autonomy.text.leaning import leans
from autonomy.text.openers import ENTRY_VERB
from autonomy.text.relevance import ENOUGH, LIGHT, Relevance, about, light, relevance, sides, subject, things
from autonomy.text.sentences import split
from autonomy.text.standalone import flaw, item_mark, weak
from autonomy.text.stopwords import is_carrier, is_stop_word
from autonomy.text.words import terms

PER_SECTION = 3
# Measured on manuals: below it a sentence shares a common word with the question and no more.
TOPICAL = 0.4
FEW = 3
"""Sentences; where fewer name what was asked, those do that stand under a heading or title that names it: all of them where the
goal has no points that speak beside it, else those under one that begins with it."""
NEW_TERMS = 3
RESCUED_WORDS = 60
DANGLING_COST = 0.6
WEAK_COST = 0.3
ENTRY_COST = 0.35
NEWS_COST = 0.6
ITEM_COST = 0.8
DEFINITION_GAIN = 0.5
FIT_GAIN = 0.7
"""What it is worth to have the form of an answer: a ground for "why", a figure for "how much"."""
COMPARED_GAIN = 1.2
OTHER_WORDS = 0.8
"""What the answer to other words for a question is worth of an answer to the question."""
SECTION_GAIN = 1.5
"""What a section is about whose heading names all that was asked for."""
TITLE_GAIN = 0.7
"""What a document is about that is named after all that was asked for."""
# What Markdown would read as its own: it would not stand in the document as it stands in the source.
_MARKED = re.compile(r"__\w|\w__|(?<!\w)_\w[^_]*\w_(?!\w)|\*\w|\w\*|[`\\]|</?\w+>|!\[|\]\(|~~|^\s*[#>]")
_CODE = re.compile(r"\w\((?!e?s\))|\w\.\w+\(|[a-z]_[a-z]|::|\w+\.(?:py|h|c|so)\b|(?<![\w-])--?[a-z]{2,}|[<>=]=|->")
"""Calls, names with underscores, operators, options: what a text about programs holds and plain prose does not."""
_ITEM = re.compile(r"^[$/~-]|\w_\w|\w/\w|\w\.\w|\(\)")
_INTERFACE = re.compile(
    r"\b(?:api|module|library|interface|(?:object|class|function|method|constant|parameter|exception|option|handler)s?)\b",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"[\w.]+\([^)]*\)?[^.]*$|^(?:class|async|exception|coroutine|function|method|def)\s|^-{1,2}\w|^[\w.]+(?:\s*[=:]\s*\S+)?$"
)
_PURPOSE = re.compile(
    r"\b(?:compar\w+|differ\w*|unlike|than|versus|goals?|purpose|aims?|intended|designed|advantages?|drawbacks?|trade-?offs?"
    r"|vergleich\w*|unterschied\w*|als|ziele?|zweck|vorteile?|nachteile?|gedacht|compara\w*|diferenci\w*|que|objetivos?|ventajas?"
    r"|différen\w*|but|buts|objectifs?|avantages?)\b",
    re.IGNORECASE,
)
"""Words of what compares a thing or says what it is for."""
_LAST_WORD = re.compile(r"([^\W\d_]+)[)\"'”]*:\s*$")
_LISTING = re.compile(
    r"\b(?:ways|kinds|types|cases|options|steps|values|fields|rules|reasons|examples?|several|various|e\.g|möglichkeiten|schritte"
    r"|arten|formas|pasos|tipos|façons|étapes|sortes)\b",
    re.IGNORECASE,
)
"""What says that a list follows."""
_WITHOUT = re.compile(
    r"\b(?:without|instead of|rather than|alternatives? to|in place of|ohne|statt|anstelle|sin|en lugar de|sans|au lieu)\s+"
    r"((?:[\w-]+\s?){1,5})",
    re.IGNORECASE,
)
# What changed in a release is read by those who knew the one before.
_NEWS = re.compile(
    r"what['’]s new|changelog|change log|release notes|\bnews\b|neuerungen|novedades|nouveautés|変更点|新特性|更新日志",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Candidate:
    """A sentence (or a rescued pair) of a passage, with its figures; `start` and `end` count in the passage's text."""

    passage: Passage
    start: int
    end: int
    paragraph: int
    place: int
    language: str
    rescued: bool
    terms: list[str]
    vector: dict[str, float] = field(default_factory=dict)
    topical: float = 0.0
    score: float = 0.0

    @property
    def text(self) -> str:
        """The words themselves."""
        return self.passage.text[self.start : self.end]

    @property
    def home(self) -> tuple[str, str | None]:
        """The source, and the section in it."""
        return self.passage.source, self.passage.section


def select(request: SelectRequest) -> tuple[Card, ...]:
    """At most `limit` cards for the question, best first, without ids. Long sentences count where few short ones answer."""
    made = _made(request, long=False)
    taken = sum(any(quote in passage.text for passage in request.passages) for quote in request.taken)
    return made if len(made) + taken >= FEW else _made(request, long=True)


def _made(request: SelectRequest, *, long: bool) -> tuple[Card, ...]:
    found = [c for passage in request.passages for c in candidates(passage, request.brief.language, long=long)]
    found = _in_language(found, request.brief.language)
    if not found:
        return ()
    wanted = subject(asked_words(request.question, request.brief.language), request.brief.language)
    weight = _weight([c.terms for c in found])
    everyday = light(request.question, request.brief.language)
    telling = {
        term: weight(term) * (LIGHT if term in everyday else 1.0) for term in terms(request.question, request.brief.language)
    }
    for candidate in found:
        candidate.topical = _on_point(candidate, wanted, request, lambda term: telling.get(term, weight(term)))
    asked = set(wanted)
    aims = relevance(request.brief.questions, request.brief.terms, request.brief.language, request.weights, (request.question,))
    # What answers another question of the goal is found by that one.
    own = relevance((served(request.question, request.brief),), request.brief.terms, request.brief.language, request.weights)
    taken = _prints(request)
    apt = [
        c
        for c in found
        if _says_something(c, asked) and _relevant(c, aims) and _relevant(c, own) and not _does_without(c, request)
    ]
    # What is taken already serves no question a second time.
    apt = [c for c in apt if not _repeats(c, taken)]
    kept = [c for c in apt if c.topical >= TOPICAL and not asked.isdisjoint((*c.terms, *_above(c)))]
    if len(kept) < FEW:
        kept = [c for c in apt if c in kept or not request.brief.must_cover or _is_named(c, own)]
    own_words = request.question in request.brief.questions or not request.brief.questions
    answering = [c for c in kept if _answers(c, own)]
    kept = answering if len(answering) >= FEW and own_words else kept
    if not kept:
        return ()
    _score(kept, request, wanted, weight)
    share = 1.0 if own_words else OTHER_WORDS
    return tuple(_card(c, request.question, share) for c in _thin(kept, request))


def candidates(passage: Passage, fallback: str, *, long: bool = False) -> list[Candidate]:
    """The sentences of a passage that can stand alone, `long` ones too where that is said, and those that can with the one
    before."""
    language = passage.language or detect(passage.text, default=fallback)
    spans = split(passage.text, language)
    found: list[Candidate] = []
    paragraph = place = 0
    before: tuple[int, int] | None = None
    # A passage begins behind a heading or, where it speaks of code, behind a signature, which readers keep out of prose.
    above = f"{passage.title} {passage.section or ''}"
    technical = bool(_CODE.search(f"{above} {passage.text}") or _INTERFACE.search(above))
    signature = technical
    for start, end in spans:
        if before and "\n" in passage.text[before[1] : start]:
            signature = bool(_SIGNATURE.search(passage.text[slice(*before)])) and not _terminated(passage.text[: before[1]])
            paragraph, place, before = paragraph + 1, 0, None
        entry = place if signature else -1
        if before is None:
            start += item_mark(passage.text[start:end], language)
        whole = end - _announces(passage.text[start:end], language)
        span, rescued = _quotable(passage, (start, whole), before, language, entry, technical, long=long)
        if span:
            text = passage.text[slice(*span)]
            found.append(Candidate(passage, *span, paragraph, place, language, rescued, terms(text, language)))
        before, place = (start, end), place + 1
    return found


def _terminated(text: str) -> bool:
    return text.rstrip("\"'”’»)")[-1:] in ".!?。！？:"


def _quotable(
    passage: Passage,
    span: tuple[int, int],
    before: tuple[int, int] | None,
    language: str,
    entry: int,
    technical: bool,
    *,
    long: bool,
) -> tuple[tuple[int, int] | None, bool]:
    """(the span to quote or None, whether it had to take the sentence before with it).

    `entry` is the sentence's place below a signature, -1 elsewhere: the first one there often is a bare command.
    """
    text = passage.text[slice(*span)]
    if passage.text[span[1] : span[1] + 1] == ":":
        text += "."
    if _MARKED.search(text) or detect(text, default=language) != language:
        return None, False
    found = flaw(text, language, below_signature=entry == 0, technical=technical, long=long)
    if found == "":
        return span, False
    if found != "dangling" or before is None:
        return None, False
    lead = passage.text[slice(*before)]
    joined = passage.text[before[0] : span[1]]
    if (
        flaw(lead, language, below_signature=entry == 1, technical=technical) != ""
        or _MARKED.search(joined)
        or len(joined.split()) > RESCUED_WORDS
        or len(joined) > 600
        or leans(joined, language, technical=technical)
    ):
        return None, False
    return (before[0], span[1]), True


def _announces(text: str, language: str) -> bool:
    """Whether all but the colon at the end of a text is a whole sentence: "Give the name in the address:" before an example
    is, "You can then run:" and "There are three ways:" are not."""
    last = _LAST_WORD.search(text)
    if last is None:
        return False
    word = last[1].lower()
    return not (
        is_stop_word(word, language)
        or is_carrier(word, language)
        or is_everyday(text, *last.span(1), language)
        or claims.numbers(text, language)
        or _LISTING.search(text)
    )


def _in_language(found: list[Candidate], language: str) -> list[Candidate]:
    """Those in the document's language, unless the sources hardly have any: translations hold untranslated parts."""
    own = [candidate for candidate in found if candidate.language == language]
    return own if len(own) * 3 >= len(found) else found


def _weight(vectors: Sequence[Sequence[str]]) -> Callable[[str], float]:
    """Mild idf: the subject stands in most passages found for it and must still count."""
    exact = ranking.idf(ranking.document_frequency(vectors), len(vectors))
    top = exact("\x00unknown")
    return lambda term: 0.5 + 0.5 * exact(term) / top


def _on_point(candidate: Candidate, wanted: Sequence[str], request: SelectRequest, weight: Callable[[str], float]) -> float:
    """As `_topical`; a question after one point of the goal is answered by the point, its scope being a matter of place."""
    full = _topical(candidate, wanted, weight)
    points = [terms(point, request.brief.language) for point in request.brief.must_cover]
    asked = [point for point in points if set(point) < set(wanted)]
    return max([full, *(0.3 * full + 0.7 * _topical(candidate, point, weight) for point in asked)])


def _topical(candidate: Candidate, wanted: Sequence[str], weight: Callable[[str], float]) -> float:
    """The share of the question that the sentence names, and half of what its heading and title name for it; 0 to 1."""
    own = ranking.recall(wanted, candidate.terms, weight)
    frame = f"{candidate.passage.section or ''} {candidate.passage.called}"
    around = ranking.recall(wanted, [*candidate.terms, *terms(frame, candidate.language)], weight)
    return own + 0.5 * (around - own) if own > 0 or claims.defines(candidate.text, candidate.language) else 0.0


def _relevant(candidate: Candidate, aims: Relevance) -> bool:
    """Whether it speaks to the goal, however few words the question in hand has."""
    passage = candidate.passage
    headings = (passage.section or "",)
    return aims.of(candidate.text, headings, passage.called, candidate.language, within=passage.text) >= ENOUGH


def _above(candidate: Candidate) -> list[str]:
    """The terms of the heading that it stands under."""
    return terms(candidate.passage.section or "", candidate.language)


def _is_named(candidate: Candidate, own: Relevance) -> bool:
    """Whether the heading or the document that it stands in is named after what is asked."""
    passage = candidate.passage
    return any(aim.is_named((passage.section or "",), passage.called, candidate.language) for aim in own.aims)


def _answers(candidate: Candidate, own: Relevance) -> bool:
    """Whether it takes up what is asked of the thing, has the form of an answer, or says what the thing is."""
    around = {*candidate.terms, *_above(candidate)}
    return any(
        aim.taken_up(candidate.text, around, candidate.language) or fits(candidate.text, aim.question, candidate.language)
        for aim in own.aims
    )


def _does_without(candidate: Candidate, request: SelectRequest) -> bool:
    """Whether the heading says that the thing asked for is not there ("Running without a subprocess"), or the sentence names it
    only as what something else is instead of."""
    language = request.brief.language
    if _WITHOUT.search(request.brief.title) or sides(request.brief.title, language):
        return False
    above = {
        term for found in _WITHOUT.finditer(candidate.passage.section or "") for term in terms(found[1], candidate.language)
    }
    own = {term for found in _WITHOUT.finditer(candidate.text) for term in terms(found[1], candidate.language)}
    named = things(served(request.question, request.brief), language)
    return bool(above & set(request.brief.terms)) or any(len(thing) > 1 and own >= set(thing) for thing in named)


def _says_something(candidate: Candidate, asked: set[str]) -> bool:
    """Whether it holds words beyond the question, most of them beyond the title and the heading as well.

    "X is a complex topic" does not; "A pump is a machine that moves water" does under the heading "Machines and pumps".
    """
    frame = f"{candidate.passage.section or ''} {candidate.passage.title}"
    beyond = set(candidate.terms) - asked
    new = len(beyond - set(terms(frame, candidate.language)))
    if is_cjk(candidate.language):
        return new >= NEW_TERMS * 2
    enough = len(beyond) >= NEW_TERMS or claims.strength(candidate.text, candidate.language) > 0
    return new >= NEW_TERMS or (new == NEW_TERMS - 1 and enough)


def _score(found: list[Candidate], request: SelectRequest, wanted: Sequence[str], weight: Callable[[str], float]) -> None:
    """Sets each candidate's score, 1 for the best: first of all by how much of the question it answers."""
    language = request.brief.language
    everyday = light(request.question, language)
    solid = [term for term in wanted if term not in everyday]
    rivals = sides(request.question, language)
    heads = about(request.question, language) or [solid or wanted]
    kind = asks(request.question, language)
    vectors = [ranking.tf_idf(c.terms, weight) for c in found]
    middle = ranking.centroid(vectors)
    central = ranking.scaled([ranking.cosine(vector, middle) for vector in vectors])
    query = ranking.scaled([c.topical for c in found])
    order = _ranks(found)
    for candidate, vector, near, asked in zip(found, vectors, central, query, strict=True):
        candidate.vector = vector
        cue = claims.cue(candidate.text, candidate.language)
        candidate.score = (
            near
            + ranking.position(0, candidate.paragraph, candidate.place)
            + 2.5 * asked
            + (FIT_GAIN * fits(candidate.text, request.question, language) if kind else 0.5 * cue)
            + _compares(candidate, rivals)
            + 1.0 / (1 + 0.3 * order[candidate.passage.id])
            + SECTION_GAIN * ranking.recall(solid, _above(candidate), weight)
            + TITLE_GAIN * ranking.recall(solid, terms(candidate.passage.called, candidate.language), weight)
            + (DEFINITION_GAIN if claims.says_what(candidate.text, heads, candidate.language) else 0.0)
            - (DANGLING_COST / 2 if candidate.rescued else 0.0)
            - (WEAK_COST if weak(candidate.text, candidate.language) else 0.0)
            - (ENTRY_COST if ENTRY_VERB.match(candidate.passage.text) else 0.0)
            - (ITEM_COST if _of_an_item(candidate, request) else 0.0)
            - (NEWS_COST if _NEWS.search(f"{candidate.passage.title} {candidate.passage.section or ''}") else 0.0)
        )
    top = max(c.score for c in found)
    for candidate in found:
        candidate.score = candidate.score / top if top > 0 else 0.0


def _of_an_item(candidate: Candidate, request: SelectRequest) -> bool:
    """Whether a sentence begins with the name of a file, variable or option that the question does not name."""
    first = candidate.text.split(maxsplit=1)[0]
    return bool(_ITEM.search(first)) and first.lower() not in request.task.goal.lower()


def _compares(candidate: Candidate, rivals: Sequence[Sequence[str]]) -> float:
    """What a sentence gains for a question that holds things against one another: most where it names two of them, half of
    that where it says what one of them is for or better at."""
    section = candidate.passage.section or ""
    own, around = set(candidate.terms), {*candidate.terms, *_above(candidate)}
    named = [side for side in rivals if around >= set(side)]
    if len(named) > 1:
        return COMPARED_GAIN if any(own >= set(side) for side in named) else COMPARED_GAIN / 2
    return COMPARED_GAIN / 2 if named and _PURPOSE.search(f"{section} {candidate.text}") else 0.0


def _ranks(found: Sequence[Candidate]) -> dict[str, int]:
    """Passage id -> its place among the passages by retrieval score, best 0."""
    best = sorted({c.passage.id: c.passage for c in found}.values(), key=lambda p: (-p.score, p.source, p.start))
    return {passage.id: rank for rank, passage in enumerate(best)}


def _thin(found: list[Candidate], request: SelectRequest) -> list[Candidate]:
    """By relevance and difference; no repeats of what is taken, no overlap, at most three of a source's section."""
    order = ranking.diverse([c.score for c in found], [c.vector for c in found], len(found))
    taken = list(_prints(request))
    homes: Counter[tuple[str, str | None]] = Counter()
    chosen: list[Candidate] = []
    for index in order:
        candidate = found[index]
        if (
            _repeats(candidate, taken)
            or homes[candidate.home] >= PER_SECTION
            or any(_overlaps(candidate, other) for other in chosen)
        ):
            continue
        homes[candidate.home] += 1
        taken.append(ranking.pairs(candidate.terms))
        chosen.append(candidate)
        if len(chosen) == request.limit:
            break
    return chosen


def _prints(request: SelectRequest) -> list[frozenset[tuple[str, str]]]:
    return [ranking.pairs(terms(quote, detect(quote, request.brief.language))) for quote in request.taken]


def _repeats(candidate: Candidate, taken: Sequence[frozenset[tuple[str, str]]]) -> bool:
    fingerprint = ranking.pairs(candidate.terms)
    return any(ranking.containment(fingerprint, other) >= ranking.REPEAT for other in taken)


def _overlaps(a: Candidate, b: Candidate) -> bool:
    if a.passage.source != b.passage.source:
        return False
    return a.passage.start + a.start < b.passage.start + b.end and b.passage.start + b.start < a.passage.start + a.end


def _card(candidate: Candidate, question: str, share: float) -> Card:
    passage = candidate.passage
    start = passage.start + candidate.start
    anchor = Anchor(page=passage.page, section=passage.section, start=start, end=passage.start + candidate.end)
    relevance = round(share * min(1.0, 0.5 * min(1.0, candidate.topical) + 0.5 * candidate.score), 3)
    gist = clean_heading(passage.section or passage.title)
    return Card(
        id="", source=passage.source, quote=candidate.text, anchor=anchor, gist=gist, relevance=relevance, question=question
    )
