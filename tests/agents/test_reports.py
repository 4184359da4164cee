"""What a similarity report does to a run: accepted, revised, given up; and what a revision may change."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from autonomy.agents import gathered
from autonomy.agents.roles import DraftRequest, Paragraphs, ReviseRequest, Sentence
from autonomy.core.types import TaskSpec
from autonomy.turnitin.cycles import Cycle
from tests.agents.loop import Good, Loop, Paper, Reports, gate, loop

TASK = TaskSpec(goal="What is a lease?", corpus=("/docs",), target_similarity=15)
Came = tuple[float | None, tuple[str, ...]]


class Distinct(Good):
    """Drafts sentences of which no two share five words in a row."""

    async def draft(self, request: DraftRequest) -> Paragraphs:
        self._count("draft")
        where = request.heading.replace(" ", "")
        said = tuple(
            Sentence(text=" ".join(f"{where}{n}w{word}" for word in range(9)) + ".", cites=(card.id,))
            for n, card in enumerate(request.cards[:3])
        )
        return Paragraphs(paragraphs=(said,))


class Reviser(Distinct):
    """Replaces each failing sentence by `instead`, or leaves it out."""

    def __init__(self, instead: str | None = None) -> None:
        super().__init__()
        self.instead = instead
        self.asked_for: list[ReviseRequest] = []

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        self._count("revise")
        self.asked_for.append(request)
        failing = {index for index, _, _ in request.failures}
        flat = [sentence for paragraph in request.draft.paragraphs for sentence in paragraph]
        new = [
            (each.model_copy(update={"text": f"{self.instead} {n}."}) if self.instead else None) if n in failing else each
            for n, each in enumerate(flat)
        ]
        return Paragraphs(paragraphs=(tuple(each for each in new if each is not None),))


def texts(made: Loop) -> list[str]:
    return [sentence.text for section in gathered.sections(made.context) for sentence in section.sentences]


async def handed_over(*came: Came, player: Good | None = None, journey: Paper | None = None) -> tuple[Loop, Reports]:
    """A run to its end, with these reports."""
    reports = Reports(list(came))
    made = loop(player or Distinct(), journey, task=TASK, reports=reports)
    await made.to_end()
    return made, reports


def story(made: Loop) -> list[str]:
    return [step["id"] for step in made.state["plan"] if step["action"] in ("handoff", "amend", "audit", "deliver")]


async def drafted_words() -> list[str]:
    """What the good player drafts."""
    made, _ = await handed_over((1.0, ()))
    return texts(made)


async def test_a_report_at_the_target_is_accepted_and_the_draft_delivered() -> None:
    made, reports = await handed_over((15.0, ()))
    assert (made.state["outcome"], reports.decided) == ("delivered", [(1, "accepted")])
    assert story(made) == ["audit", "handoff-1", "deliver"]
    assert set(made.files.put_) == {
        "drafts/draft-1.md", "drafts/draft-1.docx", "deliverable.md", "deliverable.docx", "manifest.json",
    }  # fmt: skip
    (handed,) = made.rows.all("handoff")
    assert handed["document"].endswith("/drafts/draft-1.md")


async def test_what_is_flagged_is_revised_and_handed_over_again() -> None:
    flagged = (await drafted_words())[1]
    player = Reviser("Said in other words")
    made, reports = await handed_over((34.0, (flagged,)), (11.0, ()), player=player)
    assert (made.state["outcome"], reports.decided) == ("delivered", [(1, "rejected"), (2, "accepted")])
    assert story(made) == ["audit", "handoff-1", "amend-1", "audit-2", "handoff-2", "deliver"]
    ((index, name, why),) = player.asked_for[0].failures
    assert (name, "example.org" in why, player.asked_for[0].draft.paragraphs[0][index].text) == ("similarity", True, flagged)
    (change,) = made.rows.all("change")
    assert (change["before"], change["how"], change["cycle"]) == (flagged, "rewritten", 1)
    assert change["after"].startswith("Said in other words")


async def test_unflagged_sentences_stay_byte_for_byte() -> None:
    before = await drafted_words()
    made, _ = await handed_over((34.0, (before[1],)), (11.0, ()), player=Reviser("Other"))
    assert [text for text in texts(made) if not text.startswith("Other")] == [text for text in before if text != before[1]]


async def test_a_player_who_touches_what_was_not_flagged_changes_nothing() -> None:
    class Clumsy(Reviser):
        async def revise(self, request: ReviseRequest) -> Paragraphs:
            return Paragraphs(paragraphs=((Sentence(text="All new.", cites=("c1",)),),))

    before = await drafted_words()
    made, _ = await handed_over((34.0, (before[1],)), player=Clumsy())
    assert texts(made) == before
    assert "was not flagged" in made.rows.all("change")[0]["why"]


async def test_a_revision_that_costs_a_gate_is_put_back_and_the_draft_not_handed_over_again() -> None:
    before = await drafted_words()
    good, bad = (gate("quote_found"), gate("overlap")), (gate("quote_found"), gate("overlap", passed=False))
    made, reports = await handed_over((34.0, (before[1],)), player=Reviser("Other"), journey=Paper(measures=[good, bad, good]))
    assert texts(made) == before
    assert (made.state["outcome"], reports.decided) == ("target_not_reached", [(1, "rejected")])
    assert story(made) == ["audit", "handoff-1", "amend-1", "deliver"]
    (change,) = made.rows.all("change")
    assert change["how"] == "kept"
    assert "overlap" in change["why"]
    assert any("cost another gate" in note for note in made.manifest()["notes"])


async def test_flagged_sentences_are_tried_one_by_one_where_all_at_once_costs_a_gate() -> None:
    before = await drafted_words()
    good, bad = (gate("quote_found"),), (gate("quote_found", passed=False),)
    # Measured: by the audit, all at once (bad), the first alone, the second alone (bad), and for good.
    made, _ = await handed_over(
        (34.0, (before[0], before[1])),
        (11.0, ()),
        player=Reviser("Other"),
        journey=Paper(measures=[good, bad, good, bad, good]),
    )
    assert [text.startswith("Other") for text in texts(made)[:3]] == [True, False, False]
    assert [change["how"] for change in made.rows.all("change")] == ["rewritten", "kept"]


async def test_the_last_report_above_the_target_delivers_the_nearest_draft_with_a_note() -> None:
    before = await drafted_words()
    came: list[Came] = [(20.0, (before[0],)), (34.0, (before[1],)), (40.0, ())]
    made, reports = await handed_over(*came, player=Reviser("Other"))
    assert made.state["outcome"] == "target_not_reached"
    assert reports.decided == [(1, "rejected"), (2, "rejected"), (3, "rejected")]
    assert texts(made) == before  # draft 1 had the lowest figure
    assert any("20 %" in note and "15 %" in note for note in made.manifest()["notes"])


async def test_a_report_that_never_came_is_said_and_the_draft_delivered() -> None:
    made, reports = await handed_over((None, ()))
    assert (made.state["outcome"], reports.decided) == ("target_not_reached", [])
    assert any("nobody has measured" in note for note in made.manifest()["notes"])


async def test_a_report_that_never_came_ends_a_run_whose_policy_wants_one() -> None:
    class Strict(Reports):
        def of(self, n: int) -> Cycle:
            return dataclasses.replace(super().of(n), on_expiry="fail")

    made = loop(Distinct(), task=TASK, reports=Strict([(None, ())]))
    await made.to_end()
    assert made.state["outcome"] == "failed"
    assert "no report came" in (made.state["error"] or "")
    assert "deliverable.md" not in made.files.put_


async def test_what_speaks_against_a_report_stands_in_the_document_and_in_the_decision() -> None:
    class Doubtful(Reports):
        def of(self, n: int) -> Cycle:
            return dataclasses.replace(super().of(n), report=json.dumps({"flagged": [], "doubts": ["its title is another"]}))

    made = loop(Distinct(), task=TASK, reports=Doubtful([(3.0, ())]))
    await made.to_end()
    assert made.state["outcome"] == "delivered"
    assert "its title is another" in made.decisions("turnitin_pause")[0]["why"]
    assert any("its title is another" in note for note in made.manifest()["notes"])


async def test_a_report_that_marks_nothing_says_so_and_is_the_last() -> None:
    made, reports = await handed_over((34.0, ()))
    assert (made.state["outcome"], reports.decided) == ("target_not_reached", [(1, "rejected")])
    assert any("marks no statement" in note for note in made.manifest()["notes"])


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ja", "zh"])
def test_what_a_document_says_of_its_reports_has_no_open_place(language: str) -> None:
    from autonomy.agents.reported import Reported, reported

    words = reported(language)
    given: dict[str, Any] = {"observed": "34 %", "target": "15 %", "n": 3, "count": 2, "why": "w"}
    told = [getattr(words, name).format(**given) for name in Reported.__slots__]
    assert all(text and "{" not in text for text in told)
    assert len(set(told)) == len(told)
    assert json.dumps(told)
