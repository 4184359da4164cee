"""Task files: what they may hold, and how an error names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.evaluation import world
from autonomy.evaluation.task import Bounds, Brought, load, shipped

GOOD = """\
name: small
about: A small one.
goal: What is a lease?
corpus: docs
world:
  - report: {similarity: 34, flag: [2]}
expect:
  status: done
  cycles:
    - {status: accepted, observed: 11}
  events:
    counts: {run.done: 1}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "docs").mkdir(exist_ok=True)
    path = folder / "small.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_task_is_read_with_its_corpus_beside_it(tmp_path: Path) -> None:
    found = load(written(tmp_path, GOOD))
    assert found.corpus == tmp_path / "docs"
    assert found.task.world[0].report == Brought(similarity=34, flag=(2,))
    assert found.task.expect.events.counts["run.done"] == Bounds(least=1, most=1)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("name: small", "name: Small Task", 1, "'name'"),
        ("about: A small one.", "abuot: A small one.", 2, "'abuot' is not known"),
        ("about: A small one.\n", "", 1, "'about' is missing"),
        ("goal: What is a lease?", "goal: ' '", 3, "'goal'"),
        ("goal: What is a lease?", "goal: one\ngoal: two", 4, "'goal' stands twice"),
        ("corpus: docs", "corpus: nowhere", 4, "is not a folder"),
        ("corpus: docs", "corpus: docs\nscript: nonsense", 5, "no behaviour 'nonsense'"),
        ("corpus: docs", "corpus: docs\nseed: yes", 5, "'seed'"),
        ("similarity: 34", "similarity: 134", 6, "'world.0.report.similarity'"),
        ("{similarity: 34, flag: [2]}", "{similarity: 34}\n    silence: fail", 6, "must be one of: report, silence"),
        ("flag: [2]", "flag: [0]", 6, "'world.0.report.flag.0'"),
        ("status: done", "status: finished", 8, "'expect.status'"),
        ("observed: 11", "observed: '11'", 10, "'expect.cycles.0.observed'"),
        ("run.done: 1", "run.over: 1", 12, "run.over"),
        ("run.done: 1", "run.done: {least: 3, most: 2}", 12, "must not have 'least' above 'most'"),
        ("[2]", "[2", 6, "not valid YAML"),
        ("about: A small one.", "about: &a A small one.\nstyle: *a", 3, "an alias"),
        ("about: A small one.", "about: !!python/object:os.system x", 2, "cannot be read"),
        ("about: A small one.", "1: one", 2, "a key must be a plain word"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, before: str, after: str, line: int, words: str) -> None:
    assert before in GOOD
    path = written(tmp_path, GOOD.replace(before, after))
    with pytest.raises(InvalidInput) as caught:
        load(path)
    assert caught.value.message.startswith(f"{path}:{line}: "), caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize("data", [b"", b"- 1\n", b"\xff\xfe", b"[" * 500, b"a" * (1 << 19)], ids=range(5))
def test_what_is_no_task_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path, "")
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=r"small\.yaml"):
        load(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path / "nothing.yaml")


def test_the_shipped_evaluations_are_whole() -> None:
    found = {load(path).task.name: path.stem for path in shipped()}
    assert found == {name: name for name in found}
    assert found.keys() >= {"turnitin_cycle", "research_pack", "below_target", "report_never_comes", "rate_limit_resilience"}


DRAFT = """# T

> Put together from “quotations”.

## Part

One reads: “First words.” (*A*, n.d.). And: “Second words” [2].

> Third words. (*B*, 2020, "Part" section)

## Notes

- “Not a quotation.”

## References

- “A title”.
"""


def test_quotations_are_numbered_as_they_stand_in_the_draft() -> None:
    assert world.quotations(DRAFT) == ["First words.", "Second words", "Third words."]
    assert world.quotations("no heading “x”") == []


def test_a_report_flags_the_quotations_that_its_rule_names() -> None:
    data, passages = world.report(Brought(similarity=34, flag=(3, 1)), DRAFT)
    assert passages == ["Third words.", "First words."]
    assert b'"overall": 34' in data
    with pytest.raises(InvalidInput, match="3 quotations, none numbered 4"):
        world.report(Brought(similarity=34, flag=(4,)), DRAFT)
