"""The loop with small fakes: every node, every dead end, and that it always comes to an end."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.agents.actions import ACTIONS
from autonomy.agents.contract import Failure
from autonomy.agents.nodes import NODES
from autonomy.agents.roles import Pair
from autonomy.agents.wrap_up import wrap_up
from autonomy.core.errors import (
    AutonomyError,
    BadAnswer,
    BudgetExceeded,
    CorruptState,
    LeaseLost,
    NotYetBuilt,
    ProviderRefused,
    ProviderUnavailable,
    StepLimitReached,
)
from autonomy.core.graph import END, ROUTES
from autonomy.core.types import Gate, PlanStep, StepLimits, TaskSpec
from tests.agents.loop import Folders, Good, Paper, Silent, Tools, changed, gate, loop, with_plan

FAILING = (Failure("section", "Part 1", 0, "citation_support", "no"),)
DRAFT = PlanStep(id="draft-1", kind="write", action="draft", description="Write", arguments={"heading": "Part 1"})
DELIVER = PlanStep(id="deliver", kind="write", action="deliver", description="Deliver", depends_on=("draft-1",))


def always(error: Callable[[], AutonomyError], *spared: str) -> Callable[[str, int], None]:
    def before(role: str, count: int) -> None:
        if role not in spared:
            raise error()

    return before


def alternating(error: Callable[[], AutonomyError]) -> Callable[[str, int], None]:
    def before(role: str, count: int) -> None:
        if count % 2 and role != "interpret":
            raise error()

    return before


# -- the whole loop ---------------------------------------------------------------------------------


async def test_a_good_run_visits_every_step_and_hands_over() -> None:
    made = loop()
    end = await made.to_end()
    assert (end["outcome"], end["error"]) == ("delivered", None)
    assert all(step["state"] == "done" and step["attempts"] == 1 for step in end["plan"])
    assert [step["id"] for step in end["plan"]] == [
        "survey", "search-1", "search-2", "outline", "draft-1", "draft-2", "frame", "audit", "deliver",
    ]  # fmt: skip
    assert set(made.files.put_) == {"deliverable.md", "deliverable.docx", "manifest.json"}


async def test_every_action_verdict_and_observation_is_kept_in_order() -> None:
    made = loop()
    await made.to_end()
    keys = made.rows.keys("episode")
    assert len(keys) == 3 * 9
    assert [key.split("-")[1] for key in keys[:3]] == ["action", "observation", "verdict"]
    numbers = [made.rows.number("episode", key) for key in keys]
    assert numbers == sorted(numbers)


FAILURES = [BadAnswer, ProviderRefused, ProviderUnavailable]


@pytest.mark.parametrize("error", FAILURES)
@pytest.mark.parametrize("failing_sentences", [(), FAILING])
async def test_a_player_that_fails_in_everything_but_reading_the_goal_still_ends_with_an_honest_document(
    error: type[AutonomyError], failing_sentences: tuple[Failure, ...]
) -> None:
    journey = Paper(measures=[(gate("min_citations", passed=False),)])
    made = loop(Good(always(lambda: error("no answer"), "interpret")), journey)
    end = await made.to_end()
    assert end["outcome"] == "target_not_reached"
    assert {step["id"]: step["state"] for step in end["plan"]}["search-1"] == "failed"
    assert any("could not be done" in note for note in made.manifest()["notes"])
    assert all(step["attempts"] <= 2 for step in end["plan"])


async def test_a_player_that_always_answers_with_nothing_comes_to_an_end() -> None:
    made = loop(Silent(), Paper(measures=[(gate("min_citations", passed=False),)]))
    end = await made.to_end()
    assert end["outcome"] == "target_not_reached"
    assert made.state["widened"] <= 2
    assert any("found little about this" in note for note in made.manifest()["notes"])


async def test_a_player_that_fails_every_second_time_is_asked_again_and_delivers() -> None:
    made = loop(Good(alternating(lambda: BadAnswer("garbled"))))
    end = await made.to_end()
    assert end["outcome"] == "delivered"
    retried = [d for d in made.decisions("reflect") if d["verdict"] == "retry"]
    assert retried
    assert all(d["route"] == "act" for d in retried)


async def test_gates_that_never_pass_are_mended_twice_and_then_delivered_with_a_note() -> None:
    made = loop(Good(), Paper(measures=[(gate("citation_support", passed=False),)], failing=FAILING))
    end = await made.to_end()
    actions = [step["action"] for step in end["plan"]]
    assert (actions.count("revise"), actions.count("audit")) == (2, 3)
    assert end["outcome"] == "target_not_reached"
    assert any(
        note.startswith("Where this document falls short: cited statements that their quotations bear out")
        for note in made.manifest()["notes"]
    )


async def test_a_corpus_without_an_answer_is_widened_twice_and_each_widening_asks_something_new() -> None:
    tools = Tools(passages=0, coverage=0.0)
    made = loop(Good(), Paper(measures=[(gate("min_citations", passed=False),)]), tools)
    end = await made.to_end()
    assert end["widened"] == 2
    questions = [asked["query"] for asked in tools.asked]
    assert questions == ["What is a lease?", "Why fences?", "Other 1?", "Other 2?"]
    assert sum("found little about this" in note for note in end["notes"]) == 1


async def test_a_goal_nobody_can_read_fails_the_run_with_its_cause() -> None:
    made = loop(Good(always(lambda: ProviderUnavailable("down"))))
    with pytest.raises(ProviderUnavailable, match="down"):
        await made.to_end()


@pytest.mark.parametrize("role", ["select", "draft", "judge"])
async def test_a_spent_budget_and_a_lost_lease_are_nobodys_observation(role: str) -> None:
    for error in (BudgetExceeded("tokens", 1, 1, 1), LeaseLost("gone")):

        def before(asked: str, count: int, error: AutonomyError = error) -> None:
            if asked == role:
                raise error

        made = loop(Good(before), Paper(pairs=(_pair(),)))
        with pytest.raises(type(error)):
            await made.to_end()


def _pair() -> Pair:
    return Pair(id="p1", text="It says so.", quotes=("so",))


# -- plan -------------------------------------------------------------------------------------------


async def test_a_plan_whose_delivery_failed_has_failed_and_says_why() -> None:
    verdict = {"step": "deliver", "decision": "fail", "notes": "deliver failed 2 times (no disk); goes on without it"}
    made = with_plan(
        loop(), changed(DRAFT, state="done"), changed(DELIVER, state="failed"), current="deliver", outcome="delivered",
        route="plan", verdict=verdict,
    )  # fmt: skip
    update = await made.step()
    assert (update["route"], update["outcome"]) == (END, "failed")
    assert update["error"] == f"no document was handed over: {verdict['notes']}"


async def test_a_plan_that_waits_for_a_step_that_never_ends_has_failed() -> None:
    made = with_plan(loop(), changed(DELIVER, depends_on=("nobody",)), current="x", route="plan")
    update = await made.step()
    assert (update["route"], update["outcome"]) == (END, "failed")
    assert "deliver waits for a step that never ends" in update["error"]


async def test_a_failed_draft_does_not_hold_up_the_delivery() -> None:
    made = with_plan(loop(), changed(DRAFT, state="failed"), DELIVER, current="draft-1", route="plan")
    assert (await made.step())["current"] == "deliver"


async def test_planning_the_same_state_twice_gives_the_same_plan() -> None:
    made = loop(Good(), Paper(measures=[(gate("citation_support", passed=False),)], failing=FAILING))
    while made.state["route"] != END:
        if made.state["route"] == "plan":
            first = await NODES["plan"](made.state, made.context)
            again = await NODES["plan"](made.state, made.context)
            assert first == again
            settled = {**made.state, **first, "verdict": None}
            assert (await NODES["plan"](settled, made.context))["plan"] == first["plan"]  # type: ignore[arg-type]
        await made.step()


# -- act --------------------------------------------------------------------------------------------


async def test_a_providers_failure_is_an_observation_and_counts_as_a_try_without_progress() -> None:
    made = loop(Good(always(lambda: BadAnswer("garbled", "Ask again."), "interpret")))
    await made.until("search")
    update = await made.step()
    assert (update["observation"]["error"], update["observation"]["final"]) == ("garbled. Ask again.", False)
    assert update["stale"] == 1
    assert next(s for s in update["plan"] if s["id"] == "search-1")["attempts"] == 1


async def test_a_step_over_its_own_limit_is_given_up_at_once_and_the_run_goes_on() -> None:
    def over() -> Exception:
        return StepLimitReached("search-1", "usd", 0.5, 0.4, 0.2)

    made = loop(Good(), tools=Tools(raises=over))
    await made.until("search")
    assert (await made.step())["observation"]["final"] is True
    update = await made.step()
    assert made.decisions("reflect")[-1]["verdict"] == "fail"
    assert "the usd limit of step search-1 does not cover the next call" in update["verdict"]["notes"]
    assert update["route"] == "plan"


async def test_a_step_with_limits_calls_under_them_counted_from_its_first_try() -> None:
    made = loop()
    step = changed(DRAFT, action="search", arguments={"question": "Why?"}, max_cost=0.25, max_seconds=9.0, attempts=1)
    with_plan(made, step, current=step.id, route="act", step=12)
    await made.step()
    assert made.context.calls.limits == StepLimits("draft-1", 0.25, 9.0, since=10)  # type: ignore[attr-defined]


async def test_a_step_without_limits_has_none() -> None:
    made = loop()
    await made.until("search")
    await made.step()
    assert made.context.calls.limits is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("step", "current"), [(changed(DRAFT, action="conjure"), "draft-1"), (DRAFT, "draft-9"), (DRAFT, None)]
)
async def test_a_plan_that_makes_no_sense_is_refused_by_name(step: PlanStep, current: str | None) -> None:
    made = with_plan(loop(), step, current="", route="act")
    made.state["current"] = current
    with pytest.raises(CorruptState):
        await made.step()


async def test_progress_ends_staleness() -> None:
    made = loop()
    await made.until("search")
    made.state["stale"] = 2
    assert (await made.step())["stale"] == 0


# -- expand -----------------------------------------------------------------------------------------


async def test_widening_keeps_to_three_new_questions_and_leaves_out_what_was_asked() -> None:
    class Many(Good):
        async def widen(self, *_: object) -> tuple[str, ...]:
            return ("What is a lease?", "a", "a", " ", "b", "c", "d")

    made = loop(Many(), tools=Tools(passages=1, coverage=0.1))
    await made.until("search")
    while made.state["route"] != "expand":
        await made.step()
    update = await made.step()
    asked = [s["arguments"]["question"] for s in update["plan"] if s["action"] == "search"]
    assert asked == ["What is a lease?", "Why fences?", "a", "b", "c"]
    decision = made.decisions("expand")[-1]
    assert decision["figures"] == {"thin": 2, "new_questions": 3, "widened": 1}
    outline = next(s for s in update["plan"] if s["action"] == "outline")
    assert {"search-3", "search-4", "search-5"} <= set(outline["depends_on"])


@pytest.mark.parametrize("player", [Silent(), Good(always(lambda: BadAnswer("lost"), "interpret", "select"))])
async def test_when_nothing_else_can_be_asked_the_reader_is_told_and_the_run_goes_on(player: Good) -> None:
    made = loop(player, tools=Tools(passages=1, coverage=0.1))
    await made.until("search")
    while made.state["route"] != "expand":
        await made.step()
    before = made.state["plan"]
    update = await made.step()
    assert (update["route"], update["plan"]) == ("plan", before)
    assert any("found little about this" in note for note in update["notes"])
    assert "no other question is left to ask" in made.decisions("expand")[-1]["why"]


# -- interpret --------------------------------------------------------------------------------------


async def test_documents_that_could_not_be_read_are_told_five_by_name() -> None:
    failed = tuple((f"f{n}.pdf", "is encrypted") for n in range(8))
    made = loop(folders=Folders(failed=failed))
    update = await made.step()
    assert update["notes"] == [
        "8 documents could not be read and were left out: f0.pdf, f1.pdf, f2.pdf, f3.pdf, f4.pdf and 3 more."
    ]
    assert made.decisions("interpret")[0]["figures"]["unreadable"] == 8
    assert len(made.decisions("interpret")[0]["figures"]["left_out"]) == 8


async def test_every_file_of_which_nothing_is_used_is_named_with_its_reason() -> None:
    made = loop(folders=Folders(failed=(("b.pdf", "is encrypted"),), unused=(("a.md", "too short to quote"),)))
    await made.step()
    assert made.decisions("interpret")[0]["figures"]["left_out"] == ["a.md (too short to quote)", "b.pdf (is encrypted)"]


async def test_files_of_a_kind_that_is_not_read_are_told_five_by_name() -> None:
    made = loop(folders=Folders(unused=(("a.md", "too short to quote"),), unread=tuple(f"f{n}.py" for n in range(7))))
    update = await made.step()
    told = "7 files are of a kind that is not read: f0.py, f1.py, f2.py, f3.py, f4.py and 2 more"
    assert update["notes"] == [f"{told}."]
    assert made.decisions("interpret")[0]["figures"]["left_out"] == ["a.md (too short to quote)", told]


# -- what is not there yet --------------------------------------------------------------------------


async def test_the_route_of_a_later_release_refuses_and_says_what_to_do() -> None:
    made = loop()
    with pytest.raises(NotYetBuilt) as caught:
        await NODES["repair"](made.state, made.context)
    assert "release" in caught.value.message
    assert caught.value.hint
    assert made.events == []


# -- the budget's end -------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", range(30))
def test_a_budget_that_ends_anywhere_ends_in_a_document_with_a_note(nodes: int) -> None:
    import asyncio

    async def cut() -> None:
        made = loop()
        for _ in range(nodes):
            if made.state["route"] == END:
                return
            await made.step()
        if made.state["route"] == END:
            return
        error = BudgetExceeded("seconds", 1.0, 1.2, 0)
        delivered = made.state["observation"] is not None and made.state["observation"]["step"] == "deliver"
        update = wrap_up(made.state, made.context, error, made.state["route"])
        assert update["route"] == END
        assert made.events[-1][0] == "decision"
        assert made.events[-1][2]["figures"]["which"] == "seconds"
        assert update["outcome"] == ("delivered" if delivered else "budget_exceeded")
        assert made.manifest()["outcome"] == update["outcome"]
        assert any("cut short" in note for note in made.manifest()["notes"]) is not delivered

    asyncio.run(cut())


async def test_a_document_cut_short_after_a_revision_shows_gates_of_the_text_as_it_is() -> None:
    stale, fresh = (gate("citation_support", passed=False),), (gate("citation_support"), gate("references"))
    made = loop(Good(), Paper(measures=[stale, fresh], failing=FAILING))
    await made.until("revise")
    await made.step()
    wrap_up(made.state, made.context, BudgetExceeded("tokens", 1, 1, 1), "reflect")
    assert made.manifest()["gates"] == ["citation_support", "references"]
    assert [row["pass"] for row in made.events[-1][2]["gates"]] == [True, True]


async def test_a_run_cut_short_tells_which_gates_its_document_misses_and_why() -> None:
    missed = Gate(name="length", figure=3, threshold=[9, 11], passed=False, evidence=("n=3", "Leases: 3 words"))
    made = loop(Good(), Paper(measures=[(missed,)]))
    await made.until("draft")
    wrap_up(made.state, made.context, BudgetExceeded("tokens", 1, 1, 1), "act")
    row = {"name": "length", "figure": 3, "threshold": [9, 11], "pass": False, "evidence": ["Leases: 3 words"]}
    assert made.decisions("act")[-1]["gates"] == [row]


# -- the table --------------------------------------------------------------------------------------


def test_each_node_and_each_action_stands_in_a_file_of_its_own() -> None:
    assert set(NODES) == set(ROUTES)
    for table in (NODES, ACTIONS):
        for name, function in table.items():
            assert Path(inspect.getfile(function)).stem == name


def test_a_task_reaches_the_state_whole() -> None:
    task = TaskSpec(goal="Why?", length=500, style="ieee")
    assert TaskSpec.model_validate(loop(task=task).state["task"]) == task
