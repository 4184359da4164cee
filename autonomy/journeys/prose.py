"""The gates on the text itself: borrowed wording, length, shape, readability, and the completeness of a research pack."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from autonomy.agents.contract import Failure
from autonomy.agents.material import FRAMED, Material, Part, SectionDraft
from autonomy.agents.roles import Sentence
from autonomy.core.counting import several
from autonomy.journeys.audit import Audit, Measured, gate, outside_quotations, share
from autonomy.text.chars import count_words
from autonomy.text.language import is_cjk
from autonomy.text.ranking import containment, pairs
from autonomy.text.sentences import split
from autonomy.text.words import terms, tokens

_PLACEHOLDER = re.compile(
    r"\b(?-i:TODO|TBD|FIXME|XXX)\b|lorem ipsum|\[(?:insert|citation needed|your )[^\]]*\]|\{\{|<(?:insert|title|name)>|"
    r"\bas an ai (?:language )?model\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?。！？…:：][\s\"'”’»«“」』)）]*$")  # French sets a space before its closing mark
_VOWELS = {
    "en": re.compile(r"[aeiouy]+"),
    "de": re.compile(r"ei|ie|au|eu|äu|ai|aa|ee|oo|[aeiouyäöü]"),
    "es": re.compile(r"[aeiou]?[iu][aeoáéó][iu]?|[aeoáéó][iu]|[aeiouáéíóúü]"),
}
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_FLESCH = {"en": (206.835, 1.015, 84.6), "de": (180.0, 1.0, 58.5), "es": (206.84, 1.02, 60.0)}


def overlap(audit: Audit) -> Measured:
    """Words outside quotations that stand in a run of the same words in a source, of all words outside quotations."""
    policy, language = audit.policy, audit.material.brief.language
    size = policy.run * 2 if is_cjk(language) else policy.run
    longest_allowed = policy.longest_run * 2 if is_cjk(language) else policy.longest_run
    drafted = [(where, _units(outside_quotations(s.text))) for where, s in _sentences(audit.material) if not s.block]
    grams = {tuple(words[i : i + size]) for _, words in drafted for i in range(len(words) - size + 1)}
    asked = _units(audit.material.task.goal)
    grams -= {tuple(asked[i : i + size]) for i in range(len(asked) - size + 1)}
    borrowed = _seen(audit, grams, size) if grams else set()
    failing: list[str] = []
    failures: list[Failure] = []
    n = copied = longest = 0
    for (part, heading, index), words in drafted:
        runs = _runs(words, borrowed, size)
        n += len(words)
        copied += sum(runs)
        longest = max(longest, *runs, 0)
        if runs:
            failing.append(
                f"{audit.place(part, heading, index)}: a run of {max(runs)} words of a source without quotation marks"
            )
            failures.append(
                Failure(part, heading, index, "overlap", f"{max(runs)} words in a row are a source's own: quote or reword")
            )
    figure = round(copied / n, 4) if n else 0.0
    passed = figure <= policy.overlap and longest < longest_allowed
    return Measured(gate("overlap", figure, policy.overlap, passed, n, failing), () if passed else tuple(failures))


def text_length(audit: Audit, target: int, parts: tuple[Part, ...]) -> Measured:
    """Words of these parts against the length aimed at."""
    policy = audit.policy
    sections = [section for section in audit.material.sections if section.part in parts]
    sizes = [(section.heading, _words(section)) for section in sections]
    words = sum(size for _, size in sizes)
    band = [round(target * policy.length_low), round(target * policy.length_high)]
    failing = []
    if not band[0] <= words <= band[1]:
        sizes = sorted(sizes, key=lambda each: -each[1]) if words > band[1] else sizes
        failing = [f"{heading}: {several(size, 'word')}" for heading, size in sizes] or [f"missing: {' and '.join(parts)}"]
    return Measured(gate("length", words, band, not failing, words, failing))


def structure(audit: Audit, parts: tuple[Part, ...]) -> Measured:
    """Faults of shape, none allowed: a part missing or empty, headings twice, repeats, open ends, placeholders, proportions."""
    material = audit.material
    have = {section.part for section in material.sections if section.sentences}
    spare = set(parts) - {"section"} if _is_short(audit) else set()
    failing = [f"missing: {part}" for part in parts if part not in have | spare]
    headings = [section.heading for section in material.sections]
    failing += [f"heading twice: {heading}" for heading in sorted({h for h in headings if headings.count(h) > 1})]
    failing += [
        f"empty: {section.heading}" for section in material.sections if not section.sentences and section.part not in spare
    ]
    failing += _proportions(audit)
    failures = list(_repeats(audit))
    for (part, heading, index), sentence in _sentences(material):
        if _PLACEHOLDER.search(outside_quotations(sentence.text)) and not sentence.block:
            failures.append(Failure(part, heading, index, "structure", "a placeholder was left in"))
        elif sentence.kind == "claim" and not sentence.block and not _ENDS.search(sentence.text.strip()):
            failures.append(Failure(part, heading, index, "structure", "the sentence has no end"))
    failing += [f"{audit.place(each.part, each.heading, each.index)}: {each.why}" for each in failures]
    n = len(material.sections)
    return Measured(gate("structure", len(failing), 0, n > 0 and not failing, n, failing), tuple(failures))


def _is_short(audit: Audit) -> bool:
    """Whether a single quotation is all there is, which parts around it would only repeat."""
    return 0 < len({card.id for claim in audit.claims for card in claim.cards}) < FRAMED


def readability(audit: Audit) -> Measured:
    """Reading ease of the whole text (Flesch, Amstad, Fernández Huerta), or letters a sentence where words have no spaces."""
    policy, language = audit.policy, audit.material.brief.language[:2]
    low, high = (policy.letters_low, policy.letters_high) if is_cjk(language) else (policy.flesch_low, policy.flesch_high)
    drafted = [(where, sentence.text) for where, sentence in _sentences(audit.material)]
    figure, n = _reading([text for _, text in drafted], language)
    failing = []
    if n and not low <= figure <= high:
        parts: dict[str, list[str]] = {}
        for (part, heading, _), text in drafted:
            parts.setdefault(audit.title(heading) if part == "annotation" else heading, []).append(text)
        alone = [(heading, _reading(texts, language)[0]) for heading, texts in parts.items()]
        alone.sort(key=lambda each: each[1], reverse=figure > high)
        failing = [f"{heading}: {ease:g}" for heading, ease in alone]
    return Measured(gate("readability", figure, [low, high], bool(n) and not failing, n, failing))


def _reading(texts: list[str], language: str) -> tuple[float, int]:
    """Reading ease of these sentences together (letters a sentence where words have no spaces), and how many there are."""
    text = "\n\n".join(texts)
    spans = split(text, language)
    if not is_cjk(language):
        return _ease(text, len(spans), language), len(spans)
    return (round(sum(end - start for start, end in spans) / len(spans), 1) if spans else 0.0), len(spans)


def pack_complete(audit: Audit) -> Measured:
    """Items in order, of all: questions with a row, rows quoted, annotations in size, synthesis sentences with a row."""
    material, policy = audit.material, audit.policy
    failing: list[str] = []
    failures: list[Failure] = []
    carried = {card for row in material.matrix for card in row.cards}
    asked = {row.question for row in material.matrix}
    answered = [each for each in material.searched if each.answered]
    failing += [
        f"question without a row: {each.question}"
        for each in answered
        if each.question not in asked and not carried.intersection(each.cards)
    ]
    failing += [f"row without a quote: {row.id}" for row in material.matrix if not any(cell.card for cell in row.cells)]
    sizes = {each.source: sum(count_words(s.text) for s in each.sentences) for each in material.annotations}
    named = [source.id for source in material.sources]
    for source in named:
        words = sizes.get(source, 0)
        if not policy.annotation_least <= words <= policy.annotation_most:
            band = f"{policy.annotation_least} to {policy.annotation_most}"
            failing.append(f"the annotation of {audit.title(source)}: {several(words, 'word')}, wanted {band}")
    sentences = [claim for claim in audit.claims if claim.part == "synthesis"]
    for claim in sentences:
        if not any(card.id in carried for card in claim.cards):
            failing.append(f"{audit.named(claim)}: no row of the matrix carries it")
            failures.append(
                Failure("synthesis", claim.heading, claim.index, "pack_complete", "no row of the matrix carries it")
            )
    if not sentences and not _is_short(audit):
        failing.append("no synthesis")
    n = len(answered) + len(material.matrix) + len(named) + max(1, len(sentences))
    return Measured(share("pack_complete", n - len(failing), n, policy.pack, failing), tuple(failures))


def _sentences(material: Material) -> Iterator[tuple[tuple[Part, str, int], Sentence]]:
    """Every drafted sentence with its place."""
    for section in material.sections:
        for index, sentence in enumerate(section.sentences):
            yield (section.part, section.heading, index), sentence
    for annotation in material.annotations:
        for index, sentence in enumerate(annotation.sentences):
            yield ("annotation", annotation.source, index), sentence


def _units(text: str) -> list[str]:
    """Folded words; single letters where words have no spaces. Whole texts at C speed: a source may have a million words."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if text.isascii():
        return words
    return [unit for word in words for unit in (word if is_cjk_word(word) else (word,))]


def is_cjk_word(word: str) -> bool:
    """Whether a token is a run of Japanese or Chinese letters."""
    return "\u3040" <= word[0] <= "\u9fff"


def _seen(audit: Audit, grams: set[tuple[str, ...]], size: int) -> set[tuple[str, ...]]:
    """Which of the draft's runs stand in a cited source; the source is streamed, only the draft is kept."""
    found: set[tuple[str, ...]] = set()
    for source in dict.fromkeys(card.source for card in audit.material.cards):
        words = _units(audit.snapshot(source))
        found.update(g for i in range(len(words) - size + 1) if (g := tuple(words[i : i + size])) in grams)
    return found


def _runs(words: list[str], borrowed: set[tuple[str, ...]], size: int) -> list[int]:
    """The lengths of the sentence's runs that stand in a source."""
    runs: list[int] = []
    covered = 0
    for i in range(len(words) - size + 1):
        if tuple(words[i : i + size]) not in borrowed:
            continue
        if i < covered:
            runs[-1] += i + size - covered
        else:
            runs.append(size)
        covered = i + size
    return runs


def _repeats(audit: Audit) -> Iterator[Failure]:
    """Claims of the sections that say again what an earlier one says; annotations are held against themselves only."""
    language = audit.material.brief.language
    seen: dict[str, list[frozenset[tuple[str, str]]]] = {}
    for claim in audit.measured:
        if claim.part == "matrix":
            continue
        scope = claim.heading if claim.part == "annotation" else claim.part if claim.part == "synthesis" else "body"
        print_ = pairs(terms(claim.sentence.text, language))
        if any(containment(print_, other) >= audit.policy.repeat for other in seen.get(scope, [])):
            yield Failure(claim.part, claim.heading, claim.index, "structure", "repeats an earlier sentence")
        elif len(print_) > 2:
            seen.setdefault(scope, []).append(print_)


def _proportions(audit: Audit) -> list[str]:
    """Sections far too short or too long for their document; with fewer than three there is nothing to compare."""
    policy = audit.policy
    body = [section for section in audit.material.sections if section.part == "section"]
    sizes = [_words(section) for section in body]
    if len(body) < 3:
        return []
    least = min(policy.section_least, 0.5 / len(body))
    shares = [(section.heading, size / max(1, sum(sizes))) for section, size in zip(body, sizes, strict=True)]
    band = f"wanted {least:.0%} to {policy.section_most:.0%}"
    return [
        f"{heading}: {part:.0%} of the text, {band}" for heading, part in shares if not least <= part <= policy.section_most
    ]


def _words(section: SectionDraft) -> int:
    return sum(count_words(sentence.text) for sentence in section.sentences)


def _ease(text: str, sentences: int, language: str) -> float:
    base, by_words, by_syllables = _FLESCH.get(language, _FLESCH["en"])
    vowels = _VOWELS.get(language, _VOWELS["en"])
    words = [text[start:end].lower() for start, end in tokens(text) if text[start].isalpha()]
    if not words or not sentences:
        return 0.0
    syllables = sum(max(1, len(vowels.findall(word.removesuffix("e") if language == "en" else word))) for word in words)
    return round(base - by_words * len(words) / sentences - by_syllables * syllables / len(words), 1)
