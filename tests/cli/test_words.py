"""What is shown is safe, short and true: escaping, widths, figures, times, events in one line."""

from __future__ import annotations

import datetime
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.events import EVENT_TYPES
from cli import summary, wording
from cli.output import ASCII, Glyphs, Output, PipeSafe, columns, cut, plain, plain_lines, squeezed, wants_ascii, wants_colour

HOSTILE = "a\x1b[31mred\x1b[0m\r\nb\x07\x9b2J\u202eevil\u200b\ud800"


def test_control_and_direction_characters_become_visible() -> None:
    shown = plain(HOSTILE)
    assert shown == r"a\x1b[31mred\x1b[0m\x0d\x0ab\x07\x9b2J\u202eevil\u200b\ud800"
    assert shown.isprintable()


def test_line_ends_stay_only_where_lines_are_meant() -> None:
    assert plain_lines("a\nb\tc") == "a\nb\\x09c"
    assert squeezed(" a\n\t b ") == "a b"


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

    claims = [claim("One.", 0, "Synthesis"), claim("One.", 0, "Matrix"), claim("Two.", 9, "Matrix")]
    told = {"claims": claims, "sources": [{"id": "s1"}]}
    assert summary.rests_on(told) == "2 on 2 quotations from 1 source, 1 of them said in two parts"
    assert summary.rests_on({**told, "claims": claims[1:]}) == "2 on 2 quotations from 1 source"
    assert summary.rests_on({"claims": [], "sources": []}) == "none"


def test_gates_of_a_document_that_claims_nothing_are_not_listed_as_failed(tmp_path: Path) -> None:
    manifest = {"claims": [], "sources": [], "notes": ["The corpus holds little."], "gates": [
        {"name": "min_citations", "figure": 0, "threshold": 5, "pass": False}]}  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    page = {
        "run_id": "abcdefghijkl", "status": "done", "outcome": "target_not_reached", "task": {"goal": "Tides"},
        "artifacts": [{"path": "manifest.json", "role": "manifest"}],
    }  # fmt: skip
    text = summary.summary(page, tmp_path, Output(no_color=True))
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
