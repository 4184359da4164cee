"""Each action alone: what it asks, what it keeps, what it reports."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.agents import gathered
from autonomy.agents.actions import ACTIONS
from autonomy.agents.actions.revise import without
from autonomy.agents.material import MatrixRow
from autonomy.agents.roles import DraftRequest, Outline, Pair, Paragraphs, SelectRequest, Sentence
from autonomy.core.errors import BadAnswer, CorruptState, NotFound
from autonomy.core.types import Anchor, Card, Observation, PlanStep
from tests.agents.loop import BRIEF, Folders, Good, Loop, Paper, Silent, Tools, gate, loop, with_plan


def step(action: str, **more: Any) -> PlanStep:
    return PlanStep(**{"id": action, "kind": "write", "action": action, "description": action, **more})


async def perform(made: Loop, doing: PlanStep, *others: PlanStep) -> Observation:
    with_plan(made, *others, doing, current=doing.id)
    return await ACTIONS[doing.action](doing, made.state, made.context)


async def searched(made: Loop, questions: int = 2) -> None:
    for number, question in enumerate(BRIEF.questions[:questions], 1):
        await perform(made, step("search", id=f"search-{number}", arguments={"question": question}))


# -- survey and search ------------------------------------------------------------------------------


async def test_a_survey_counts_what_the_corpus_holds() -> None:
    made = loop(folders=Folders(documents=7))
    made.rows.put("corpus", "failed", [["a.pdf", "broken"]])
    seen = await perform(made, step("survey"))
    assert seen.figures == {"documents": 7, "words": 1000, "languages": ["en"], "unreadable": 1}
    assert (seen.output, seen.progress) == ("7 documents in en", 7)


async def test_a_search_numbers_its_cards_on_and_anchors_them_by_code() -> None:
    made = loop()
    await searched(made)
    cards = gathered.cards(made.context)
    assert [card.id for card in cards] == [f"c{n}" for n in range(1, 13)]
    assert {card.question for card in cards[:6]} == {"What is a lease?"}
    assert {card.anchor.section for card in cards} == {"Leases"}
    rows = gathered.searched(made.context)
    assert [(row.question, row.found, row.kept, row.coverage) for row in rows] == [
        ("What is a lease?", 6, 6, 1.0),
        ("Why fences?", 6, 6, 1.0),
    ]


async def test_a_model_that_never_answered_leaves_one_note_and_a_document_by_rule() -> None:
    made = loop()
    await searched(made)
    made.rows.put("fallback", "000001-interpret-1", "The goal was read by rule.", 1)
    made.rows.put("fallback", "000002-select-1", "The evidence was chosen by rule.", 2)
    silent = gathered.material(made.state, made.context)
    assert (silent.player, silent.unanswered) == ("extractive", True)
    assert [note for note in silent.notes if "rule" in note] == [
        "No request to good brought an answer that could be used: all of the work was done by rule."
    ]
    made.rows.put("answered", "draft", "stand-in", 3)
    heard = gathered.material(made.state, made.context)
    assert (heard.player, heard.unanswered) == (made.context.player.asked.player, False)
    assert {"The goal was read by rule.", "The evidence was chosen by rule."} <= set(heard.notes)


async def test_a_stretch_that_is_held_already_or_given_twice_is_one_card() -> None:
    class Twice(Good):
        async def select(self, request: SelectRequest) -> tuple[Card, ...]:
            chosen = await super().select(request)
            return (*chosen[:2], *chosen[:2])

    class Same(Tools):
        async def tool(self, name: str, arguments: Any) -> Any:
            self.asked.clear()
            return await super().tool(name, arguments)

    made = loop(Twice(), tools=Same())
    first = await perform(made, step("search", id="search-1", arguments={"question": "a"}))
    second = await perform(made, step("search", id="search-2", arguments={"question": "b"}))
    assert (first.figures["cards"], second.figures["cards"], second.progress) == (2, 0, 0)
    assert [card.id for card in gathered.cards(made.context)] == ["c1", "c2"]
    await perform(made, step("search", id="search-3", arguments={"question": "What is a lease?"}))
    last = gathered.searched(made.context)[-1]
    assert (last.kept, len(last.cards), last.answered) == (0, 2, True)


@pytest.mark.parametrize(("text", "credited"), [("A fence holds back what is late.", 1), ("A queue is fair.", 0)])
async def test_what_other_words_find_answers_the_question_if_it_speaks_to_it(text: str, credited: int) -> None:
    class OtherWords(Tools):
        async def tool(self, name: str, arguments: Any) -> Any:
            whole = {"id": "p1", "source": "s1", "title": "T", "text": text, "start": 0, "end": len(text)}
            return {"passages": [whole] if arguments["query"] == "fence number" else [], "coverage": 1.0}

    made = loop(tools=OtherWords())
    brief = BRIEF.model_copy(update={"questions": ("What is a fence?",), "terms": ("fenc",)}).model_dump(mode="json")
    for number, question in enumerate(("What is a fence?", "fence number"), 1):
        doing = step("search", id=f"search-{number}", arguments={"question": question})
        with_plan(made, doing, current=doing.id, brief=brief)
        await ACTIONS["search"](doing, made.state, made.context)
    own, other = gathered.searched(made.context)
    assert (other.kept, own.kept, len(own.cards), own.answered) == (1, credited, credited, bool(credited))


async def test_a_card_of_a_source_that_was_not_offered_is_left_out() -> None:
    class Inventive(Good):
        async def select(self, request: SelectRequest) -> tuple[Card, ...]:
            return (Card(id="", source="elsewhere", quote="x", anchor=Anchor(start=0, end=1)), *(await super().select(request)))

    made = loop(Inventive(), tools=Tools(passages=1))
    assert (await perform(made, step("search", arguments={"question": "a"}))).figures["cards"] == 1


async def test_a_question_without_passages_asks_no_player() -> None:
    player = Good()
    seen = await perform(loop(player, tools=Tools(passages=0, coverage=0.0)), step("search", arguments={"question": "a"}))
    assert (player.calls, seen.figures["cards"], seen.figures["coverage"]) == ({}, 0, 0.0)


@pytest.mark.parametrize(("length", "limit"), [(90, 8), (900, 20), (10_000, 20)])
async def test_a_longer_document_asks_for_more_within_bounds(length: int, limit: int) -> None:
    tools = Tools()
    await perform(loop(journey=Paper(length=length), tools=tools), step("search", arguments={"question": "a"}))
    assert tools.asked[0]["limit"] == limit


# -- outline and drafts -----------------------------------------------------------------------------


async def test_an_outline_without_evidence_asks_nobody_and_keeps_nothing() -> None:
    player = Good()
    made = loop(player)
    seen = await perform(made, step("outline"))
    assert (seen.progress, player.calls, made.rows.get("outline", "outline")) == (0, {}, None)


async def test_an_outline_says_how_much_of_the_evidence_it_placed() -> None:
    made = loop()
    await searched(made)
    seen = await perform(made, step("outline"))
    assert seen.figures == {"sections": 2, "cards": 12, "placed": 12, "sources": 3, "thin": 0}
    assert seen.output == "Part 1; Part 2"


async def outlined(player: Good | None = None) -> Loop:
    made = loop(player)
    await searched(made)
    await perform(made, step("outline"))
    return made


async def test_a_section_is_drafted_from_its_own_cards_and_told_what_stands_before_it() -> None:
    asked: list[DraftRequest] = []

    class Watched(Good):
        async def draft(self, request: DraftRequest) -> Paragraphs:
            asked.append(request)
            return await super().draft(request)

    made = await outlined(Watched())
    for heading in ("Part 2", "Part 1"):
        seen = await perform(made, step("draft", id=f"draft-{heading[-1]}", arguments={"heading": heading}))
    assert [card.id for card in asked[0].cards] == ["c2", "c4", "c6", "c8", "c10", "c12"]
    assert asked[0].before == ("Part 1: So.",)
    assert seen.figures["claims"] == seen.figures["cited"] == seen.progress == 3
    assert [section.heading for section in gathered.sections(made.context)] == ["Part 1", "Part 2"]
    assert {"note on Part 1", "note on Part 2"} <= set(made.rows.all("note"))


async def test_a_draft_without_an_outline_is_a_broken_run() -> None:
    with pytest.raises(CorruptState, match="no outline"):
        await perform(loop(), step("draft", arguments={"heading": "Part 1"}))


async def test_the_frame_stands_around_the_sections_and_both_its_notes_are_kept() -> None:
    made = await outlined()
    await perform(made, step("draft", arguments={"heading": "Part 1"}))
    await perform(made, step("frame", arguments={"introduction": "Einleitung", "conclusion": "Fazit"}))
    assert [s.heading for s in gathered.sections(made.context)] == ["Einleitung", "Part 1", "Fazit"]
    assert {"note on Einleitung", "note on Fazit"} <= set(made.rows.all("note"))


async def test_an_annotation_speaks_of_one_source_from_its_own_cards() -> None:
    made = loop()
    await searched(made)
    seen = await perform(made, step("annotate", arguments={"source": "s2"}))
    (kept,) = gathered.annotations(made.context)
    assert (kept.source, seen.sources, made.rows.number("annotation", "s2")) == ("s2", ("s2",), 1)
    assert all(card.source == "s2" for card in gathered.cards(made.context) if card.id in kept.sentences[0].cites)


async def test_a_matrix_counts_rows_that_more_than_one_source_speaks_to() -> None:
    class Compared(Paper):
        def matrix(self, *_: Any) -> tuple[MatrixRow, ...]:
            both = [{"source": "s1", "stance": "supports", "card": "c1"}, {"source": "s2", "stance": "differs", "card": "c2"}]
            one = [{"source": "s1", "stance": "supports", "card": "c3"}, {"source": "s2", "stance": "silent"}]
            rows = [("m1", both, ["c1", "c2"]), ("m2", one, ["c3"])]
            return tuple(
                MatrixRow.model_validate({"id": i, "claim": "x", "question": "q", "cells": c, "cards": n}) for i, c, n in rows
            )

    asked: list[DraftRequest] = []

    class Watched(Good):
        async def draft(self, request: DraftRequest) -> Paragraphs:
            asked.append(request)
            return await super().draft(request)

    made = loop(Watched(), Compared())
    await searched(made, 1)
    assert (await perform(made, step("matrix"))).figures == {"rows": 2, "shared": 1}
    await perform(made, step("synthesise"))
    assert [card.id for card in asked[0].cards] == ["c1", "c2", "c3"]
    assert asked[0].figures == ("m1: c1 supports, c2 differs", "m2: c3 supports")


# -- audit and revision -----------------------------------------------------------------------------


async def test_an_audit_asks_only_what_no_rule_settles_and_only_once() -> None:
    player, journey = Good(), Paper(pairs=(Pair(id="p1", text="t", quotes=("q",)),))
    made = loop(player, journey)
    assert (await perform(made, step("audit"))).figures["judged"] == 1
    assert (await perform(made, step("audit"))).figures["judged"] == 0
    assert player.calls == {"judge": 1}
    assert journey.judgements[-1] == {"p1": "yes"}


async def test_a_judge_who_never_answers_leaves_every_gate_measured_and_a_note() -> None:
    def before(role: str, count: int) -> None:
        raise BadAnswer("garbled")

    journey = Paper(measures=[(gate("citation_support", passed=False),)], pairs=(Pair(id="p1", text="t", quotes=("q",)),))
    made = loop(Good(before), journey)
    with pytest.raises(BadAnswer):
        await perform(made, step("audit"))
    seen = await perform(made, step("audit", attempts=1))
    assert seen.figures["failed"] == ["citation_support"]
    assert made.rows.get("audit", "gates")[0]["name"] == "citation_support"  # type: ignore[index]
    assert made.rows.all("note") == ["1 claim could not be judged against their quotations (garbled)."]
    assert journey.judgements == [{}]


def failures(*rows: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [{"part": part, "heading": heading, "index": index, "gate": "g", "why": "w"} for part, heading, index in rows]


async def drafted() -> Loop:
    made = await outlined()
    for number in (1, 2):
        await perform(made, step("draft", id=f"draft-{number}", arguments={"heading": f"Part {number}"}))
    return made


async def test_only_parts_with_failing_sentences_are_mended_and_they_keep_their_place() -> None:
    made = await drafted()
    before = [section.model_dump() for section in gathered.sections(made.context)]
    made.rows.put("audit", "failures", failures(("section", "Part 2", 0), ("section", "Part 2", 2)))
    seen = await perform(made, step("revise", id="revise-1"))
    assert seen.figures == {"failing_sentences": 2, "parts": 1, "dropped": 0}
    assert [section.model_dump() for section in gathered.sections(made.context)] == before
    assert "mended Part 2" in made.rows.all("note")


async def test_the_last_round_drops_what_cannot_be_mended_without_asking_anyone() -> None:
    made = await drafted()
    made.rows.put("audit", "failures", failures(("section", "Part 1", 0), ("section", "Part 1", 0), ("section", "Part 1", 2)))
    seen = await perform(made, step("revise", id="revise-2"), step("revise", id="revise-1", state="failed"))
    assert seen.figures == {"failing_sentences": 3, "parts": 1, "dropped": 2}
    assert [len(section.sentences) for section in gathered.sections(made.context)] == [1, 3]


@pytest.mark.parametrize("part", ["section", "annotation"])
async def test_a_failure_in_a_part_that_was_never_written_is_a_broken_run(part: str) -> None:
    made = loop()
    made.rows.put("audit", "failures", failures((part, "Nowhere", 0)))
    with pytest.raises(CorruptState, match="Nowhere"):
        await perform(made, step("revise"))


def test_dropping_counts_sentences_over_all_paragraphs() -> None:
    said = [Sentence(text=text) for text in "abcde"]
    draft = Paragraphs(paragraphs=((said[0], said[1]), (said[2],), (said[3], said[4])))
    kept = without(draft, {1, 2, 4})
    assert [[s.text for s in paragraph] for paragraph in kept.paragraphs] == [["a"], ["d"]]


# -- delivery ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "gates", "outcome"),
    [
        (None, (gate("quote_found"),), "delivered"),
        (None, (gate("quote_found", passed=False),), "target_not_reached"),
        (None, (gate("readability", passed=False),), "delivered"),
        (None, (gate("length", passed=False),), "target_not_reached"),
        ("target_not_reached", (gate("quote_found"),), "target_not_reached"),
    ],
)
async def test_a_delivery_is_called_what_its_gates_say(stated: str | None, gates: tuple[Any, ...], outcome: str) -> None:
    made = loop(journey=Paper(measures=[gates]))
    made.state["outcome"] = stated
    seen = await perform(made, step("deliver"))
    assert (seen.figures["outcome"], made.manifest()["outcome"]) == (outcome, outcome)


async def test_a_document_whose_quotes_are_not_found_does_not_leave() -> None:
    made = loop(journey=Paper(compose_raises=CorruptState("citation c1 is not proved")))
    with pytest.raises(CorruptState):
        await perform(made, step("deliver"))
    assert made.files.put_ == {}


async def test_a_source_that_is_gone_altogether_is_named() -> None:
    made = loop()
    await searched(made, 1)
    card = made.rows.get("card", "c1")
    assert card is not None
    made.rows.put("card", "c1", {**card, "source": "lost"}, 1)
    with pytest.raises(NotFound, match="lost"):
        await perform(made, step("deliver"))


async def test_a_silent_player_leaves_empty_parts_and_no_progress() -> None:
    made = await outlined()
    silent = loop(Silent())
    silent.rows.kinds = made.rows.kinds
    seen = await perform(silent, step("draft", arguments={"heading": "Part 1"}))
    assert (seen.figures["words"], seen.progress) == (0, 0)
    assert isinstance(gathered.outline(silent.context), Outline)
