"""The live view: what it learns from events, and that it fits every terminal."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from autonomy.core.events import Event
from cli.output import ASCII, Glyphs, columns
from cli.screen import draw
from cli.watch import Watch

_numbers = itertools.count(1)
RUN = "7k2qabcdefgh"


def event(type_: str, node: str | None = None, **content: Any) -> Event:
    number = next(_numbers)
    return Event(number, RUN, number, type_, node, content, "c", 0)


def step(id_: str, action: str, *needs: str, state: str = "pending", description: str = "") -> dict[str, Any]:
    return {
        "id": id_,
        "action": action,
        "description": description or f"{action} {id_}",
        "state": state,
        "depends_on": list(needs),
    }


PLAN = [
    step("survey", "survey"),
    *(step(f"q{n}", "search", "survey", description=f"Search: question {n}") for n in range(1, 6)),
    *(step(f"a{n}", "annotate", "q1", "q2", "q3", "q4", "q5") for n in range(1, 31)),
    step("audit", "audit", "a30"),
    step("deliver", "deliver", "audit"),
]


@pytest.fixture
def watch() -> Watch:
    seen = Watch(RUN, "research", "How are tasks cancelled?")
    seen.take(event("plan.updated", "plan", steps=PLAN, why="laid out"))
    return seen


def states(watch: Watch) -> dict[str, str]:
    return {each.id: each.state for each in watch.steps if each.state != "pending"}


def test_the_first_ready_step_is_the_one_being_worked_on(watch: Watch) -> None:
    watch.take(event("node.started", "act"))
    assert states(watch) == {"survey": "running"}


def test_a_verdict_ends_its_step_and_keeps_what_came_of_it(watch: Watch) -> None:
    watch.take(event("node.started", "act"))
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="pass", why="survey: 12 documents in en"))
    watch.take(event("node.started", "act"))
    assert states(watch) == {"survey": "done", "q1": "running"}
    assert watch.steps[0].note == "12 documents in en"


def test_a_note_does_not_repeat_the_question_of_its_step(watch: Watch) -> None:
    why = "'question 1': 8 quotations from 3 sources"
    watch.take(event("decision", "reflect", route="act", step="q1", verdict="pass", why=why))
    assert next(each for each in watch.steps if each.id == "q1").note == "8 quotations from 3 sources"


def test_a_retry_keeps_the_step_waiting_and_a_failure_lets_others_go_on(watch: Watch) -> None:
    watch.take(event("node.started", "act"))
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="retry", why="again"))
    assert watch.current == "survey"
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="fail", why="no"))
    assert (watch.steps[0].state, watch.current) == ("failed", "q1")


def test_a_page_older_than_an_event_does_not_take_the_event_back(watch: Watch) -> None:
    watch.take(event("node.started", "act"))
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="pass", why="ok"))
    watch.refresh({"plan": PLAN})
    assert watch.steps[0].state == "done"


def test_calls_retries_and_tokens_are_counted(watch: Watch) -> None:
    watch.take(event("call.started", "act", call=1, name="draft"))
    watch.token("Once upon ")
    watch.token("a time")
    watch.take(event("retry", "act", provider="openai", attempt=2, reason="429"))
    assert (watch.calls, watch.retries, watch.tail) == (1, 1, "Once upon a time")


REFUSED = {"provider": "local", "reason": "local cannot be reached", "hint": "Check base_url."}


def test_trouble_stands_in_one_place_with_what_to_do_and_counts_up(watch: Watch) -> None:
    for attempt in (1, 2, 3):
        watch.take(event("retry", "act", attempt=attempt, **REFUSED))
    reason = "provider-unavailable: local cannot be reached. Check base_url."
    watch.take(event("retry", None, scope="job", provider=None, attempt=1, reason=reason))
    shown = draw(watch, 80, 40, Glyphs()).plain
    assert shown.count("local cannot be reached (4 tries). Check base_url.") == 1
    watch.take(event("retry", "act", attempt=1, provider="local", reason="local has trouble (500)"))
    shown = draw(watch, 80, 40, Glyphs()).plain
    assert "local has trouble (500)." in shown
    assert "cannot be reached" not in shown


@pytest.mark.parametrize(
    "over", [event("call.finished", "act", kind="chat", state="answered"), event("decision", "reflect", route="act", why="on")]
)
def test_trouble_that_is_over_is_shown_no_more(watch: Watch, over: Event) -> None:
    watch.take(event("retry", "act", attempt=1, **REFUSED))
    watch.take(event("call.finished", "act", kind="chat", error={"message": "gone"}))
    assert "cannot be reached" in draw(watch, 80, 40, Glyphs()).plain
    watch.take(over)
    assert "cannot be reached" not in draw(watch, 80, 40, Glyphs()).plain


def test_only_the_end_of_a_long_answer_is_kept(watch: Watch) -> None:
    for _ in range(1000):
        watch.token("word ")
    assert len(watch.tail) <= 240


BUDGETS = {
    "tokens": {"limit": 200_000, "used": 41_234, "reserved": 2_300},
    "seconds": {"limit": 3600, "used": 42.0, "reserved": 0},
    "usd": {"limit": 1.0, "used": 0.97, "reserved": 0.5},
}


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("height", [8, 12, 18, 24, 50])
@pytest.mark.parametrize("glyphs", [Glyphs(), ASCII])
def test_the_view_never_leaves_its_frame(watch: Watch, width: int, height: int, glyphs: Glyphs) -> None:
    watch.goal = "目標 " * 80 + "\x1b[2J"
    watch.refresh({"budgets": BUDGETS})
    for name in ("survey", "q1", "q2"):
        watch.take(event("node.started", "act"))
        watch.take(event("decision", "reflect", route="act", step=name, verdict="pass", why=f"{name}: " + "figures " * 30))
    watch.take(event("node.started", "act"))
    watch.token("piece\n" * 99)
    watch.take(event("retry", "act", attempt=1, reason="trouble " * 40, hint="figures " * 40))
    lines = draw(watch, width, height, glyphs).plain.split("\n")
    assert max(columns(line) for line in lines) <= width
    assert all(line.isprintable() for line in lines)
    assert len(lines) <= height
    if glyphs is ASCII:
        assert all(line.isascii() for line in lines[2:])


def test_the_view_shows_plan_node_reason_budgets_and_how_to_stop(watch: Watch) -> None:
    watch.refresh({"budgets": BUDGETS})
    watch.take(event("node.started", "act"))
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="pass", why="survey: 12 documents in en"))
    watch.take(event("node.started", "act"))
    shown = draw(watch, 100, 40, Glyphs()).plain
    for words in (
        "✓ Survey the corpus", "12 documents in en", "▸ Search for evidence", "0 of 5", "├ ▸ question 1", "· Deliver",
        "now      act · Search: question 1", "reflect → act  12 documents in en",
        "41,234 + 2,300 reserved of 200k", "$0.97 + $0.50 reserved of $1.00", "Ctrl-C stops",
    ):  # fmt: skip
        assert words in shown


def test_on_a_low_terminal_what_comes_later_is_folded_into_one_line(watch: Watch) -> None:
    watch.take(event("decision", "reflect", route="act", step="survey", verdict="pass", why="ok"))
    watch.take(event("node.started", "act"))
    watch.refresh({"budgets": BUDGETS})
    shown = draw(watch, 80, 18, Glyphs()).plain
    assert "· then Annotate the sources, Audit, Deliver" in shown
    assert "├ ▸ question 1" in shown


def test_reading_documents_shows_how_far_it_is() -> None:
    seen = Watch(RUN, "research", "goal")
    seen.progress(120, 512, "asyncio-task.html")
    shown = draw(seen, 80, 24, Glyphs()).plain
    assert "120 of 512" in shown
    assert "asyncio-task.html" in shown
    seen.progress(512, 512, "last")
    assert "512" not in draw(seen, 80, 24, Glyphs()).plain


def test_the_seconds_shown_never_run_backwards(watch: Watch) -> None:
    shown = []
    for used, since in ((0.0, 0.3), (0.0, 1.7), (0.2, 0.1), (1.9, 0.0), (1.9, 0.5)):
        watch.refresh({"budgets": {"seconds": {"limit": 60.0, "used": used, "reserved": 0}}})
        shown.append(round(watch.seconds_used(watch.budgets_at + since), 2))
    assert shown == [0.3, 1.7, 1.7, 1.9, 2.4]
