"""How the critic decides: each branch, each bound, each reason."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.agents import critic
from autonomy.agents.notes import notes
from autonomy.core.gates import AT_MOST, MUST_PASS, SHARES
from autonomy.core.types import Gate, Observation, PlanStep, TaskSpec
from tests.agents.loop import Folders, Good, Loop, Paper, changed, gate, loop, with_plan

SEARCH = PlanStep(
    id="search-1", kind="research", action="search", description="Search: why", arguments={"question": "Why?"}, attempts=1
)
DRAFT = PlanStep(id="draft-1", kind="write", action="draft", description="Write it", attempts=1)
AUDIT = PlanStep(id="audit", kind="evaluate", action="audit", description="Audit", attempts=1)
REVISE = PlanStep(id="revise-1", kind="write", action="revise", description="Mend", state="done")
DELIVER = PlanStep(id="deliver", kind="write", action="deliver", description="Deliver", attempts=1)


def judged(made: Loop, step: PlanStep, **observation: Any) -> critic.Judged:
    found = critic.judge(step, Observation(step=step.id, **observation), made.state, made.context)
    assert found.why
    assert found.verdict.step == step.id
    assert found.verdict.notes
    return found


def with_cards(made: Loop, count: int, sources: int) -> Loop:
    for n in range(1, count + 1):
        card = {"id": f"c{n}", "source": f"s{n % sources + 1}", "quote": "q", "anchor": {"start": n, "end": n + 1}}
        made.rows.put("card", f"c{n}", card, n)
    return made


def figures(cards: int = 3, coverage: float = 1.0) -> dict[str, Any]:
    return {"passages": 8, "cards": cards, "sources": 1, "coverage": coverage}


# -- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (3, 4)])
def test_a_step_is_tried_once_and_then_as_often_as_it_may_be_retried(retries: int, tries: int) -> None:
    made = with_plan(loop(), DRAFT, current="draft-1")
    decisions = []
    for attempt in range(1, tries + 1):
        found = judged(made, changed(DRAFT, max_retries=retries, attempts=attempt), error="broken")
        decisions.append((found.verdict.decision, found.state, found.route))
    assert decisions == [("retry", "pending", "act")] * (tries - 1) + [("fail", "failed", "plan")]
    assert "broken" in found.why
    assert found.notes == ("The step 'Write it' could not be done: broken",)


def test_what_another_try_would_meet_again_is_not_tried_again() -> None:
    made = with_plan(loop(), DRAFT, current="draft-1")
    found = judged(made, changed(DRAFT, max_retries=5), error="over its limit", final=True)
    assert (found.verdict.decision, found.state, found.route) == ("fail", "failed", "plan")
    assert "failed once" in found.why


# -- evidence ---------------------------------------------------------------------------------------


def test_before_the_last_question_a_thin_one_is_only_noted() -> None:
    made = with_plan(loop(), SEARCH, changed(SEARCH, id="search-2"), current="search-1")
    found = judged(made, SEARCH, figures=figures(0, 0.2))
    assert (found.verdict.decision, found.route) == ("pass", "act")
    assert "the best passage covers 20% of the question" in found.why
    assert [g.passed for g in found.verdict.gates] == [False]


@pytest.mark.parametrize(("cards", "coverage", "passed"), [(1, 0.5, True), (1, 0.49, False), (0, 1.0, False)])
def test_a_question_is_covered_by_half_its_terms_and_a_quotation(cards: int, coverage: float, passed: bool) -> None:
    made = with_plan(loop(), SEARCH, changed(SEARCH, id="search-2"), current="search-1")
    assert judged(made, SEARCH, figures=figures(cards, coverage)).verdict.gates[0].passed is passed


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ""),
        ("es", "El objetivo está en español, los documentos están en inglés."),
        ("de", "Die Sprache des Ziels ist Deutsch, die der Dokumente Englisch."),
        ("fr", "La demande est en français, les documents sont en anglais."),
    ],
)
def test_a_goal_in_a_language_that_no_document_has_is_told_so(language: str, said: str) -> None:
    made = with_plan(loop(), SEARCH, current="search-1")
    made.state["brief"] = {**(made.state["brief"] or {}), "language": language}
    told = critic.thin_note(made.state, made.context)
    assert told.endswith(f" {said}") if said else "The goal is in" not in told


def test_a_question_without_a_new_quotation_says_why() -> None:
    made = with_plan(loop(), SEARCH, changed(SEARCH, id="search-2"), current="search-1")
    answered = judged(made, SEARCH, figures={**figures(0, 1.0), "held": 2})
    assert answered.verdict.gates[0].passed
    assert answered.why.endswith("nothing new: what answers it was taken already (2 quotations)")
    silent = judged(made, SEARCH, figures={**figures(0, 1.0), "held": 0})
    assert not silent.verdict.gates[0].passed
    assert silent.why.endswith("no sentence of what was found could be quoted for it: noted as thin")


def test_enough_evidence_goes_to_the_planner() -> None:
    made = with_cards(with_plan(loop(), SEARCH, current="search-1"), 6, 3)
    found = judged(made, SEARCH, figures=figures())
    assert (found.verdict.decision, found.route, found.notes) == ("pass", "plan", ())
    assert [(g.name, g.figure, g.threshold, g.passed) for g in found.verdict.gates[1:]] == [
        ("cards", 6, 6, True),
        ("sources", 3, 3, True),
    ]


@pytest.mark.parametrize(("cards", "sources"), [(5, 3), (6, 2)])
def test_too_little_of_either_is_widened_twice_and_then_told(cards: int, sources: int) -> None:
    made = with_cards(with_plan(loop(), SEARCH, current="search-1"), cards, sources)
    routes = []
    for widened in range(4):
        made.state["widened"] = widened
        found = judged(made, SEARCH, figures=figures())
        routes.append((found.verdict.decision, found.route))
    assert routes == [("branch", "expand")] * 2 + [("pass", "plan")] * 2
    told = {
        (5, 3): "5 quotations (too few, wanted 6) from 3 sources (enough)",
        (6, 2): "6 quotations (enough) from 2 sources (too few, wanted 3)",
    }[cards, sources]
    assert f"in all {told}; goes on and says so" in found.why
    short = "few documents that speak to this" if cards >= 6 else "little about this in the corpus"
    assert found.notes == (f"The search found {short}: {told}.",)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Die Suche fand wenige Dokumente dazu. Gefundene Zitate: 28 (genug); Quellen: 1 (zu wenige, gewünscht 3)."),
        (
            "es",
            "La búsqueda halló pocos documentos sobre esto. "
            "Citas halladas: 28 (suficientes); fuentes: 1 (no bastan, se querían 3).",
        ),
        (
            "fr",
            "La recherche a trouvé peu de documents à ce sujet. "
            "Citations trouvées : 28 (assez) ; sources : 1 (trop peu, voulu 3).",
        ),
        ("zh", "The search found few documents that speak to this: 28 quotations (enough) from 1 source (too few, wanted 3)."),
    ],
)
def test_a_reader_is_told_in_the_language_of_the_document_what_is_short_and_what_is_enough(language: str, told: str) -> None:
    assert notes(language).holds_little(28, 1, 17, 3) == told


def test_a_small_corpus_is_not_asked_for_more_sources_than_it_has() -> None:
    made = with_cards(with_plan(loop(folders=Folders(documents=1)), SEARCH, current="search-1"), 6, 1)
    assert judged(made, SEARCH, figures=figures()).route == "plan"


def test_a_longer_document_wants_more_evidence() -> None:
    made = loop(journey=Paper(length=900))
    assert critic.cards_wanted(_task(made), made.context) == 20
    assert critic.cards_wanted(_task(made), loop(journey=Paper(length=50)).context) == 6


def test_as_much_evidence_is_wanted_as_quotations_are_asked_for_and_the_note_says_so() -> None:
    made = with_cards(with_plan(loop(journey=Paper(length=900)), SEARCH, current="search-1"), 17, 3)
    made.state["task"]["min_citations"] = 500
    assert critic.cards_wanted(_task(made), made.context) == 500
    assert "17 quotations (too few, wanted 500)" in critic.thin_note(made.state, made.context)
    made.state["task"]["min_citations"] = 12
    assert critic.cards_wanted(_task(made), made.context) == 20, "the length wants more"


def _task(made: Loop) -> Any:
    from autonomy.core.types import TaskSpec

    return TaskSpec.model_validate(made.state["task"])


# -- progress ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stale", "replans", "replan", "route"),
    [(2, 0, False, "act"), (3, 0, True, "plan"), (7, 1, True, "plan"), (3, 2, False, "act")],
)
def test_three_steps_without_progress_go_back_to_the_planner_at_most_twice(
    stale: int, replans: int, replan: bool, route: str
) -> None:
    made = with_plan(loop(), DRAFT, current="draft-1", stale=stale, replans=replans)
    found = judged(made, DRAFT, output="0 words")
    assert (found.replan, found.route, found.state) == (replan, route, "done")


async def test_going_back_to_the_planner_is_counted_and_staleness_begins_anew() -> None:
    made = with_plan(loop(), DRAFT, DELIVER, current="draft-1", stale=3, route="reflect", observation={"step": "draft-1"})
    update = await made.step()
    assert (update["replans"], update["stale"], update["route"]) == (1, 0, "plan")
    assert "3 steps in a row brought nothing new" in made.decisions("reflect")[0]["why"]


def test_an_outline_goes_to_the_planner() -> None:
    made = with_plan(loop(), current="outline")
    found = judged(made, PlanStep(id="outline", kind="write", action="outline", description="o"), output="A; B")
    assert (found.route, found.why) == ("plan", "outline: A; B")


# -- gates ------------------------------------------------------------------------------------------


def audited(gates: list[Gate], failing: int, *plan: PlanStep, cards: int = 1) -> critic.Judged:
    task = TaskSpec(goal="What is a lease?", corpus=("/docs",))
    made = with_cards(with_plan(loop(task=task), *plan, AUDIT, DELIVER, current="audit"), cards, 1)
    made.rows.put("audit", "gates", [g.model_dump(mode="json") for g in gates])
    return judged(made, AUDIT, figures={"failing_sentences": failing})


def test_all_gates_passed_leaves_the_outcome_open() -> None:
    found = audited([gate("quote_found"), gate("overlap")], 0)
    assert (found.verdict.decision, found.route, found.outcome, found.notes) == ("pass", "act", None, ())
    assert found.why == "all 2 gates passed"


def test_failing_sentences_are_mended_at_most_twice() -> None:
    gates = [gate("citation_support", passed=False)]
    decisions = [
        (audited(gates, 4, *[changed(REVISE, id=f"revise-{n}") for n in range(rounds)]).verdict.decision) for rounds in range(4)
    ]
    assert decisions == ["patch", "patch", "pass", "pass"]
    assert "4 sentences to mend" in audited(gates, 4).why


@pytest.mark.parametrize("name", sorted(MUST_PASS))
def test_what_must_pass_and_does_not_means_that_the_target_was_not_reached(name: str) -> None:
    missed = gate(name, passed=False)
    reached = "50% (wanted all)" if name in SHARES else "0 (wanted at least 1)"
    if name in AT_MOST and name not in SHARES:
        missed, reached = missed.model_copy(update={"figure": 2}), "2 (wanted at most 1)"
    found = audited([gate("readability"), missed], 0)
    assert found.outcome == "target_not_reached"
    assert found.notes == (f"Where this document falls short: {notes('en').gates[name]}: {reached}.",)


@pytest.mark.parametrize("name", ["readability", "overlap", "structure", "source_spread", "pack_complete"])
def test_a_target_of_style_is_told_and_delivered(name: str) -> None:
    found = audited([gate("quote_found"), gate(name, passed=False)], 0)
    assert found.outcome == "delivered"
    assert found.notes


def test_without_evidence_the_shortfall_is_not_told_twice() -> None:
    found = audited([gate("min_citations", passed=False)], 0, cards=0)
    assert (found.outcome, found.notes) == ("target_not_reached", ())


def test_a_range_reads_as_one() -> None:
    wanted = Gate(name="length", figure=10, threshold=[640, 960], passed=False)
    assert audited([wanted], 0).notes == ("Where this document falls short: words: 10 (wanted 640 to 960).",)


# -- the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["delivered", "target_not_reached"])
def test_a_delivery_ends_the_run_with_its_outcome(outcome: str) -> None:
    made = with_plan(loop(player=Good()), DELIVER, current="deliver")
    found = judged(made, DELIVER, output="2 files", figures={"outcome": outcome})
    assert (found.route, found.outcome, found.verdict.decision) == ("END", outcome, "pass")
