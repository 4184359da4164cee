"""What is shown is safe, short and true: escaping, widths, figures, times, events in one line."""

from __future__ import annotations

import datetime
import io
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.events import EVENT_TYPES, Event
from cli import summary as summaries
from cli import wording
from cli.foreground import how_far
from cli.live import PlainView
from cli.output import (
    ASCII,
    Glyphs,
    Output,
    PipeSafe,
    columns,
    cut,
    plain,
    plain_lines,
    squeezed,
    wants_ascii,
    wants_colour,
    wrapped,
)
from cli.stream import below
from cli.summary import summary

HOSTILE = "a\x1b[31mred\x1b[0m\r\nb\x07\x9b2J\u202eevil\u200b\ud800"


def test_control_and_direction_characters_become_visible() -> None:
    shown = plain(HOSTILE)
    assert shown == r"a\x1b[31mred\x1b[0m\x0d\x0ab\x07\x9b2J\u202eevil\u200b\ud800"
    assert shown.isprintable()


def test_line_ends_stay_only_where_lines_are_meant() -> None:
    assert plain_lines("a\nb\tc") == "a\nb\\x09c"
    assert squeezed(" a\n\t b ") == "a b"


def test_json_says_the_same_and_steers_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"goal": f"{HOSTILE[:-1]} déjà 日本 👩\u200d🚀\U000e0041", "plain": [1, "ok"]}
    for indent in (None, 2):
        told = Output(environ={}).dump(value, indent=indent)
        assert json.loads(told) == value
        assert all(line.replace("\u200d", "").isprintable() for line in told.splitlines())
    assert Output(environ={}).dump("déjà 👩\u200d🚀") == '"déjà 👩\u200d🚀"'


def test_a_line_is_folded_for_a_terminal_between_words_and_stays_whole_for_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Output(environ={"FORCE_COLOR": "1"})
    lead, text = (
        f"{out.paint('ok', 1)}  name  ",
        "one two three four five six seven eight /a/path/that/is/longer/than/the/whole/line",
    )
    assert out.folded(text, lead=lead, under=10) == lead + text
    out.terminal = True
    rows = out.folded(text, lead=lead, under=10).splitlines()
    assert [row.split() for row in rows][1:] == [["seven", "eight"], [text.split()[-1]]]
    assert rows[0] == f"{lead}one two three four five six"
    assert all(row.startswith(" " * 10) for row in rows[1:])
    assert out.folded("", lead=lead) == lead


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_columns_are_counted_as_a_terminal_does(text: str, width: int) -> None:
    assert columns(text) == width


def test_cutting_never_exceeds_the_width() -> None:
    for text in ("abcdefgh", "日本語日本語", "e\u0301" * 9):
        for width in range(1, 8):
            assert columns(cut(text, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.42, "0.4 s"), (42, "42 s"), (185, "3 min 05 s"), (3600, "1 h"), (7810, "2 h 10 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (1234, "1,234"), (123_456, "123k"), (4_560_000, "4.6M")])
def test_counts_in_words(number: int, words: str) -> None:
    assert wording.count(number) == words


@pytest.mark.parametrize(("usd", "words"), [(None, "unknown"), (0, "$0.00"), (0.0042, "$0.0042"), (12.3, "$12.30")])
def test_an_unknown_price_is_never_zero(usd: float | None, words: str) -> None:
    assert wording.money(usd) == words


def test_a_claim_and_a_quotation_said_in_two_parts_are_counted_once() -> None:
    def claim(text: str, start: int, section: str) -> dict[str, Any]:
        cited = {"source": "s1", "quote": text, "anchor": {"start": start, "end": start + 5}}
        return {"text": text, "section": section, "citations": [cited]}

    # A long quotation stands as a block, without marks, in one part, and between marks in the other.
    claims = [claim("One.", 0, "Synthesis"), claim("“One.”", 0, "Matrix"), claim("“Two”", 9, "Matrix")]
    told = {"claims": claims, "sources": [{"id": "s1"}]}
    assert summaries.rests_on(told) == "2 claims on 2 quotations from 1 source, in 3 places"
    assert summaries.rests_on({**told, "claims": claims[1:]}) == "2 claims on 2 quotations from 1 source"
    assert summaries.rests_on({"claims": [], "sources": []}) == "none"


def test_gates_of_a_document_that_claims_nothing_are_not_listed_as_failed(tmp_path: Path) -> None:
    manifest = {"claims": [], "sources": [], "notes": ["The corpus holds little."], "gates": [
        {"name": "min_citations", "figure": 0, "threshold": 5, "pass": False}]}  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    page = {
        "run_id": "abcdefghijkl", "status": "done", "outcome": "target_not_reached", "task": {"goal": "Tides"},
        "artifacts": [{"path": "manifest.json", "role": "manifest"}],
    }  # fmt: skip
    text = summary(page, tmp_path, Output(no_color=True))
    assert "min citations" not in text
    assert "The corpus holds little." in text


def test_ages_in_words() -> None:
    now = datetime.datetime(2026, 1, 2, 12, 0, tzinfo=datetime.UTC)
    assert wording.ago("2026-01-02T11:59:30.000Z", now) == "just now"
    assert wording.ago("2026-01-02T11:30:00.000Z", now) == "30 min ago"
    assert wording.ago("2026-01-02T09:00:00.000Z", now) == "3 h ago"
    assert wording.ago(None, now) == "-"


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
@pytest.mark.parametrize(
    "content", [{}, {"route": HOSTILE, "why": HOSTILE, "error": HOSTILE, "path": HOSTILE, "figures": {HOSTILE: HOSTILE}}]
)
def test_every_event_is_one_printable_line_whatever_it_holds(type_: str, content: dict[str, Any]) -> None:
    event = {
        "run_id": "r",
        "seq": 1,
        "type": type_,
        "node": "act",
        "content": content,
        "created_at": "2026-01-02T11:59:30.000Z",
    }
    line = wording.event_line(event, Glyphs())
    assert line.isprintable()
    assert type_ in line


def test_a_decision_says_route_and_reason() -> None:
    assert wording.happening("decision", {"route": "act", "why": "enough evidence"}, ASCII) == "-> act: enough evidence"


def test_a_missed_gate_shows_whether_it_decides_and_is_spelt_in_one_way() -> None:
    decides = {"name": "length", "figure": 1612, "threshold": [450, 550], "pass": False}
    tells = {"name": "source_share", "figure": 0.9091, "threshold": 0.5, "pass": False}
    assert wording.gate(decides, Glyphs()) == "✗ length 1,612 (wanted 450 to 550)"
    assert wording.gate(tells, Glyphs()) == "! source share 0.909 (wanted at most 0.5)"
    assert wording.gate({**tells, "figure": 0.4, "pass": True}, Glyphs()) == "✓ source share 0.4 (wanted at most 0.5)"


def test_a_changed_budget_says_the_new_limits() -> None:
    content = {"limits": {"tokens": 5000, "seconds": 3600.0, "usd": None}, "changed": ["tokens", "usd"]}
    assert wording.happening("budget.changed", content, ASCII) == "tokens 5,000, usd unlimited"


def test_a_retry_says_who_why_and_how_long() -> None:
    content = {"provider": "openai", "attempt": 2, "reason": "429", "wait_seconds": 1.5}
    assert wording.happening("retry", content, ASCII) == "try 2 at openai: 429, waits 1.5 s"


def test_glyphs_are_ascii_in_the_c_locale_and_on_a_stream_that_cannot_carry_more() -> None:
    class Utf8(io.StringIO):
        encoding = "utf-8"

    class Latin(io.StringIO):
        encoding = "latin-1"

    assert wants_ascii(Utf8(), {"LANG": "C"})
    assert wants_ascii(Utf8(), {"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"})
    assert not wants_ascii(Utf8(), {"LANG": "de_DE.UTF-8"})
    assert not wants_ascii(Utf8(), {})
    assert wants_ascii(Latin(), {"LANG": "de_DE.ISO-8859-1"})


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colour_needs_a_terminal_and_nobody_who_forbids_it() -> None:
    assert wants_colour(Terminal(), {}, False)
    assert not wants_colour(io.StringIO(), {}, False)
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"}, False)
    assert not wants_colour(Terminal(), {"TERM": "dumb"}, False)
    assert not wants_colour(Terminal(), {}, True)
    assert wants_colour(io.StringIO(), {"FORCE_COLOR": "1"}, False)


def test_a_reader_that_left_ends_the_output_and_nothing_else() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    stream = PipeSafe(Closed())
    assert stream.write("one") == 3
    assert stream.gone
    assert stream.write("two") == 3
    stream.flush()


def test_json_survives_a_narrow_stream_and_lone_surrogates(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Output(json=True, environ={}).document({"a": "é\ud800"})
    assert json.loads(raw.getvalue()) == {"a": "é\ud800"}


def test_lines_break_at_white_space_alone() -> None:
    path = "artifacts/sj6b5x4uyz3tnubulpxqhz63zi/write-ahead-logging.md"
    assert wrapped(f"Wrote {path} and more", 20) == ["Wrote", path, "and more"]


def test_documents_that_are_only_looked_at_in_no_time_are_no_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr("cli.live.time.monotonic", lambda: now)
    view = PlainView(Output(environ={}))
    now = 110.0
    view.progress(0, 9, "")
    view.progress(1, 9, "a.md")
    now = 114.0
    view.progress(2, 9, "b.md")
    view.progress(9, 9, "i.md")
    assert capsys.readouterr().err == "checked 2 of 9 documents: b.md\nchecked 9 of 9 documents: i.md\n"


REFUSED = {"provider": "local", "reason": "local cannot be reached", "hint": "Check base_url."}


def test_trouble_that_stays_the_same_is_one_line_that_says_what_to_do_and_one_that_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view, numbers = PlainView(Output(environ={})), itertools.count(1)

    def tell(type_: str, **content: Any) -> list[str]:
        number = next(numbers)
        view.event(Event(number, "r", number, type_, "act", content, "c", 0))
        return [line[41:] for line in capsys.readouterr().err.splitlines()]

    told = [tell("retry", attempt=attempt, wait_seconds=1.5, **REFUSED) for attempt in (1, 2, 3)]
    assert told == [["try 1 at local: local cannot be reached, waits 1.5 s. Check base_url."], [], []]
    assert tell("breaker.opened", **REFUSED) == ["2 more of the same", "local is left alone for a while"]
    assert tell("retry", scope="job", attempt=1, reason="local cannot be reached", delay_ms=2000) != []
    assert tell("run.resumed", retry=True, attempt=2) == []
    assert tell("retry", scope="job", attempt=2, reason="local cannot be reached", delay_ms=4000) == []
    moved = {"route": "act", "why": "select: local gave up", "fallback": {"provider": "local", "reason": "resting"}}
    assert [len(tell("decision", **moved)), len(tell("decision", **moved))] == [2, 0]
    assert len(tell("decision", route="act", why="goes on")) == 1
    tell("call.finished", kind="chat", state="answered")
    assert tell("retry", attempt=1, **REFUSED) == ["try 1 at local: local cannot be reached. Check base_url."]


def test_an_outcome_is_in_the_words_of_people_at_the_end_of_a_line_alone() -> None:
    assert wording.outcome_line("Run done: target_not_reached") == "Run done: below target"
    assert wording.outcome_line("Run done: delivered") == "Run done: delivered"
    assert wording.happening("run.done", {"outcome": "target_not_reached"}, Glyphs()) == "below target"
    assert wording.figures({"outcome": "target_not_reached", "files": 2}) == "outcome below target, files 2"


def _page(**change: Any) -> dict[str, Any]:
    return {
        "run_id": "r" * 26, "status": "done", "outcome": "target_not_reached", "task": {"goal": "How?"}, "notes": [],
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:32Z",
        "budgets": {"seconds": {"used": 1.8, "limit": None}},
        "artifacts": [{"path": f"artifacts/{'r' * 26}/deliverable.md", "role": "deliverable"}], **change,
    }  # fmt: skip


def test_the_summary_tells_work_from_waiting(tmp_path: Path) -> None:
    lines = summary(_page(), tmp_path, Output(environ={"LANG": "en_US.UTF-8"})).splitlines()
    assert lines[0].endswith("below target: worked 1.8 s, 32 s since the start")
    worked = _page(budgets={"seconds": {"used": 30.0, "limit": None}})
    assert summary(worked, tmp_path, Output(environ={})).splitlines()[0].endswith("below target after 32 s")


@pytest.mark.parametrize("width", [40, 44, 60, 80, 120])
def test_the_summary_fits_the_terminal(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(tmp_path)
    cited = {"quote": "q", "anchor": {}}
    names = ("quote_found", "citation_coverage", "citation_support", "source_spread", "claim_in_text", "readability")
    manifest = {
        "claims": [{"text": "One.", "citations": [cited | {"source": str(n)} for n in range(40)]}] * 2, "sources": [{}] * 12,
        "gates": [*({"name": name, "figure": 72.6, "pass": True} for name in names), {"name": "structure", "pass": False}],
        "notes": [" ".join("words" for _ in range(number)) for number in range(5, 9)],
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    budget = {"used": 123_456, "limit": 4_560_000}
    page = _page(
        outcome="delivered", budgets={"seconds": {"used": 30.0, "limit": 3600}, "tokens": budget, "usd": budget},
        artifacts=[{"path": "manifest.json"}, *({"path": f"artifacts/r/sources/{n}.txt"} for n in range(24))],
    )  # fmt: skip
    for line in summary(page, tmp_path, Output(environ={"LANG": "en_US.UTF-8"})).splitlines():
        assert columns(line) <= width, line


@pytest.mark.parametrize(("columns", "alone"), [(80, False), (44, True)])
def test_a_path_that_does_not_fit_beside_its_name_has_a_line_of_its_own(
    columns: int, alone: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(tmp_path)
    lines = summary(_page(), tmp_path, Output(environ={})).splitlines()
    assert (f"artifacts/{'r' * 26}/deliverable.md" in lines) is alone


def test_a_document_below_its_target_is_not_green() -> None:
    assert below("run.done", "target_not_reached")
    assert below("run.done", "budget_exceeded")
    assert not below("run.done", "delivered")
    assert not below("decision", None)


def test_a_run_that_was_stopped_says_how_far_it_got() -> None:
    steps = [{"done": True}, {"done": True}, {"done": False}]
    assert how_far({"plan": steps}) == ", 2 of 3 steps done"
    assert how_far({"plan": []}) == ", before there was a plan"
