"""What a scripted model answers when it answers well: every role, played by rule from the prompt's own evidence.

The answers are modest (mostly quotations) but right: spans stand in their passage, cites are ids of the prompt, and
the same prompt always gives the same answer. So a whole run can be driven from goal to document without a model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autonomy.core.prompts import Exhibit, read_fences, schema_named
from autonomy.text import sentences
from autonomy.text.standalone import flaw
from autonomy.text.words import terms

Fences = Mapping[str, Sequence[Exhibit]]

_FIELD = r"^{}: ?(.*)$"
_COUNT = re.compile(r"^At most (\d+)", re.MULTILINE)
_ABOUT_WORDS = re.compile(r"^Words: about (\d+)", re.MULTILINE)
_LANGUAGE = re.compile(r"^Language of (?:every text you write \(code\)|the document): ([a-z]{2,3})", re.MULTILINE)
_LANGUAGES = re.compile(r"languages: ([a-z]{2,3})")
_SECTION = re.compile(r'section "([^"]*)"')
_LEADS = ("One source says:", "It is put this way:", "The text reads:", "This is what is written:")
_MOST_QUOTED = 45


def schema_asked(body: Mapping[str, Any]) -> str | None:
    """The name of the schema a request asks for, in its response format or in words; None for plain text."""
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        name = wanted["json_schema"].get("name")
        return name if isinstance(name, str) else None
    return schema_named("\n".join(_texts(body, "system")))


def good_answer(body: Mapping[str, Any]) -> str:
    """A good answer to a chat request: JSON for the roles' schemas, a plain sentence otherwise."""
    role = ROLES.get(schema_asked(body) or "")
    if role is None:
        return "This is a scripted answer."
    prompt = (_texts(body, "user") or [""])[0]
    return json.dumps(role(prompt, read_fences(prompt)), ensure_ascii=False)


def wrong_answer() -> dict[str, Any]:
    """JSON that is no role's answer."""
    return {
        "answer": 42,
        "sections": "none",
        "paragraphs": 1,
        "questions": {"a": "b"},
        "cards": "c1",
        "answers": 7,
        "sentences": "x",
    }


def _texts(body: Mapping[str, Any], role: str) -> list[str]:
    messages = body.get("messages")
    found = [m for m in messages if isinstance(m, dict) and m.get("role") == role] if isinstance(messages, list) else []
    return [str(message.get("content", "")) for message in found]


def _field(prompt: str, name: str) -> str:
    match = re.search(_FIELD.format(re.escape(name)), prompt, re.MULTILINE)
    return match[1].strip() if match else ""


def _number(pattern: re.Pattern[str], prompt: str, default: int) -> int:
    match = pattern.search(prompt)
    return int(match[1]) if match else default


def _language(prompt: str) -> str:
    match = _LANGUAGE.search(prompt) or _LANGUAGES.search(prompt)
    return match[1] if match else "en"


def _near(wanted: Sequence[str], items: Sequence[str], language: str) -> list[str]:
    """The items by terms shared with `wanted`, most first, those without any left out."""
    goal = frozenset(wanted)
    scored = [(len(goal & frozenset(terms(item, language))), place, item) for place, item in enumerate(items)]
    return [item for shared, _, item in sorted(scored, key=lambda row: (-row[0], row[1])) if shared]


def _brief(prompt: str, fences: Fences) -> dict[str, Any]:
    language = _language(prompt)
    goal = _field(prompt, "Goal")
    headings = [item.text for item in (*fences.get("headings", ()), *fences.get("titles", ()))]
    near = list(dict.fromkeys(_near(terms(goal, language), headings, language)))
    questions = list(dict.fromkeys([goal, *near]))[: min(8, _number(_COUNT, prompt, 8))]
    return {
        "notes": "The collection's own headings lead.",
        "title": goal[:90].rstrip("."),
        "language": language,
        "subject": goal[:200],
        "must_cover": near[:2],
        "questions": [{"view": "basics", "question": question[:280]} for question in questions],
    }


def _cards(prompt: str, fences: Fences) -> dict[str, Any]:
    language = _language(prompt)
    wanted = frozenset(terms(_field(prompt, "Question"), language))
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for place, passage in enumerate(fences.get("passages", ())):
        best = _best_sentence(passage.text, wanted, language)
        if best is None:
            continue
        shared, span = best
        says = " ".join(span.split()[:14])
        card = {"passage": passage.id, "span": span, "says": says, "relevance": min(10, 4 + shared)}
        rows.append((-shared, place, card))
    limit = _number(_COUNT, prompt, 6)
    return {"notes": "", "cards": [card for _, _, card in sorted(rows, key=lambda row: row[:2])[:limit]]}


def _best_sentence(text: str, wanted: frozenset[str], language: str) -> tuple[int, str] | None:
    best: tuple[int, str] | None = None
    for start, end in sentences.split(text, language):
        span = text[start:end].strip()
        if len(span.split()) > _MOST_QUOTED or flaw(span, language):
            continue
        shared = len(wanted & frozenset(terms(span, language)))
        if best is None or shared > best[0]:
            best = shared, span
    return best


def _outline(prompt: str, fences: Fences) -> dict[str, Any]:
    cards = list(fences.get("evidence", ()))
    most = _number(_COUNT, prompt, 4)
    groups: dict[str, list[str]] = {}
    for card in cards:
        groups.setdefault(_heading(card), []).append(card.id)
    while len(groups) > 1 and (len(groups) > most or min(map(len, groups.values())) < 2):
        smallest = min(groups, key=lambda name: len(groups[name]))
        taken = groups.pop(smallest)
        groups[min(groups, key=lambda name: len(groups[name]))].extend(taken)
    points = [item.id for item in fences.get("points", ())]
    sections = [
        {"heading": name, "claim": f"What the sources say: {name}", "cards": ids, "covers": points if place == 0 else []}
        for place, (name, ids) in enumerate(groups.items())
    ]
    return {"notes": "", "title": _field(prompt, "Subject")[:90].rstrip("."), "sections": sections, "missing": []}


def _heading(card: Exhibit) -> str:
    match = _SECTION.search(card.title)
    return (match[1] if match and match[1].strip() else card.title.split(", page")[0])[:90] or "Evidence"


def _draft(prompt: str, fences: Fences) -> dict[str, Any]:
    part, language = _field(prompt, "Part"), _language(prompt)
    if part in ("introduction", "conclusion"):
        return _frame_part(prompt, fences)
    words = _number(_ABOUT_WORDS, prompt, 150)
    written: list[dict[str, Any]] = []
    if part == "annotation":
        headings = [item.text for item in fences.get("headings", ())][:6]
        written.extend([{"text": f"{'; '.join(headings)}.", "cites": []}] if headings else [])
    count = 0
    for place, card in enumerate(fences.get("evidence", ())):
        lead = f"{_LEADS[place % len(_LEADS)]} " if language == "en" else ""
        length = len(lead.split()) + len(card.text.split())
        if count and count + length > words:
            continue
        written.append({"text": f"{lead}“{_plain_quotes(card.text)}”", "cites": [card.id]})
        count += length
    return {"notes": "", "paragraphs": [{"sentences": written[at : at + 3]} for at in range(0, len(written), 3)], "missing": []}


def _plain_quotes(text: str) -> str:
    return text.replace("“", "'").replace("”", "'")


def _frame_part(prompt: str, fences: Fences) -> dict[str, Any]:
    done = [item.text.removesuffix(" (done)").split(":")[0] for item in fences.get("outline", ())]
    sentences_of = [
        {"text": f"{_field(prompt, 'Subject').rstrip('.?!')}: {'; '.join(done) or _field(prompt, 'Heading')}.", "cites": []}
    ]
    missing = [item.text.removeprefix("not found: ") for item in fences.get("figures", ()) if item.text.startswith("not found")]
    return {"notes": "", "paragraphs": [{"sentences": sentences_of}], "missing": missing}


def _judgement(prompt: str, fences: Fences) -> dict[str, Any]:
    answers = []
    for pair in fences.get("pairs", ()):
        wanted = frozenset(terms(pair.title.removeprefix("Sentence: "), "en"))
        share = len(wanted & frozenset(terms(pair.text, "en"))) / max(1, len(wanted))
        verdict = "yes" if share >= 0.6 else "partly" if share >= 0.35 else "no"
        answers.append({"pair": pair.id, "reason": f"{share:.0%} of its words stand in the quotes", "verdict": verdict})
    return {"answers": answers}


def _revision(prompt: str, fences: Fences) -> dict[str, Any]:
    cards = {card.id: card for card in fences.get("evidence", ())}
    mended = []
    for sentence in fences.get("draft", ()):
        if not sentence.title.startswith("FAILS"):
            continue
        cites = [name for name in sentence.title.split(" cites ", 1)[-1].split() if name in cards]
        fate: dict[str, Any] = {"number": int(sentence.id), "action": "drop", "text": "", "cites": []}
        if cites:
            fate.update(action="rewrite", text=f"“{_plain_quotes(cards[cites[0]].text)}”", cites=cites[:1])
        mended.append(fate)
    return {"notes": "", "sentences": mended}


def _questions(prompt: str, fences: Fences) -> dict[str, Any]:
    thin = [item.text for item in fences.get("thin", ())]
    other = [word for line in thin for word in sorted(line.split(), key=lambda word: (-len(word), word))[:2]]
    subject = _field(prompt, "Subject")
    return {"notes": "", "questions": list(dict.fromkeys([*(f"What is {word.strip('?.,')}?" for word in other), subject]))[:6]}


ROLES: Mapping[str, Callable[[str, Fences], dict[str, Any]]] = MappingProxyType(
    {
        "brief": _brief,
        "cards": _cards,
        "outline": _outline,
        "draft": _draft,
        "judgement": _judgement,
        "revision": _revision,
        "questions": _questions,
    }
)
"""Schema name -> the role that answers it."""
