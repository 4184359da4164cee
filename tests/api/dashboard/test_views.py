"""What pages show, made from plain data: words, the picture of a plan, escaping, colours that can be read."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import html  # type: ignore[import-untyped]

from autonomy.api.dashboard import graph, render, sentences, views
from autonomy.api.dashboard.forms import changed
from autonomy.core.errors import InvalidInput
from autonomy.core.events import EVENT_TYPES
from autonomy.core.types import Budget

UNSEEN = "\u202e\u2066\u200f\u061c\u200b\x07\U000e0041"
HOSTILE = f"\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{{{7*7}}}}{UNSEEN}"
AT = "2026-01-02T11:59:30.000Z"
NOW = datetime.datetime(2026, 1, 2, 12, 2, 30, tzinfo=datetime.UTC)
WHO = SimpleNamespace(via="cookie", user_id=HOSTILE, admin=True)
DEFAULTS = {"corpus": "notes", "providers": ["A"], "tokens": None, "seconds": 3600.0, "usd": None}
TEMPLATES = sorted(path.name for path in (render.HERE / "templates").iterdir())


def step(id_: str, *after: str, state: str = "pending", current: bool = False) -> tuple[dict[str, Any], list[dict[str, str]]]:
    node = {"id": id_, "kind": "research", "action": "search", "description": id_, "state": state, "current": current}
    return node, [{"source": each, "target": id_} for each in after]


def plan(*steps: tuple[dict[str, Any], list[dict[str, str]]]) -> dict[str, Any]:
    return {"nodes": [node for node, _ in steps], "edges": [edge for _, edges in steps for edge in edges]}


RESEARCH = plan(
    step("survey", state="done"),
    *(step(f"search-{n}", "survey", state="done") for n in range(9)),
    step("matrix", *(f"search-{n}" for n in range(9)), current=True),
    step("write", "matrix", "survey"),
)


MIXED = plan(
    step("a"),
    step("b", "a"),
    step("c", "a"),
    step("d", "b"),
    step("e", "c"),
    step("f", "b", "c"),
    *(step(f"g{n}", "a") for n in range(3)),
)


# -- the picture ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("drawn_plan", [RESEARCH, MIXED])
@pytest.mark.parametrize("draw", [graph.picture, graph.sketch])
def test_no_two_steps_lie_upon_each_other_and_all_lie_inside(draw: Any, drawn_plan: dict[str, Any]) -> None:
    width, height = (graph.DOT, graph.DOT) if draw is graph.sketch else (graph.WIDTH, graph.HEIGHT)
    drawn = draw(drawn_plan)
    assert len(drawn.boxes) == len(drawn_plan["nodes"])
    for box in drawn.boxes:
        assert 0 <= box.x <= drawn.width - width
        assert 0 <= box.y <= drawn.height - height
    for one, other in itertools.combinations(drawn.boxes, 2):
        assert abs(one.x - other.x) >= width or abs(one.y - other.y) >= height, (one, other)


def test_steps_that_stand_alike_share_a_frame_and_a_line_stands_for_all_of_them() -> None:
    layers = graph.layers(RESEARCH["nodes"], RESEARCH["edges"])
    assert [[len(frame) for frame in layer] for layer in layers] == [[1], [9], [1], [1]]
    drawn = graph.picture(RESEARCH)
    assert len(drawn.frames) == 1
    assert len(drawn.edges) == 4  # survey to the searches, these to the matrix, that and the survey to the writing
    assert [done for _, done in drawn.edges].count(True) == 3


def test_the_step_at_work_is_said_to_be_at_work() -> None:
    (box,) = [box for box in graph.picture(RESEARCH).boxes if box.current]
    assert (box.id, box.state, box.word) == ("matrix", "running", "at work")
    assert box.after == tuple(range(2, 11))


def test_circles_and_lines_to_nowhere_do_not_stop_the_picture() -> None:
    circle = plan(step("a", "c", "a"), step("b", "a", "gone"), step("c", "b"))
    assert [[step.data["id"] for frame in layer for step in frame] for layer in graph.layers(**circle)] == [["a"], ["b"], ["c"]]
    assert graph.picture({"nodes": [], "edges": []}).boxes == ()


def test_a_sketch_is_no_wider_than_a_phone() -> None:
    many = plan(step("first"), *(step(f"s{n}", "first") for n in range(60)))
    assert graph.sketch(many).width <= 300


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Search it", ("Search it",)),
        ("one two three four five six", ("one two", "three fou…")),
        ("x" * 30, ("x" * 10, "x" * 9 + "…")),
        ("日本語の文章です", ("日本語の文", "章です")),
        ("", ("",)),
    ],
)
def test_labels_fit_their_boxes(text: str, lines: tuple[str, ...]) -> None:
    assert graph.wrapped(text, 10, 2) == lines


# -- words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "why"), [({}, "its worker was gone"), ({"retry": True}, "the attempt that failed")])
def test_a_retry_does_not_say_that_a_worker_was_gone(more: dict[str, Any], why: str) -> None:
    event = {"seq": 1, "type": "run.resumed", "node": None, "content": {"reason": "takeover", **more}, "created_at": AT}
    assert why in sentences.tell(event).text


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
@pytest.mark.parametrize("content", [{}, {"route": HOSTILE, "why": HOSTILE, "error": {"message": HOSTILE}, "figures": [1]}])
def test_every_event_is_a_sentence_whatever_it_holds(type_: str, content: dict[str, Any]) -> None:
    told = sentences.tell({"seq": 1, "type": type_, "node": None, "content": content, "created_at": AT})
    assert told.text
    assert "\n" not in told.text
    assert told.text[0].isupper() or type_ in ("call.finished", "decision")


def test_a_decision_tells_its_reason_its_figures_its_gates_and_what_comes_next() -> None:
    gates = [{"name": "source_spread", "figure": 1, "threshold": 2, "pass": False, "evidence": ["n=1", "all of it: A"]}]
    content = {
        "route": "expand", "why": "evidence is thin", "step": "s1", "figures": {"cards_found": 3, "gates": {}}, "gates": gates,
    }  # fmt: skip
    event = {"seq": 7, "type": "decision", "node": "reflect", "content": content, "created_at": AT}
    told = sentences.tell(event, {"s1": "Search: leases"})
    assert (told.subject, told.text, told.next) == ("Search: leases", "evidence is thin", "widen the search")
    assert told.figures == (("cards found", "3"),)
    assert told.gates == (sentences.Gate("source spread", "1", "at least 2", False, "all of it: A"),)
    passed = [{"name": "source_spread", "figure": 2, "threshold": 2, "pass": True, "evidence": ["n=2"]}]
    assert sentences.gates(passed) == (sentences.Gate("source spread", "2", "at least 2", True),)


def test_very_long_words_are_cut() -> None:
    assert len(sentences.cut("x" * 10_000)) == sentences.LONGEST


def test_each_status_has_a_word_and_a_shape_of_its_own_in_its_list() -> None:
    for statuses in (views.RUN_STATUSES, views.TASK_STATUSES):
        marks = [views.mark(status) for status in statuses]
        assert len({mark["word"] for mark in marks}) == len(statuses)
    assert len({views.mark(status)["shape"] for status in views.RUN_STATUSES}) == len(views.RUN_STATUSES)
    assert views.mark("done", "budget_exceeded")["word"] == "over budget"


def test_an_approver_sees_what_would_start_with_the_limits_that_would_hold() -> None:
    plain = {
        "task_id": "t",
        "status": "pending",
        "source": "cli",
        "request_text": "Do it",
        "created_at": AT,
        "correlation_id": "t",
    }
    starts = dict(views.task(plain, DEFAULTS)["starts"])
    assert starts == {"Journey": "write", "Goal": "Do it", "Reads": "notes", "Limits": "1 h", "Asks": "A"}
    asked = {**plain, "journey": "research", "task_spec": {"goal": "This", "corpus": ["docs"], "budget_usd": 0.5}}
    starts = dict(views.task(asked, DEFAULTS)["starts"])
    assert starts == {"Journey": "research", "Goal": "This", "Reads": "docs", "Limits": "1 h, $0.50", "Asks": "A"}


def test_budget_bars_stay_between_nothing_and_all() -> None:
    def row(limit: float | None, used: float, reserved: float = 0) -> dict[str, Any]:
        return {"limit": limit, "used": used, "reserved": reserved}

    rows = views.budgets({"tokens": row(100, 130), "seconds": row(10, 2.5, 9), "usd": row(None, 0.1)})
    assert [(each["share"], each["tone"]) for each in rows] == [(100, "bad"), (25, "good"), (None, "good")]
    assert rows[1]["held"] == 75
    assert rows[2]["limit"] is None


def test_only_limits_that_differ_are_changed_and_an_empty_one_is_lifted() -> None:
    now = {"tokens": {"limit": 5000}, "seconds": {"limit": 60.0}, "usd": {"limit": None}}
    assert changed({"tokens": "5000", "seconds": "60", "usd": ""}, now) is None
    wanted = changed({"tokens": "", "seconds": "90.5", "usd": ""}, now)
    assert wanted is not None
    assert wanted.model_dump(exclude_unset=True) == {"tokens": None, "seconds": 90.5}
    assert changed({"tokens": "70"}, now) == Budget(tokens=70)


@pytest.mark.parametrize(
    "given", [{"tokens": "many"}, {"tokens": "1.5"}, {"tokens": "0"}, {"seconds": "-1"}, {"usd": "nan"}, {"usd": "1e400"}]
)
def test_what_is_no_limit_is_refused_with_its_name(given: dict[str, str]) -> None:
    now = {name: {"limit": 7} for name in ("tokens", "seconds", "usd")}
    with pytest.raises(InvalidInput, match=r"Tokens|Time|Cost"):
        changed(given, now)


# -- pages ----------------------------------------------------------------------------------------------


def hostile_run() -> dict[str, Any]:
    """A run all of whose texts are hostile."""
    budget = {"limit": 10, "used": 3, "reserved": 1}
    found = {
        "run_id": HOSTILE, "user_id": HOSTILE, "journey": HOSTILE, "goal": HOSTILE, "status": "running", "outcome": None,
        "route": "act", "budgets": dict.fromkeys(("tokens", "seconds", "usd"), budget), "correlation_id": HOSTILE,
        "created_at": AT, "updated_at": AT, "finished_at": None, "error": {"message": HOSTILE}, "notes": [HOSTILE],
        "task": {"goal": HOSTILE, "corpus": [HOSTILE], "constraints": [HOSTILE], "provider": [HOSTILE]},
        "plan": [{"id": HOSTILE, "description": HOSTILE}], "current": HOSTILE, "last_verdict": None,
        "artifacts": [{"artifact_id": HOSTILE, "path": HOSTILE, "role": HOSTILE, "size": 1}],
    }  # fmt: skip
    manifest = {
        "notes": [HOSTILE], "claims": [], "gates": [{"name": HOSTILE, "figure": HOSTILE, "threshold": HOSTILE, "pass": True}],
        "sources": [{"id": HOSTILE, "title": HOSTILE, "location": HOSTILE, "authors": [HOSTILE], "snapshot": HOSTILE}],
    }  # fmt: skip
    told = [
        {"seq": n, "type": type_, "node": HOSTILE, "created_at": AT, "content": {"why": HOSTILE, "figures": {HOSTILE: HOSTILE}}}
        for n, type_ in enumerate(sorted(EVENT_TYPES))
    ]
    node = {"id": HOSTILE, "kind": HOSTILE, "action": HOSTILE, "description": HOSTILE, "state": HOSTILE, "current": True}
    return views.run(found, {"nodes": [node], "edges": []}, told, manifest, NOW)


def hostile_task(status: str) -> dict[str, Any]:
    """A task all of whose texts are hostile."""
    item = {"id": HOSTILE, "text": HOSTILE}
    issue = {"id": HOSTILE, "criterion_ref": HOSTILE, "text": HOSTILE, "trace": [HOSTILE]}
    work = {
        "n": 1, "at": AT, "run_id": HOSTILE, "issues": [issue], "ack": {}, "outcome": HOSTILE,
        "result": {
            "work_log": [{"id": HOSTILE, "at": AT, "what": HOSTILE, "figures": {HOSTILE: HOSTILE}}],
            "diff_snapshot": [{"path": HOSTILE, "role": HOSTILE, "size": 3, "sha256": HOSTILE}],
            "criteria": [{"criterion_ref": HOSTILE, "met": False}],
        },
        "verdict": {"decision": "reject", "by": HOSTILE, "issues": [issue]},
    }  # fmt: skip
    return {
        "task_id": HOSTILE, "status": status, "source": HOSTILE, "user_id": HOSTILE, "request_text": f"{HOSTILE}\n{HOSTILE}",
        "created_at": AT, "correlation_id": HOSTILE, "outcome": HOSTILE, "ci_status": HOSTILE, "error": HOSTILE,
        "git": {"repo": HOSTILE}, "run_id": HOSTILE, "task_spec": {HOSTILE: HOSTILE, "goal": HOSTILE}, "journey": HOSTILE,
        "acceptance_criteria": [item], "declared_scope": [item], "dispatches": [work],
        "decision": {"verdict": "approved", "by": HOSTILE, "at": AT, "reason": HOSTILE}, "finished_at": AT,
        "deliverables": [{"path": HOSTILE, "role": "deliverable", "media_type": HOSTILE, "artifact_id": HOSTILE}],
    }  # fmt: skip


def pages() -> Iterator[tuple[str, str]]:
    """Every page, with hostile text wherever text may stand."""
    shared: dict[str, Any] = {
        "who": WHO, "here": "Runs", "poll": 5, "said": {"tone": "bad", "text": HOSTILE},
        "live": {"stream": HOSTILE, "events": HOSTILE},
    }  # fmt: skip
    run, damaged = hostile_run(), [SimpleNamespace(name=HOSTILE, why=HOSTILE)]
    brief = views.task_brief(hostile_task("pending"))
    lists = {"rows": [run], "chosen": "", "cursor": HOSTILE}
    yield "run.html", render.page("run.html", run=run, shows=views.SHOWS, show="everything", earlier=3, **shared)
    for status in views.TASK_STATUSES:
        task = views.task(hostile_task(status), DEFAULTS)
        yield "task.html", render.page("task.html", task=task, may_decide=status != "pending", **shared)
    yield "runs.html", render.page("runs.html", **{**lists, **shared})
    yield "tasks.html", render.page("tasks.html", damaged=damaged, **{**lists, "rows": [brief], **shared})
    parts = {"waiting_tasks": [brief], "waiting_runs": [run], "running": [run], "lately": [run], "damaged": damaged}
    yield "overview.html", render.page("overview.html", **parts, **shared)
    passage = {"title": HOSTILE, "location": HOSTILE, "page": 3, "section": HOSTILE, "text": HOSTILE}
    yield "memory.html", render.page("memory.html", q=HOSTILE, found=[passage], problem=None, **shared)
    yield "memory.html", render.page("memory.html", q=HOSTILE, found=[], problem=HOSTILE, **shared)
    yield "login.html", render.page("login.html", **shared)
    yield "problem.html", render.page("problem.html", title=HOSTILE, detail=HOSTILE, hint=HOSTILE, back="/", **shared)


def test_no_text_becomes_markup_on_any_page() -> None:
    seen = set()
    for name, text in pages():
        seen.add(name)
        tree = html.document_fromstring(text)
        elements = [each for each in tree.iter() if isinstance(each.tag, str)]
        assert "49" not in tree.text_content(), name
        assert "img" not in {each.tag for each in elements}, name
        scripts = [each for each in elements if each.tag == "script"]
        assert [script.get("src") for script in scripts] == [render.static("app.js")], name
        for each in elements:
            assert each.tag not in ("style", "iframe", "object", "embed", "base"), name
            assert [at for at in each.attrib if at.lower().startswith("on") or at == "style"] == [], (name, each.tag)
            assert not (each.get("href") or "").lower().startswith("javascript:"), name
    assert seen == {name for name in TEMPLATES if name not in ("base.html", "parts.html", "damaged.html")}


def test_a_criterion_that_no_gate_measured_is_not_shown_as_met() -> None:
    def shown(met: bool | None) -> Any:
        task = hostile_task("approved")
        task["dispatches"][0]["result"]["criteria"] = [{"criterion_ref": "c1", "met": met}]
        return views.task(task, DEFAULTS)["dispatches"][0]["criteria"][0]["open"]

    assert [shown(None), shown(True), shown(False)] == [True, False, False]


def test_no_unseen_character_is_sent_on_any_page() -> None:
    for name, text in pages():
        assert [char for char in UNSEEN if char in text or f"&#{ord(char)};" in text] == [], name
        if name != "login.html":
            assert "[U+202E][U+2066][U+200F][U+061C][U+200B][U+0007][U+E0041]" in text, name


def test_what_an_approval_starts_reads_as_the_program_reads_it() -> None:
    found = {**hostile_task("pending"), "request_text": "\u202egnp.exe of leases", "task_spec": {}}
    task = views.task(found, DEFAULTS)
    tree = html.document_fromstring(
        render.page("task.html", task=task, may_decide=True, here="", who=WHO, poll=None, said=None, live=None)
    )
    (goal,) = tree.xpath("//*[@id='decide']//dd[preceding-sibling::dt='Goal']")
    assert (goal.text_content(), goal.get("dir")) == ("[U+202E]gnp.exe of leases", "auto")


def test_texts_from_outside_stand_apart_from_the_direction_of_their_surroundings() -> None:
    for name, text in pages():
        tree = html.document_fromstring(text)
        for place in (
            "h1[@class='goal']",
            "th/a",
            "dd",
            "blockquote[contains(@class, 'prose')]",
            "*[@id='request']",
            "p[@class='text']",
        ):
            for each in tree.xpath(f"//{place}"):
                assert each.get("dir") == "auto" or each.xpath("*[@dir='auto']"), (name, place)


def test_a_step_takes_the_room_of_its_marks() -> None:
    (box,) = graph.picture(plan(step("\u202e" * 9))).boxes
    assert box.text == "[U+202E]" * 9
    assert all(len(line) <= graph.CELLS for line in box.lines)


def test_ids_are_unique_and_labels_point_at_their_fields() -> None:
    for name, text in pages():
        tree = html.document_fromstring(text)
        ids = [each.get("id") for each in tree.iter() if isinstance(each.tag, str) and each.get("id")]
        # The names of rows are made from ids of runs and steps, which are all the same here.
        assert len({each for each in ids if "img" not in each}) == len([each for each in ids if "img" not in each]), name
        for attribute in ("for", "aria-labelledby", "aria-describedby"):
            for value in tree.xpath(f"//@{attribute}"):
                assert value in ids, (name, attribute, value)


def test_nothing_on_a_page_comes_from_elsewhere() -> None:
    for path in (render.HERE / "templates").iterdir():
        assert "//" not in path.read_text("utf-8").replace("://", ""), path.name
        assert "safe" not in re.findall(r"\|\s*(\w+)", path.read_text("utf-8")), path.name
    style, script = ((render.STATIC / name).read_text("utf-8") for name in ("app.css", "app.js"))
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
    assert len(script.splitlines()) < 400


def test_the_policy_allows_no_script_and_no_style_inside_a_page() -> None:
    rules = dict(each.strip().split(" ", 1) for each in render.CSP.split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert {rules[name] for name in ("base-uri", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in render.CSP


# -- colours --------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def schemes() -> dict[str, dict[str, str]]:
    """The colours of both schemes, by name."""
    style = (render.STATIC / "app.css").read_text("utf-8")
    light, dark, *_ = re.findall(r":root \{(.*?)\n\s*\}", style, re.DOTALL)
    return {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for name, block in (("light", light), ("dark", dark))}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_a_contrast_of_four_and_a_half_and_lines_of_controls_one_of_three(scheme: str) -> None:
    colours = schemes()[scheme]
    pairs = [
        (text, ground) for text in ("ink", "soft", "accent", "warn", "bad", "good") for ground in ("ground", "surface", "sunk")
    ]
    pairs += [(tone, f"{tone}-wash") for tone in ("good", "warn", "bad", "live", "accent")]
    pairs += [("ink", f"{tone}-wash") for tone in ("good", "warn", "bad", "live")]
    pairs += [("accent-ink", "accent")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for ground in ("ground", "surface"):
        assert contrast(colours["line-strong"], colours[ground]) >= 3, ground
