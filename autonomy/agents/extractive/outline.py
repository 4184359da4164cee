"""Cards become three to seven sections: what belongs together stands together. Where a thing is to be described, definitions
come first and comparisons last; where something is asked, what answers it best.

Each point the goal names gets a section of its own where there is evidence for it. Headings are the sources' own, or the
goal's words; none is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from autonomy.agents.extractive.asked import is_clause
from autonomy.agents.extractive.headings import clean_heading, plain_title, telling
from autonomy.agents.extractive.wording import wording
from autonomy.agents.roles import Brief, Outline, OutlineRequest, SectionPlan
from autonomy.core.types import Card, Source
from autonomy.text import claims, ranking
from autonomy.text.markers import marks
from autonomy.text.relevance import sides
from autonomy.text.words import terms

WORDS_PER_CARD = 36
WORDS_PER_SECTION = 190
LEAST_CARDS = 2
MOST_SECTIONS = 7
SHORT = 400
"""Documents below this many words have one or two sections."""
GOOD = 0.5
ENOUGH = 6
STRANGE = 0.15
"""Relevance worth a place where there is a choice; cards below which nothing is left out; likeness below which a lone
card is left out rather than put among strangers."""
BEST = 3
"""Cards that are never left out where a question is asked; elsewhere it is one."""

_LIMIT = re.compile(
    r"limit|restrict|drawback|caveat|problem|error|fail|warning|risk|danger|avoid|pitfall|unsupported|grenze|einschränk"
    r"|fehler|problem|gefahr|"
    r"límite|restric|error|riesgo|fallo|limite|erreur|risque|制限|限界|エラー|問題|限制|错误|问题|风险",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\bthan\b|compar|versus|\bvs\b|differ|alternativ|unlike|instead|vergleich|unterschied|statt|gegenüber|compara"
    r"|diferenci|en lugar|différen|"
    r"plutôt|比較|違い|代わり|比较|区别|不同|替代",
    re.IGNORECASE,
)
_USE = re.compile(
    r"\buse|using|usage|example|how to|configur|install|creat|run\b|running|call|command|verwend|benutz|einricht|install"
    r"|befehl|beispiel|uso|usar|"
    r"instalar|ejemplo|utilis|使用|使い方|設定|例|安装|配置|用法",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Group:
    """Cards on their way to a section. `point` is the goal's own words when the section answers one of its points."""

    cards: list[Card]
    vector: dict[str, float]
    point: str = ""


def outline(request: OutlineRequest) -> Outline:
    """The shape of the document; every card id in it is one of the request's."""
    return laid_out(request, _chosen(request.cards, request.words, request.task.min_citations or 0))


def laid_out(request: OutlineRequest, cards: Sequence[Card]) -> Outline:
    """The shape of a document that is made of these cards."""
    language = request.brief.language
    if not cards:
        return Outline(title=request.brief.title, sections=(), thin=request.brief.must_cover or (request.brief.subject,))
    vectors = _vectors(cards, language)
    groups, thin = _seeded(cards, vectors, request.brief)
    order = [card.id for card in ranked(cards)]
    first, best = set(order[:1]), set(order[: BEST if asked(request.brief) else 1])
    groups = _merged(groups, _wanted(request.words, len(cards)), first, best, request.task.min_citations or 0)
    place = {card.id: number for number, card in enumerate(_source_order(cards))}
    if asked(request.brief):
        groups.sort(key=lambda g: (*_service(g, request.brief), min(place[c.id] for c in g.cards)))
    else:
        points = {point: number for number, point in enumerate(request.brief.must_cover)}
        groups.sort(
            key=lambda g: (
                first.isdisjoint(_names(g)),
                _phase(g, request.brief),
                points.get(g.point, 0),
                min(place[c.id] for c in g.cards),
            )
        )
    titles = {source.id: source for source in request.sources}
    sections = _sections(groups, request, titles, place)
    return Outline(title=request.brief.title, sections=tuple(sections), thin=tuple(thin))


def _chosen(cards: Sequence[Card], words: int, least: int) -> list[Card]:
    """As many cards as the length holds, and at `least` so many of those there are: the good ones first."""
    kept = ranked(cards)[: max(3, least, round(words / WORDS_PER_CARD))]
    good = [card for card in kept if card.relevance >= GOOD]
    if len(good) >= ENOUGH:
        others = [card for card in kept if card.relevance < GOOD]
        kept = [*good, *others[: max(0, least - len(good))]]
    return in_order(cards, kept)


def ranked(cards: Sequence[Card]) -> list[Card]:
    """Best first, each question served before a second helping."""
    turn: dict[str, int] = {}
    order: list[tuple[float, int]] = []
    for i in sorted(range(len(cards)), key=lambda i: (-cards[i].relevance, i)):
        helping = turn[cards[i].question] = turn.get(cards[i].question, 0) + 1
        order.append((cards[i].relevance / (1 + 0.12 * (helping - 1)), i))
    return [cards[i] for _, i in sorted(order, key=lambda pair: (-pair[0], pair[1]))]


def in_order(cards: Sequence[Card], kept: Sequence[Card]) -> list[Card]:
    """Those kept, in the order in which they were found."""
    names = {card.id for card in kept}
    return [card for card in cards if card.id in names]


def _vectors(cards: Sequence[Card], language: str) -> dict[str, dict[str, float]]:
    """Card id -> tf-idf over its quote, with its heading and its question's words counted in."""
    bags = [
        [*terms(c.quote, language), *(terms(c.anchor.section or "", language) * 3), *terms(c.question, language)] for c in cards
    ]
    weight = ranking.idf(ranking.document_frequency(bags), len(bags))
    return {card.id: ranking.tf_idf(bag, weight) for card, bag in zip(cards, bags, strict=True)}


def _seeded(cards: Sequence[Card], vectors: dict[str, dict[str, float]], brief: Brief) -> tuple[list[Group], list[str]]:
    """Groups by the goal's points, then by the sources' own headings; and the points for which there is nothing."""
    points = {point: terms(point, brief.language) for point in brief.must_cover}
    mine: dict[str, list[Card]] = {point: [] for point in points}
    left: list[Card] = []
    for card in cards:
        shares = {
            point: 1.0 if card.question == point else _share(card, wanted, brief.language) for point, wanted in points.items()
        }
        if not any(shares.values()):
            # A sentence that only its document's name puts under a point.
            shares = {point: float(card.question.casefold() == point.casefold()) for point in points}
        best = [point for point, share in shares.items() if share > 0.5 and share == max(shares.values())]
        if not best or (len(best) == len(points) > 1):
            left.append(card)
        else:
            mine[min(best, key=lambda point: len(mine[point]))].append(card)
    groups = [Group(held, _mean([vectors[c.id] for c in held]), point) for point, held in mine.items() if held]
    thin = [
        point
        for point, held in mine.items()
        if not held and not any(_share(card, points[point], brief.language) > 0.5 for card in cards)
    ]
    homes: dict[tuple[str, str | None], list[Card]] = {}
    for card in left:
        homes.setdefault((card.source, card.anchor.section), []).append(card)
    groups.extend(Group(held, _mean([vectors[c.id] for c in held])) for held in homes.values())
    return groups, thin


def _share(card: Card, wanted: Sequence[str], language: str) -> float:
    """The share of a point that the card names: its own words count whole, those of its heading nearly so; 0 to 1."""
    own, heading = set(terms(card.quote, language)), set(terms(card.anchor.section or "", language))
    return sum(1.0 if term in own else 0.9 if term in heading else 0.0 for term in wanted) / max(1, len(wanted))


def _mean(vectors: Sequence[dict[str, float]]) -> dict[str, float]:
    return ranking.centroid(vectors, share=1.0)


def _wanted(words: int, cards: int) -> int:
    """How many sections the length and the evidence carry."""
    least = 3 if words >= SHORT else 1
    return max(least, min(MOST_SECTIONS, round(words / WORDS_PER_SECTION), cards // LEAST_CARDS))


def _merged(groups: list[Group], wanted: int, first: Set[str], best: Set[str], least: int) -> list[Group]:
    """The two most alike become one until few enough are left and none is thin; two points of the goal never merge.

    The `first` card may stand alone, the `best` are left out of no document, and none is where fewer than
    `least` cards would stay.
    """
    groups = list(groups)
    while len(groups) > 1:
        thin = [i for i, g in enumerate(groups) if len(g.cards) < LEAST_CARDS and not g.point and first.isdisjoint(_names(g))]
        if len(groups) <= wanted and not thin:
            break
        closest = _closest(groups, thin)
        if closest is None:
            break
        a, b, likeness = closest
        stranger = groups[a if a in thin else b]
        total = sum(len(g.cards) for g in groups)
        spare = total > ENOUGH and total - len(stranger.cards) >= least
        if thin and likeness < STRANGE and spare and best.isdisjoint(_names(stranger)):
            groups.remove(stranger)
            continue
        kept, gone = (a, b) if groups[a].point or not groups[b].point else (b, a)
        cards = groups[kept].cards + groups[gone].cards
        # The mean of both, by size: a large group must not swallow all the rest.
        share = len(groups[kept].cards) / len(cards)
        vector = {t: v * share for t, v in groups[kept].vector.items()}
        for term, value in groups[gone].vector.items():
            vector[term] = vector.get(term, 0.0) + value * (1 - share)
        groups[kept] = Group(cards, vector, groups[kept].point)
        del groups[gone]
    return groups


def _names(group: Group) -> set[str]:
    return {card.id for card in group.cards}


def _closest(groups: Sequence[Group], thin: Sequence[int]) -> tuple[int, int, float] | None:
    """The pair to merge: a thin group with its nearest, else the two nearest; small pairs before large ones."""
    best: tuple[float, int, int, float] | None = None
    for a in range(len(groups)):
        for b in range(a + 1, len(groups)):
            if (groups[a].point and groups[b].point) or (thin and a not in thin and b not in thin):
                continue
            likeness = ranking.cosine(groups[a].vector, groups[b].vector)
            # What belongs to no point must be much alike to be put under one.
            likeness *= 0.5 if groups[a].point or groups[b].point else 1.0
            weighed = likeness / (len(groups[a].cards) + len(groups[b].cards)) ** 0.5
            if best is None or weighed > best[0]:
                best = (weighed, a, b, likeness)
    return best[1:] if best else None


def asked(brief: Brief) -> bool:
    """Whether the goal asks something that is answered, be it by a comparison, rather than names what is to be described."""
    return (
        is_clause(brief.subject, brief.language)
        or bool(sides(brief.title, brief.language))
        or any(point.rstrip().endswith("?") for point in brief.must_cover)
    )


def _service(group: Group, brief: Brief) -> tuple[int, float]:
    """The question that the best of a group answers, by its place in the brief, and how well it does."""
    best = max(group.cards, key=lambda card: card.relevance)
    place = brief.questions.index(best.question) if best.question in brief.questions else len(brief.questions)
    return place, -best.relevance


def _phase(group: Group, brief: Brief) -> int:
    """0 definition, 1 working, 2 use, 3 limits, 4 comparison: what most of the group's text is about."""
    # A point of the goal is what it says; of the other groups the headings tell.
    headings = group.point or " ".join(card.anchor.section or "" for card in group.cards)
    if _COMPARISON.search(headings):
        return 4
    if _LIMIT.search(headings):
        return 3
    if group.point:
        return 1
    subject = set(brief.terms)
    own = [set(terms(c.anchor.section or "", brief.language)) for c in group.cards]
    size = len(group.cards)
    if sum(bool(words) and words <= subject for words in own) * 2 > size:
        return 0
    defining = sum(
        claims.defines(c.quote, brief.language) and bool(subject & set(terms(c.quote[:90], brief.language)))
        for c in group.cards
    )
    if defining * 2 >= size:
        return 0
    limits = sum(bool(_LIMIT.search(c.quote)) or bool(marks("negation", c.quote, brief.language)) for c in group.cards)
    compared = sum(bool(_COMPARISON.search(c.quote)) for c in group.cards)
    if compared * 2 > size:
        return 5
    if limits * 3 > size * 2:
        return 4
    return 3 if _USE.search(headings) else 2


def _source_order(cards: Sequence[Card]) -> list[Card]:
    """By source in order of first appearance, then by place in it."""
    first: dict[str, int] = {}
    for card in cards:
        first.setdefault(card.source, len(first))
    return sorted(cards, key=lambda c: (first[c.source], c.anchor.start))


def _sections(
    groups: Sequence[Group], request: OutlineRequest, sources: dict[str, Source], place: dict[str, int]
) -> list[SectionPlan]:
    language = request.brief.language
    total = sum(len(group.cards) for group in groups)
    body = max(60, round(request.words * 0.8))
    claim = wording(language).section_claim
    sections: list[SectionPlan] = []
    taken = [frozenset(terms(text, language)) for text in (request.brief.title, *(group.point for group in groups))]
    for group in groups:
        heading = _heading(group, sources, taken, request.brief)
        taken.append(frozenset(terms(heading, language)))
        best = max(group.cards, key=lambda c: c.relevance) if asked(request.brief) else None
        ordered = sorted(group.cards, key=lambda c: (c is not best, not claims.defines(c.quote, language), place[c.id]))
        count = len({c.source for c in group.cards})
        sections.append(
            SectionPlan(
                heading=heading,
                claim=claim.format(heading=heading, count=len(group.cards), sources=count),
                cards=tuple(c.id for c in ordered),
                words=round(body * len(group.cards) / total),
            )
        )
    return sections


def _heading(group: Group, sources: dict[str, Source], taken: Sequence[frozenset[str]], brief: Brief) -> str:
    """The point's words, else the heading or title that most of the group stands under, else its weightiest words."""
    language = brief.language
    if group.point:
        return group.point[:1].upper() + group.point[1:]
    weighed: dict[str, float] = {}
    for card in group.cards:
        title = plain_title(sources[card.source].title) if card.source in sources else ""
        for text, share in ((clean_heading(card.anchor.section or ""), 1.0), (title, 0.45)):
            if telling(text, language):
                own = terms(text, language)
                fit = ranking.cosine(dict.fromkeys(own, 1.0), group.vector) + 0.5 * ranking.recall(
                    brief.terms, own, lambda t: 1.0
                )
                weighed[text] = weighed.get(text, 0.0) + share * (card.relevance + fit)
    for text, _ in sorted(weighed.items(), key=lambda pair: (-round(pair[1], 6), pair[0])):
        if frozenset(terms(text, language)) not in taken:
            return text
    plain = (clean_heading(group.cards[0].anchor.section or ""), plain_title(sources[group.cards[0].source].title))
    spare = (text for text in plain if text and frozenset(terms(text, language)) not in taken)
    return _phrase(group, taken, language) or next(spare, f"{brief.title} ({len(taken)})")


def _phrase(group: Group, taken: Sequence[frozenset[str]], language: str) -> str:
    """A heading from two or three neighbouring words that two of the group's quotes share."""
    counts: dict[str, int] = {}
    for card in group.cards:
        words = re.findall(r"[^\W\d_][\w-]*", card.quote)
        grams = {" ".join(words[i : i + n]) for n in (2, 3) for i in range(len(words) - n + 1)}
        for gram in sorted(grams):
            if len(terms(gram, language)) == len(gram.split()):
                counts[gram] = counts.get(gram, 0) + 1
    for gram, count in sorted(counts.items(), key=lambda pair: (-pair[1], -len(pair[0].split()), pair[0])):
        if count > 1 and frozenset(terms(gram, language)) not in taken:
            return gram[:1].upper() + gram[1:]
    return ""
