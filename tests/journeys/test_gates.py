"""Each gate shown to pass and to fail, on the very faults it is there for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autonomy.agents.material import Annotation, Material, Part, Searched, SourceMap
from autonomy.agents.roles import Sentence
from autonomy.core.types import Anchor
from autonomy.journeys import gates, prose
from autonomy.journeys.audit import PASSAGE, Audit, Measured, altered_quotation
from autonomy.journeys.catalogue import journey
from autonomy.journeys.evidence import flaw, headings_at
from autonomy.journeys.policy import Policy
from autonomy.journeys.render import render
from autonomy.journeys.verdicts import doubtful
from tests.journeys import made

C2 = "When a task is cancelled, CancelledError will be raised at the next opportunity."


def audit(material: Material | None = None, **change: Any) -> Audit:
    """An audit of sound material unless told otherwise."""
    return Audit(**{"material": material or made.written(), "snapshot": made.snapshot(), **change})


def one(*sentences: Sentence, **change: Any) -> Material:
    """A document of one section with these sentences."""
    return made.written(sections=(made.section("Only", sentences),), **change)


def moved(name: str, **change: Any) -> Material:
    """Sound material with one card's anchor changed."""
    cards = tuple(
        each.model_copy(update={"anchor": each.anchor.model_copy(update=change)}) if each.id == name else each
        for each in made.cards()
    )
    return made.written(cards=cards)


def asked(*questions: str, terms: tuple[str, ...], **change: Any) -> Material:
    """Sound material that was made for other questions."""
    brief = made.brief().model_copy(update={"questions": questions, "terms": terms})
    return made.written(brief=brief, **change)


# --- relevance ------------------------------------------------------------------------------------------------------


def test_quotations_that_speak_to_the_goal_are_relevant() -> None:
    measured = gates.relevance(audit())
    assert (measured.gate.figure, measured.gate.passed, measured.gate.evidence) == (1.0, True, ("n=6",))
    assert measured.failures == ()


def test_a_lone_word_of_the_goal_does_not_make_a_quotation_relevant() -> None:
    """The sixth quotation holds "lock", and nothing else of what was asked."""
    goal = "How are shared file handles locked?"
    measured = gates.relevance(audit(asked(goal, terms=("share", "file", "handl", "lock"))))
    assert (measured.gate.figure, measured.gate.passed) == (0.0, False)
    assert any("c6: holds 0.25 of what was asked" in line for line in measured.gate.evidence)
    assert len(measured.failures) == 6
    assert {each.gate for each in measured.failures} == {"relevance"}


def test_where_only_other_words_for_the_goal_were_found_nothing_quoted_is_relevant() -> None:
    goal = "How are tasks aborted?"
    weights = {"task": 1.0, "abort": 2.0, "cancel": 2.0}
    rows = [Searched(question=each, found=1, kept=1, coverage=1.0, weights=weights) for each in (goal, "tasks cancelled")]
    brief = made.brief(title=goal).model_copy(update={"questions": (goal,), "terms": ("task", "abort")})
    held = audit(made.written(brief=brief, searched=tuple(rows)))
    assert any(held.relevance(card) >= held.policy.relevant for card in made.cards())
    measured = gates.relevance(held)
    assert (measured.gate.figure, measured.gate.passed) == (0.0, False)
    assert measured.gate.evidence[1] == f"nothing quoted answers what was asked: {goal}"


@pytest.mark.parametrize(
    ("coverages", "cited", "enough"),
    [((0.4, 0.3), 2, False), ((0.4, 0.3), 3, True), ((0.4, 0.9), 2, True), ((0.9, 0.3), 2, True)],
)
def test_two_quotations_do_not_answer_what_the_corpus_hardly_speaks_to(
    coverages: tuple[float, float], cited: int, enough: bool
) -> None:
    brief = made.brief(title="Tasks and timeouts").model_copy(update={"subject": "tasks and timeouts"})
    rows = tuple(
        Searched(question=question, found=1, kept=1, coverage=coverage, weights={"task": 1.0, "cancel": 2.0})
        for question, coverage in zip(brief.questions, coverages, strict=True)
    )
    sentences = [made.said(card.quote, card.id) for card in made.cards() if card.id in ("c1", "c2", "c6")[:cited]]
    written = one(*sentences, brief=brief, searched=rows)
    measured = gates.relevance(audit(written))
    assert (measured.gate.evidence[0], measured.gate.figure, measured.gate.passed) == (f"n={cited}", float(enough), enough)
    said = "no passage covers half of what was asked: Tasks and timeouts"
    assert (said in measured.gate.evidence) != enough
    rated = gates.relevance(audit(written.model_copy(update={"player": "model"})))
    assert said not in rated.gate.evidence


@pytest.mark.parametrize(
    ("before", "between", "enough"),
    [
        ("", "", True),
        ("", "\n\nCrashes\n\n", False),  # the next heading ends what the quotation stands in
        ("", " " + "Much else is said here. " * (PASSAGE // 20), False),  # so does the reach of a passage
        ("The job goes on after a crash.\n\nHolders\n\n", "\n\nEnds\n\n", False),
        ("The job goes on after a crash. ", "\n\nEnds\n\n", True),
    ],
)
def test_what_stands_around_a_quotation_counts_up_to_the_headings_beside_it(before: str, between: str, enough: bool) -> None:
    """The quotation names what the question is about; the text that it stands in has to name another thing of it."""
    goal, quote = "How do leases protect jobs in a crash?", "A lease ends when its holder dies."
    text = f"Leases\n\n{before}{quote}{between} The job goes on after a crash."
    start = text.index(quote)
    headings = [(text.index(f"{name}\n\n"), name) for name in ("Leases", "Holders", "Crashes", "Ends") if f"{name}\n\n" in text]
    weights = {"leas": 2.0, "job": 1.5, "crash": 2.0, "": 5.0}
    brief = made.brief(title=goal).model_copy(update={"questions": (goal,), "terms": ("leas", "job", "crash")})
    card = made.cards()[0].model_copy(update={"quote": quote, "anchor": Anchor(start=start, end=start + len(quote))})
    written = made.written(
        brief=brief,
        cards=(card,),
        searched=(Searched(question=goal, found=1, kept=1, coverage=1.0, weights=weights),),
        maps=(SourceMap(source=card.source, headings=tuple((at, 1, name) for at, name in headings)),),
    )
    held = audit(written, snapshot=lambda name: text)
    assert (held.relevance(card) >= held.policy.relevant) is enough


def test_what_a_facet_of_the_goal_finds_does_not_answer_the_goal() -> None:
    goal, facet = "Why do zebras cancel tasks?", "What are the limits of tasks?"
    weights = {"zebra": 9.0, "cancel": 2.0, "task": 1.0, "limit": 2.0, "": 9.5}
    row = Searched(question=goal, found=1, kept=1, coverage=0.2, weights=weights)
    brief = made.brief(title=goal).model_copy(update={"questions": (goal, facet), "terms": ("zebra", "cancel", "task")})
    held = audit(made.written(brief=brief, searched=(row,)))
    assert any(held.relevance(card) >= held.policy.relevant for card in made.cards())
    assert gates.relevance(held).gate.figure == 0.0


def test_a_word_weighs_as_the_corpus_weighs_it() -> None:
    goal = "How are shared file handles locked?"
    for weight, relevant in ((9.0, True), (2.0, False)):
        weights = {"share": 2.0, "file": 2.0, "handl": 2.0, "lock": weight}
        searched = (Searched(question=goal, found=1, kept=1, coverage=1.0, weights=weights),)
        held = audit(asked(goal, terms=tuple(weights), searched=searched))
        assert (held.relevance(made.cards()[5]) >= held.policy.relevant) is relevant


def test_a_goal_of_one_word_is_measured_by_that_word() -> None:
    measured = gates.relevance(audit(asked("What are timeouts?", terms=("timeout",))))
    assert measured.gate.figure == round(2 / 6, 4)
    assert not measured.gate.passed


def test_a_reader_that_rated_a_quotation_is_believed_and_a_rule_is_not() -> None:
    rated = tuple(card.model_copy(update={"relevance": 0.8}) for card in made.cards())
    for player, passed in (("model", True), ("extractive", False)):
        material = asked("How do zebras sleep?", terms=("zebra", "sleep"), cards=rated, player=player)
        assert gates.relevance(audit(material)).gate.passed is passed


def test_headings_above_a_quotation_tell_what_it_is_about() -> None:
    card = made.cards()[1]
    held = audit(asked("What raises errors at the cancellation of a task?", terms=("rais", "task", "cancel")))
    assert held.relevance(card) == 1.0
    assert headings_at(made.layout("manual"), card.anchor.start) == ("Task Cancellation", "Python Manual")


# --- quotes ---------------------------------------------------------------------------------------------------------


def test_every_quote_of_sound_material_is_found() -> None:
    measured = gates.quote_found(audit())
    assert (measured.gate.figure, measured.gate.passed, measured.gate.evidence) == (1.0, True, ("n=6",))


def test_white_space_alone_does_not_lose_a_quote() -> None:
    broken = made.MANUAL.replace("Tasks can easily", "Tasks can\neasily").replace("\nTask C", "\nTask C")
    assert gates.quote_found(audit(snapshot=made.snapshot({"manual": broken}))).gate.passed


def test_one_changed_byte_of_a_snapshot_is_seen() -> None:
    measured = gates.quote_found(audit(snapshot=made.snapshot({"manual": made.MANUAL.replace("30 seconds", "31 seconds")})))
    assert not measured.gate.passed
    assert [(each.heading, each.index) for each in measured.failures] == [("Timeouts", 0)]


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("c4", {"page": 1}, "page 1 is named, but it is page 2"),
        ("c4", {"page": None}, "page None is named, but it is page 2"),
        ("c1", {"page": 1}, "page 1 is named, but it is page None"),
        ("c3", {"section": "Task Cancellation"}, "section 'Task Cancellation' is named, but it is 'Timeouts'"),
        ("c3", {"section": None}, "neither page nor section is named"),
        ("c1", {"start": 3}, "the source does not say this at 3"),
        ("c1", {"end": 10**6}, "lie outside the source"),
    ],
)
def test_a_wrong_anchor_is_named_with_what_is_there(name: str, change: dict[str, Any], why: str) -> None:
    measured = gates.quote_found(audit(moved(name, **change)))
    assert not measured.gate.passed
    assert why in measured.gate.evidence[1]
    assert name in measured.failures[0].why


def test_a_quote_over_a_page_break_is_anchored_where_it_begins() -> None:
    text, places = "one two\fthree four", made.layout("handbook", "one two\fthree four")
    assert flaw("two three", Anchor(page=1, start=4, end=13), text, places) == ""
    assert flaw("two three", Anchor(page=2, start=4, end=13), text, places) != ""
    assert flaw("three", Anchor(page=2, start=8, end=13), text, places) == ""


def test_an_empty_quote_proves_nothing() -> None:
    assert flaw(" ", Anchor(start=3, end=4), "one two", None) != ""


# --- coverage -------------------------------------------------------------------------------------------------------


def test_a_claim_without_a_citation_is_named() -> None:
    measured = gates.citation_coverage(audit(one(made.said(C2, "c2"), made.said("Cats sleep most of the day in summer."))))
    assert (measured.gate.figure, measured.gate.passed) == (0.5, False)
    assert [(each.index, each.why) for each in measured.failures] == [(1, "no citation")]


def test_an_id_that_nobody_gave_out_is_no_citation() -> None:
    measured = gates.citation_coverage(audit(one(made.said(C2, "c99"))))
    assert not measured.gate.passed
    assert "no such evidence: c99" in measured.failures[0].why
    assert "c99" not in render(one(made.said(C2, "c99"))).text


def test_a_card_whose_source_is_gone_is_no_citation() -> None:
    material = one(made.said(C2, "c2"), sources=(made.source("notes"),))
    assert not gates.citation_coverage(audit(material)).gate.passed


def test_scaffolds_questions_and_short_remarks_are_not_counted() -> None:
    material = one(made.said("Three sources were read for this part.", kind="scaffold"), made.said("So be it."),
                   made.said("Is it safe to cancel a running task at any time?"), made.said(C2, "c2"))  # fmt: skip
    assert gates.citation_coverage(audit(material)).gate.evidence == ("n=1",)


def test_nothing_measured_fails() -> None:
    empty = audit(one(made.said("So be it.", kind="scaffold")))
    for rule in (gates.quote_found, gates.citation_coverage, gates.citation_support, gates.source_share, gates.references):
        assert (rule(empty).gate.passed, rule(empty).gate.evidence[0]) == (False, "n=0")


# --- support --------------------------------------------------------------------------------------------------------


def supported(sentence: Sentence, **change: Any) -> bool:
    """Whether the support gate lets the only sentence of a document pass."""
    return gates.citation_support(audit(one(sentence), **change)).gate.passed


def test_a_fair_rewording_is_supported() -> None:
    assert supported(made.said(C2, "c2"))


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (made.said("A timeout of 45 seconds is applied when no other value is given.", "c3"), "45"),
        (made.said("A timeout of 30 seconds is not applied when no other value is given.", "c3"), "denies"),
        (made.said("When a task is cancelled, SystemExit will be raised at the next opportunity.", "c2"), "systemexit"),
        (made.said("Tasks must always easily and safely be cancelled.", "c1"), "more strongly"),
        (made.said("Zebras graze peacefully on grass near rivers.", "c2"), "content words"),
        (made.said("“Tasks can never safely be cancelled.”", "c1", quoted=True), "not the source's words"),
        (made.said("“Tasks can easily be cancelled.”", "c1", quoted=True), "not the source's words"),
        (made.said("Tasks cannot safely be stopped.", "c1", quoted=True, block=True), "not the source's words"),
        (made.said("As Albert Einstein told us: “Tasks can easily and safely be cancelled.”", "c1", quoted=True), "einstein"),
        (made.said("Since version 9.7: “Tasks can easily and safely be cancelled.”", "c1", quoted=True), "9.7"),
        (made.said("It is not true that “Tasks can easily and safely be cancelled.”", "c1", quoted=True), "denies"),
    ],
)  # fmt: skip
def test_a_claim_that_its_quote_does_not_carry_is_named_with_the_reason(sentence: Sentence, why: str) -> None:
    measured = gates.citation_support(audit(one(sentence)))
    assert not measured.gate.passed
    assert why in measured.failures[0].why


def test_a_lead_in_may_name_the_source_its_authors_its_heading_and_its_page() -> None:
    assert supported(
        made.said(
            "The Python Manual says under Task Cancellation: “Tasks can easily and safely be cancelled.”", "c1", quoted=True
        )
    )
    assert supported(
        made.said(
            "Doe and Mas (2020, p. 2) say: “A timeout of 60 seconds is applied when no other value is given.”",
            "c4",
            quoted=True,
        )
    )


def test_a_heading_that_denies_denies_nothing_in_the_lead_in_and_made_up_italics_do() -> None:
    heading = "Why a task is not enough"
    cards = tuple(
        each.model_copy(update={"anchor": each.anchor.model_copy(update={"section": heading})}) if each.id == "c1" else each
        for each in made.cards()
    )
    quote = "“Tasks can easily and safely be cancelled.”"
    named = one(made.said(f"It says under *{heading}*: {quote}", "c1", quoted=True), cards=cards)
    assert gates.citation_support(audit(named)).gate.passed
    made_up = one(made.said(f"It is *not true* that {quote}", "c1", quoted=True), cards=cards)
    assert not gates.citation_support(audit(made_up)).gate.passed


def test_a_cut_marked_by_an_ellipsis_is_allowed_in_a_quotation() -> None:
    assert altered_quotation("“Tasks […] safely be cancelled.”", ["Tasks can easily and safely be cancelled."], False) == ""
    assert altered_quotation("“Tasks […] safely be celebrated.”", ["Tasks can easily and safely be cancelled."], False) != ""


def test_a_judgement_settles_what_no_rule_can_and_nothing_else() -> None:
    vague = made.said("Tasks can safely be stopped by their owner.", "c1")
    material = one(vague)
    pairs = doubtful(audit(material))
    assert len(pairs) == 1
    assert pairs[0].text == vague.text
    assert not supported(vague)
    assert supported(vague, judgements={pairs[0].id: "yes"})
    assert not supported(vague, judgements={pairs[0].id: "partly"})
    wrong = made.said("A timeout of 45 seconds is applied when no other value is given.", "c3")
    key = audit(one(wrong)).claims[0].pair
    assert doubtful(audit(one(wrong))) == ()
    assert not supported(wrong, judgements={key: "yes"})


def test_a_pair_keeps_its_name_when_the_document_around_it_changes() -> None:
    alone = audit(one(made.said(C2, "c2"))).claims[0].pair
    later = audit(one(made.said("Cats sleep most of the day in summer."), made.said(C2, "c2"))).claims[1].pair
    assert alone == later
    assert audit(one(made.said(C2, "c1"))).claims[0].pair != alone


def test_a_quote_in_another_language_is_judged_and_its_numbers_are_still_counted() -> None:
    german = {"brief": made.brief("de", "Abbruch")}
    told = made.said("Wird eine Aufgabe abgebrochen, so folgt an der nächsten Stelle eine Ausnahme.", "c2")
    pairs = doubtful(audit(one(told, **german)))
    assert len(pairs) == 1
    assert gates.citation_support(audit(one(told, **german), judgements={pairs[0].id: "yes"})).gate.passed
    changed = made.said("Ohne andere Angabe gilt eine Frist von 45 Sekunden für den Abbruch.", "c3")
    assert doubtful(audit(one(changed, **german))) == ()


@pytest.mark.parametrize(
    ("language", "source", "begins", "ends", "good", "bad"),
    [
        ("de", "german", "Eine Aufgabe", "werden.", "Die Quelle sagt: „Eine Aufgabe kann jederzeit sicher abgebrochen werden.“",
         "Eine Aufgabe kann jederzeit nicht sicher abgebrochen werden."),
        ("ja", "japanese", "タスクは", "できます。", "「タスクはいつでも安全に取り消すことができます。」",
         "タスクはいつでも安全に取り消すことができません。"),
    ],
)  # fmt: skip
def test_german_and_japanese_claims_are_held_against_their_quotes(
    language: str, source: str, begins: str, ends: str, good: str, bad: str
) -> None:
    card = made.card("c1", source, begins, ends)
    held = {
        "cards": (card,), "sources": (made.source(source),), "maps": (made.layout(source),), "brief": made.brief(language, "x"),
    }  # fmt: skip
    assert gates.quote_found(audit(one(made.said(good, "c1", quoted=True), **held))).gate.passed
    assert gates.citation_support(audit(one(made.said(good, "c1", quoted=True), **held))).gate.passed
    assert not gates.citation_support(audit(one(made.said(bad, "c1"), **held))).gate.passed


# --- spread, excess, number -----------------------------------------------------------------------------------------


def test_a_citation_that_adds_nothing_is_excess_and_one_that_corroborates_is_not() -> None:
    idle = gates.citation_excess(audit(one(made.said(C2, "c2", "c5"))))
    assert (idle.gate.figure, idle.gate.passed) == (0.5, False)
    twin = made.card("c7", "manual", "When a task", "next opportunity.")
    both = gates.citation_excess(audit(one(made.said(C2, "c2", "c7"), cards=(*made.cards(), twin))))
    assert both.gate.figure == 0.0


def test_one_source_where_more_are_at_hand_fails_the_spread() -> None:
    assert gates.source_spread(audit()).gate.figure == 3
    assert not gates.source_spread(audit(one(made.said(C2, "c2")))).gate.passed
    alone = {"sources": (made.source("manual"),), "maps": (made.layout("manual"),), "cards": made.cards()[:3]}
    assert gates.source_spread(audit(one(made.said(C2, "c2"), **alone))).gate.passed
    named = gates.source_spread(audit(one(made.said(C2, "c2")))).gate.evidence
    assert named == ("n=1", "all that is cited comes from Python Manual")
    assert gates.source_spread(audit(one(made.said("So be it.")))).gate.evidence == ("n=0", "nothing is cited")


def test_a_source_that_carries_most_of_the_document_is_named() -> None:
    assert gates.source_share(audit()).gate.passed
    measured = gates.source_share(audit(one(made.said(C2, "c1"), made.said(C2, "c2"), made.said(C2, "c6"))))
    assert measured.gate.evidence == ("n=3", "Python Manual: 2 of 3")


def test_the_number_of_citations_asked_for_is_counted_in_different_quotations() -> None:
    assert gates.min_citations(audit(made.written(task=made.task(min_citations=6)))).gate.passed
    assert not gates.min_citations(audit(made.written(task=made.task(min_citations=7)))).gate.passed
    twice = one(made.said(C2, "c2"), made.said(C2, "c2"), task=made.task(min_citations=2))
    assert gates.min_citations(audit(twice)).gate.figure == 1


def test_too_few_citations_name_what_was_left_out_and_the_questions_that_found_nothing() -> None:
    asked_for = made.task(min_citations=7)
    searched = (Searched(question="How do zebras sleep?"), Searched(question="What are leases?", found=1, kept=1, coverage=1.0))
    all_cited = gates.min_citations(audit(made.written(task=asked_for, searched=searched)))
    assert all_cited.gate.evidence == ("n=6", "no more were found", "nothing was found for: How do zebras sleep?")
    left = gates.min_citations(audit(one(made.said(C2, "c2"), task=asked_for, searched=())))
    assert left.gate.evidence == ("n=1", "6 were found, 1 of them stand in the document")


# --- references and text --------------------------------------------------------------------------------------------


def spoilt(rule: Callable[[Audit], Measured], change: Callable[[str], str], material: Material | None = None) -> Measured:
    """A gate over sound material whose text was changed after rendering."""
    held = material or made.written()
    text = render(held).text
    assert change(text) != text
    return rule(audit(held, text=change(text)))


def test_references_that_equal_a_fresh_render_pass_in_every_style() -> None:
    for style in ("apa", "harvard", "mla", "chicago", "ieee", "vancouver"):
        for material in (
            made.written(task=made.task(style=style)),
            made.packed(task=made.task(style=style, journey="research")),
        ):
            assert gates.references(audit(material)).gate.passed, style


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda text: text.replace("- Doe, J. Q., & Mas, R. (2020). *Administration Handbook* [PDF]. handbook.pdf\n", ""),
            "missing",
        ),
        (lambda text: text.replace("R. (2020). *Adm", "R. (2021). *Adm"), "missing or changed"),
        (lambda text: text + "- Nobody, N. (1999). *Nothing*. nowhere.pdf\n", "not cited"),
        (lambda text: text.replace("(Doe & Mas, 2020, p. 2)", "(Doe & Mas, 2020, p. 3)"), "does not follow"),
        (lambda text: text.replace("## References", "## Sources"), "missing"),
    ],
)
def test_a_reference_or_mark_that_was_touched_is_seen(change: Callable[[str], str], why: str) -> None:
    measured = spoilt(gates.references, change)
    assert not measured.gate.passed
    assert any(why in line for line in measured.gate.evidence)


def test_entries_in_another_order_are_seen() -> None:
    def swap(text: str) -> str:
        head, tail = text.split("## References\n\n")
        return head + "## References\n\n" + "\n".join(reversed(tail.strip().split("\n"))) + "\n"

    assert "the list is out of order" in spoilt(gates.references, swap).gate.evidence


def test_a_claim_that_does_not_stand_in_the_text_word_for_word_is_seen() -> None:
    assert gates.claim_in_text(audit()).gate.figure == 1.0
    measured = spoilt(gates.claim_in_text, lambda text: text.replace("will be raised at", "will be thrown at"))
    assert (measured.gate.passed, measured.gate.figure) == (False, round(5 / 6, 4))


# --- prose ----------------------------------------------------------------------------------------------------------


def test_borrowed_words_outside_quotation_marks_are_overlap_and_inside_are_not() -> None:
    words = "A cancelled task should release every lock that it holds before it returns."
    measured = prose.overlap(audit(one(made.said(words, "c6"))))
    assert (measured.gate.figure, measured.gate.passed) == (1.0, False)
    assert measured.failures[0].gate == "overlap"
    assert prose.overlap(audit(one(made.said(f"“{words}”", "c6", quoted=True)))).gate.passed
    assert prose.overlap(audit(one(made.said(words, "c6", quoted=True, block=True)))).gate.passed


def test_the_words_of_the_goal_are_nobodys_borrowing() -> None:
    words = "A cancelled task should release every lock that it holds before it returns."
    assert prose.overlap(audit(one(made.said(words, "c6"), task=made.task(goal=words)))).gate.passed


def test_length_is_held_against_what_was_asked() -> None:
    parts: tuple[Part, ...] = ("introduction", "section", "conclusion")
    assert prose.text_length(audit(), 90, parts).gate.passed
    assert not prose.text_length(audit(), 200, parts).gate.passed
    assert prose.text_length(audit(), 200, parts).gate.threshold == [180, 220]
    assert prose.text_length(audit(), 90, ("conclusion",)).gate.figure < 45


def test_a_text_of_the_wrong_length_names_its_parts_with_their_words() -> None:
    sections = (made.section("Short", [made.said("One two three.", "c2")]), made.section("Long", [made.said(C2, "c2")]))
    parts: tuple[Part, ...] = ("section",)
    held = audit(made.written(sections=sections))
    size = prose.text_length(held, 90, parts).gate.figure - 3
    assert prose.text_length(held, 90, parts).gate.evidence[1:] == ("Short: 3 words", f"Long: {size} words")
    assert prose.text_length(held, 5, parts).gate.evidence[1:] == (f"Long: {size} words", "Short: 3 words")
    assert prose.text_length(held, 90, ("conclusion",)).gate.evidence[1:] == ("missing: conclusion",)
    assert prose.text_length(held, size + 3, parts).gate.evidence == (f"n={size + 3}",)


def test_the_hardest_part_of_a_text_that_is_hard_to_read_is_named_first() -> None:
    hard = made.said(
        "Institutionalised organisational interoperability notwithstanding multidimensional parametrisation.", "c2"
    )
    sections = (made.section("Plain", [made.said("The cat sat.", "c2")]), made.section("Dense", [hard] * 9))
    measured = prose.readability(audit(made.written(sections=sections))).gate
    assert not measured.passed
    assert [line.partition(":")[0] for line in measured.evidence[1:]] == ["Dense", "Plain"]
    assert prose.readability(audit()).gate.evidence[1:] == ()


def test_what_fails_is_named_by_its_place_in_the_document() -> None:
    cats = made.said("Cats sleep most of the day in summer.")
    named = gates.citation_coverage(audit(one(made.said(C2, "c2"), cats))).gate.evidence[1]
    assert named == "k2 (Only, sentence 2): no citation: Cats sleep most of the day in summer."
    pack = made.packed(annotations=(Annotation(source="manual", paragraphs=((cats,),)),))
    assert "(the annotation of Python Manual, sentence 1): no citation" in gates.citation_coverage(audit(pack)).gate.evidence[1]


def test_a_research_pack_is_held_to_the_length_of_its_synthesis_only_where_one_was_asked_for() -> None:
    for asked, threshold in ((None, None), (50, [45, 55])):
        pack = made.packed(task=made.task(journey="research", length=asked))
        measured = {gate.name: gate for gate in journey("research").gates(pack, made.snapshot(), {})}
        assert ("length" in measured) == (asked is not None)
        assert threshold is None or measured["length"].threshold == threshold


@pytest.mark.parametrize(
    ("sentences", "why"),
    [
        ((made.said(C2, "c2"), made.said(C2, "c2")), "repeats an earlier sentence"),
        ((made.said("TODO: say how a task is cancelled in practice.", "c2"),), "placeholder"),
        ((made.said("When a task is cancelled, CancelledError will be", "c2"),), "has no end"),
        ((), "empty: Only"),
    ],
)
def test_faults_of_shape_are_named(sentences: tuple[Sentence, ...], why: str) -> None:
    measured = prose.structure(audit(one(*sentences)), ("section",))
    assert not measured.gate.passed
    assert any(why in line for line in measured.gate.evidence)


def test_a_french_quotation_may_be_the_end_of_a_sentence() -> None:
    whole = made.said("On y lit : « Une tâche peut être annulée à tout moment. »", "c2")
    assert not any("no end" in line for line in prose.structure(audit(one(whole)), ("section",)).gate.evidence)


def test_a_lone_quotation_needs_no_frame_and_two_do() -> None:
    sentences = [made.said(C2, "c2"), made.said("Tasks can easily and safely be cancelled.", "c1")]
    for number, faults in ((1, 0), (2, 2)):
        section = made.section("Only", sentences[:number])
        empty = made.section("Introduction", part="introduction")
        held = audit(made.written(sections=(empty, section)))
        assert prose.structure(held, ("introduction", "section")).gate.figure == faults
    for number, whole in ((1, True), (2, False)):
        packed = made.packed(matrix=made.packed().matrix[:number], sections=(), annotations=())
        assert ("no synthesis" not in prose.pack_complete(audit(packed)).gate.evidence) is whole


def test_a_missing_part_and_a_heading_used_twice_are_named() -> None:
    twice = made.written(
        sections=(
            made.section("Only", [made.said("Tasks can easily and safely be cancelled.", "c1")]),
            made.section("Only", [made.said(C2, "c2")]),
        )
    )
    evidence = prose.structure(audit(twice), ("introduction", "section")).gate.evidence
    assert "missing: introduction" in evidence
    assert "heading twice: Only" in evidence


def test_a_section_that_swallows_the_document_is_named() -> None:
    long = [made.said(f"{C2[:-1]} number {n}.", "c2") for n in range(9)]
    sections = (made.section("Big", long), made.section("B", [made.said(C2, "c2")]), made.section("C", [made.said(C2, "c2")]))
    assert any("Big: 8" in line for line in prose.structure(audit(made.written(sections=sections)), ()).gate.evidence)


def test_readability_is_measured_per_language_and_bounded() -> None:
    plain = prose.readability(audit()).gate
    assert plain.passed
    dense = "Incomprehensibility characterises institutionalised internationalisation considerations " * 4
    hard = prose.readability(audit(one(made.said(dense.strip() + ".", "c2")))).gate
    assert not hard.passed
    assert float(hard.figure) < float(plain.figure)
    japanese = one(made.said("タスクはいつでも安全に取り消すことができます。", "c1"), brief=made.brief("ja", "x"))
    assert prose.readability(audit(japanese)).gate.passed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"matrix": ()}, "question without a row"),
        ({"annotations": ()}, "the annotation of Python Manual: 0 words, wanted 40 to 120"),
        ({"sections": ()}, "no synthesis"),
        (
            {"sections": (made.section("Synthesis", [made.said(C2, "c9")], part="synthesis"),)},
            "no row of the matrix carries it",
        ),
    ],
)
def test_a_pack_with_a_gap_is_not_complete(change: dict[str, Any], why: str) -> None:
    assert prose.pack_complete(audit(made.packed())).gate.passed
    measured = prose.pack_complete(audit(made.packed(**change)))
    assert not measured.gate.passed
    assert any(why in line for line in measured.gate.evidence)


def test_a_question_that_found_nothing_needs_no_row() -> None:
    assert "zebras" not in " ".join(prose.pack_complete(audit(made.packed())).gate.evidence)


def test_failing_items_are_listed_up_to_a_bound_and_the_rest_is_counted() -> None:
    many = one(*(made.said(f"Nobody ever said this particular thing number {n}.") for n in range(30)))
    evidence = gates.citation_coverage(audit(many)).gate.evidence
    assert evidence[0] == "n=30"
    assert evidence[-1] == "and 10 more"


def test_thresholds_come_from_the_policy() -> None:
    half = one(made.said(C2, "c2"), made.said("Cats sleep most of the day in summer."))
    assert gates.citation_coverage(audit(half, policy=Policy(coverage=0.5))).gate.passed
