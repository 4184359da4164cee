"""Each gate on the manner of a text, on small texts: shown to pass and to miss, and not measured where it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.agents.material import Material
from autonomy.agents.roles import Sentence
from autonomy.core.gates import says_something, told
from autonomy.core.types import Gate
from autonomy.journeys import manner
from autonomy.journeys.audit import Audit
from autonomy.journeys.catalogue import journey
from autonomy.journeys.policies import parse
from autonomy.journeys.policy import Policy
from tests.journeys import made

PLAIN = {
    "en": "The paper sets out how the queue hands each job to one worker and waits for its answer. ",
    "de": "Der Text beschreibt, wie die Warteschlange jeden Auftrag an einen Arbeiter gibt und auf dessen Antwort wartet. ",
    "es": "El texto describe cómo la cola entrega cada trabajo a un obrero y espera luego su respuesta con calma. ",
    "fr": "Le texte décrit comment la file remet chaque tâche à un ouvrier et attend ensuite sa réponse sans bouger. ",
}
"""About twenty words each, none of them listed."""
ON = Policy(miss=dict.fromkeys(("source_age", "overclaim", "bias", "argument", "tone", "links"), "tells"))


def essay(*sentences: Sentence, language: str = "en", plain: int = 20, **change: Any) -> Material:
    """A section of these sentences, and `plain` more without a listed word."""
    rest = [made.said(PLAIN[language], kind="scaffold") for _ in range(plain)]
    brief = made.brief(language)
    return made.written(sections=(made.section("Only", [*sentences, *rest]),), brief=brief, **change)


def one(name: str, material: Material, policy: Policy = ON) -> Gate | None:
    found = {each.gate.name: each.gate for each in manner.measure(Audit(material, made.snapshot(), policy))}
    return found.get(name)


def said(text: str, *cites: str) -> Sentence:
    return made.said(text, *cites)


WORDS = [
    (
        "overclaim",
        "en",
        "This is undoubtedly an unparalleled and flawless design.",
        ("undoubtedly", "unparalleled", "flawless"),
    ),
    (
        "overclaim",
        "de",
        "Das ist zweifellos ein bahnbrechender, makelloser Entwurf.",
        ("zweifellos", "bahnbrechender", "makelloser"),
    ),
    ("overclaim", "es", "Es sin duda un diseño incomparable y perfecto.", ("sin duda", "incomparable", "perfecto")),
    ("overclaim", "fr", "C'est sans doute un projet remarquable et parfait.", ("sans doute", "remarquable", "parfait")),
    ("bias", "en", "The so-called experts, notorious and shameful, boast.", ("so-called", "notorious", "shameful", "boast")),
    ("bias", "de", "Die sogenannten Fachleute sind lächerlich und naiv.", ("sogenannten", "lächerlich", "naiv")),
    ("bias", "es", "Los supuestos expertos son ridículos e ingenuos.", ("supuestos", "ridículos", "ingenuos")),
    ("bias", "fr", "Les soi-disant experts sont ridicules et naïfs.", ("soi-disant", "ridicules", "naïfs")),
    ("tone", "en", "Honestly, it's a really cool trick!", ("honestly", "it's", "really", "cool", "!")),
    ("tone", "de", "Das ist echt krass, Leute!", ("echt", "krass", "leute", "!")),
    ("tone", "es", "¡Es un montón de trabajo, o sea, genial!", ("¡", "un montón", "o sea", "genial", "!")),
    ("tone", "fr", "Franchement, c'est un truc super cool !", ("franchement", "truc", "super", "cool", "!")),
]


@pytest.mark.parametrize(
    ("name", "language", "text", "words"), WORDS, ids=[f"{name}-{language}" for name, language, *_ in WORDS]
)
def test_listed_words_are_counted_for_each_thousand_and_named_with_their_place(
    name: str, language: str, text: str, words: tuple[str, ...]
) -> None:
    material = essay(said(text), language=language)
    gate = one(name, material)
    assert gate is not None
    n = int(gate.evidence[0].removeprefix("n="))
    assert n > 300
    assert gate.figure == round(1000 * len(words) / n, 2)
    assert gate.evidence[1:] == tuple(f"Only, sentence 1: '{word}'" for word in words)
    assert gate.passed is (gate.figure <= gate.threshold)
    assert not gate.passed
    sound = one(name, essay(language=language))
    assert sound is not None
    assert (sound.figure, sound.passed, len(sound.evidence)) == (0.0, True, 1)


def test_the_threshold_is_the_last_figure_that_passes() -> None:
    material = essay(said("Undoubtedly so."))
    gate = one("overclaim", material)
    assert gate is not None
    assert gate.passed
    at = parse(f"gates: {{overclaim: {{threshold: {gate.figure}, miss: tells}}}}", "p").of("write")
    below = parse(f"gates: {{overclaim: {{threshold: {gate.figure - 0.01:.2f}, miss: tells}}}}", "p").of("write")
    assert [held.passed for held in (one("overclaim", material, at), one("overclaim", material, below)) if held] == [
        True,
        False,
    ]


def test_what_is_quoted_is_the_source_s_tone_and_a_citation_answers_for_certainty() -> None:
    quoted = essay(said("The author writes: “Honestly, it's a really shameful, flawless, unparalleled trick!”"))
    assert [(gate.figure, gate.passed) for name in ("overclaim", "bias", "tone") if (gate := one(name, quoted))] == [
        (0.0, True), (0.0, True), (0.0, True),
    ]  # fmt: skip
    cited = one("overclaim", essay(said("Tasks can always and undoubtedly be cancelled without any doubt.", "c1")))
    assert cited is not None
    assert (cited.figure, cited.passed) == (0.0, True)


def test_a_claim_that_drops_the_hedge_of_its_quotation_is_firmer_than_it() -> None:
    hedged = made.card("c9", "handbook", "Services that do not", "service manager.").model_copy(
        update={"quote": "Services are usually killed by the service manager."}
    )
    cards = (*made.cards(), hedged)
    firm = one("overclaim", essay(said("The service manager kills the services of the machine.", "c9"), cards=cards))
    kept = one("overclaim", essay(said("The service manager usually kills the services of the machine.", "c9"), cards=cards))
    assert firm is not None
    assert kept is not None
    assert (firm.figure, firm.passed) == (0.0, False)
    assert firm.evidence[1] == "k1 (Only, sentence 1): firmer than its quotation, which says 'usually'"
    assert kept.passed


@pytest.mark.parametrize("name", ["overclaim", "bias", "tone"])
def test_a_short_text_and_a_language_without_a_list_are_not_rated(name: str) -> None:
    loaded = said("Honestly, it's a so-called flawless trick!")
    assert one(name, essay(loaded, plain=2)) is None
    other = essay(loaded)
    assert one(name, other) is not None
    assert one(name, other.model_copy(update={"brief": made.brief("nl")})) is None


@pytest.mark.parametrize(
    ("text", "grounded"),
    [
        ("The queue is fair because each user has a clock of their own.", True),
        ("The queue takes ninety jobs, and of them 40 wait.", True),
        ("The author says “the queue is fair to each of its users”.", False),
        ("The queue is fair to every one of its many users.", False),
    ],
)
def test_a_section_argues_where_a_claim_has_a_reason_a_number_or_a_quotation(text: str, grounded: bool) -> None:
    gate = one("argument", made.written(sections=(made.section("Queues", [said(text)]),)))
    assert gate is not None
    assert (gate.figure, gate.passed) == ((1.0, True) if grounded else (0.0, False))
    assert gate.evidence == (("n=1",) if grounded else ("n=1", "Queues: no reason, number or quotation"))


def test_sections_argue_up_to_a_share_and_frames_need_not() -> None:
    good = made.section("A", [made.said("“Tasks can easily and safely be cancelled.”", "c1", quoted=True)])
    empty = made.section("B", [made.said("What the sources leave open stands below.", kind="scaffold")])
    frame = made.section("Introduction", [made.said("One says.", kind="scaffold")], part="introduction")
    gate = one("argument", made.written(sections=(frame, *[good.model_copy(update={"heading": h}) for h in "CDEF"], empty)))
    assert gate is not None
    assert (gate.figure, gate.passed, gate.evidence) == (0.8, True, ("n=5", "B: no claim"))
    less = one("argument", made.written(sections=(frame, good, empty)))
    assert less is not None
    assert (less.figure, less.passed) == (0.5, False)
    assert one("argument", made.written(sections=(good,), brief=made.brief("ja"))) is None


@pytest.mark.parametrize(("year", "old"), [(2015, False), (2014, True)])
def test_a_source_is_old_by_the_year_in_which_it_was_read(year: int, old: bool) -> None:
    """It was read in 2025, and ten years are wanted."""
    sources = (made.source("manual"), made.source("handbook", year=year), made.source("notes"))
    gate = one("source_age", made.written(sources=sources))
    assert gate is not None
    assert (gate.figure, gate.passed) == ((1.0, False) if old else (0.0, True))
    assert gate.evidence == (("n=2", f"Administration Handbook: {year}, 11 years old") if old else ("n=2",))


def test_without_a_dated_source_no_age_is_measured() -> None:
    sources = (made.source("manual"), made.source("handbook", year=None), made.source("notes"))
    assert one("source_age", made.written(sources=sources)) is None


def test_links_are_unverified_and_never_missed() -> None:
    assert one("links", made.written()) is None
    linked = essay(said("More stands at https://example.org/a, and (http://example.org/b)."))
    gate = one("links", linked)
    assert gate is not None
    assert (gate.figure, gate.passed) == ("unverified", True)
    assert not says_something(told([gate])[0]), "a criterion that names it is for a person to judge"
    assert gate.evidence == ("n=2", "unverified: https://example.org/a", "unverified: http://example.org/b")


@pytest.mark.parametrize("name", ["write", "research"])
def test_none_is_measured_unless_the_policy_asks(name: str) -> None:
    make = {"write": made.written, "research": made.packed}[name]
    material = make(task=made.task(journey=name))
    asked = {gate.name for gate in journey(name, ON).gates(material, made.snapshot(), {})}
    plain = {gate.name for gate in journey(name).gates(material, made.snapshot(), {})}
    long = {"overclaim", "bias", "tone"} if name == "research" else set()
    assert asked - plain == {"source_age", "argument"} | long
    decides = parse("gates: {argument: {threshold: 1, miss: decides}}", "p").of(name)
    said_so = {gate.name: gate.decides for gate in journey(name, decides).gates(material, made.snapshot(), {})}
    assert said_so["argument"] is True
    assert "source_age" not in said_so
