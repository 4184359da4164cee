"""An evaluation as its file states it: what is asked, what the world does meanwhile, and what must have come of it.

A file is taken whole or not at all: whatever is wrong with it is one InvalidInput with the file and the line. Names that
nobody knows, keys that stand twice, and anchors (a small file that means a huge one) are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from autonomy.core.errors import InvalidInput
from autonomy.core.events import EventType
from autonomy.core.types import Budget, Count, FilledText, Finite, Frozen, GoalText, Journey, Outcome, RunStatus, Style, Text
from autonomy.turnitin.cycles import Status
from autonomy.turnitin.report import Percent

if TYPE_CHECKING:
    from yaml.nodes import Node

MOST_BYTES: Final = 1 << 18


def _span(value: Any) -> Any:
    """A number stands for a span of itself alone."""
    return {"least": value, "most": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Bounds(Frozen):
    """An inclusive span; what is left out does not bound."""

    least: Finite | None = None
    most: Finite | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("must have 'least' or 'most'")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("must not have 'least' above 'most'")
        return self

    def broken(self, value: float | None) -> str | None:
        """What was wanted where the value does not lie within; an absent one lies nowhere."""
        if value is not None and (self.least is None or value >= self.least) and (self.most is None or value <= self.most):
            return None
        if self.least == self.most:
            return f"wanted {self.least:g}"
        sides = (("at least", self.least), ("at most", self.most))
        return f"wanted {' and '.join(f'{word} {bound:g}' for word, bound in sides if bound is not None)}"


Span = Annotated[Bounds, BeforeValidator(_span)]
"""`5`, or `{least: 5}`, `{most: 5}`, `{least: 5, most: 9}`."""


class Brought(Frozen):
    """A similarity report that comes back: `flag` numbers the quotations of the draft from 1. It is sent `times` times over;
    `refused` says that it must not be taken."""

    similarity: Percent
    flag: tuple[Annotated[Count, Field(ge=1)], ...] = ()
    times: Annotated[Count, Field(ge=1, le=100)] = 1
    refused: bool = False


class Act(Frozen):
    """One thing that the world does once the run stands still: bring a report, or let the time for one pass. `silence` says
    what then holds."""

    report: Brought | None = None
    silence: Literal["fail", "deliver_as_is"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.report is None) == (self.silence is None):
            raise ValueError("must be one of: report, silence")
        return self


class SeenCycle(Frozen):
    """How a wait for a report ended; `observed` is percent, None where no report came."""

    status: Status
    observed: Percent | None = None


class Events(Frozen):
    """Types in the order in which they must come (others may stand between), and how often a type may."""

    order: tuple[EventType, ...] = ()
    counts: dict[EventType, Span] = Field(default_factory=dict)


class File(Frozen):
    """A file of the run, by its path below the run's folder. `same`: another play makes the same bytes, ids and times aside."""

    path: FilledText
    contains: tuple[FilledText, ...] = ()
    lacks: tuple[FilledText, ...] = ()
    same: bool = True


class Manifest(Frozen):
    """Figures of `manifest.json`; gates by their name."""

    claims: Span | None = None
    sources: Span | None = None
    gates: dict[FilledText, Span] = Field(default_factory=dict)
    passed: tuple[FilledText, ...] = ()


class Expected(Frozen):
    """What must have come of it. `changes` counts the sentences that reports changed; `kept`: each quotation that no report
    flagged stands in the next draft letter by letter."""

    status: RunStatus
    outcome: Outcome | None = None
    cycles: tuple[SeenCycle, ...] | None = None
    events: Events = Events()
    changes: Span | None = None
    kept: bool = False
    requests: Span | None = None
    files: tuple[File, ...] = ()
    manifest: Manifest | None = None


class Task(Frozen):
    """One evaluation. `corpus` is a folder, relative to the file; `script` is what a model server on this machine answers
    (`autonomy.providers.script`), without it nothing but quotation is used. `seconds` bound one play; `plays` are how often it
    is played, each in a workspace of its own."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    about: FilledText
    goal: GoalText
    corpus: FilledText
    journey: Journey = "write"
    style: Style = "apa"
    length: Annotated[Count, Field(ge=50, le=1_000_000)] | None = None
    min_citations: Annotated[Count, Field(ge=0, le=100_000)] | None = None
    target_similarity: Percent | None = None
    budget: Budget = Budget()
    seed: Annotated[Count, Field(ge=0, le=2**53)] = 0
    script: Text | None = None
    seconds: Annotated[Finite, Field(gt=0, le=3600)] = 300.0
    plays: Annotated[Count, Field(ge=1, le=10)] = 2
    world: tuple[Act, ...] = ()
    expect: Expected


class Evaluation(Frozen):
    """A task and where its file and its corpus stand (absolute)."""

    task: Task
    file: Path
    corpus: Path


def load(path: Path) -> Evaluation:
    """The evaluation of a file. Raises InvalidInput with the file, the line and what is wrong there."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise InvalidInput(f"{path} cannot be read ({why})", "Name a task file.") from None
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"{path} is larger than {MOST_BYTES >> 10} kB", "A task file holds one task.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong(path, data[: error.start].count(b"\n") + 1, "not UTF-8 text") from None
    root = _composed(text, path)
    try:
        task = Task.model_validate(_plain(root, path))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        # A name that nobody knows is why another is missing.
        first = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
        raise _wrong(path, _line(root, first["loc"]), _said(first)) from None
    corpus = (path.parent / task.corpus).resolve()
    if not corpus.is_dir():
        raise _wrong(path, _line(root, ("corpus",)), f"the corpus {corpus} is not a folder")
    if task.script is not None:
        from autonomy.providers import script

        try:
            script.parse(task.script)
        except InvalidInput as error:
            raise _wrong(path, _line(root, ("script",)), error.message) from None
    return Evaluation(task=task, file=path, corpus=corpus)


def shipped() -> list[Path]:
    """The evaluations that come with the project: in a checkout its own folder, else what the wheel holds."""
    package = Path(__file__).parents[1]
    inside = package / "_shipped" / "evaluations"
    return sorted((inside if inside.is_dir() else package.parent / "evaluations").glob("*.yaml"))


def _composed(text: str, path: Path) -> Node:
    import yaml

    try:
        aliased = next((each for each in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(each, yaml.AliasEvent)), None)
        if aliased is not None:
            mark = aliased.start_mark
            raise _wrong(path, 1 if mark is None else mark.line + 1, "an alias: state the value itself")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise _wrong(path, line, f"not valid YAML: {getattr(error, 'problem', None) or 'it cannot be parsed'}") from None
    except RecursionError:
        raise _wrong(path, 1, "not valid YAML: nested too deeply") from None
    if not isinstance(root, yaml.MappingNode):
        raise _wrong(path, 1, "not a task: it must begin with 'name:'")
    return root


def _plain(node: Node, path: Path) -> Any:
    """The node as plain data. Raises InvalidInput for a key that stands twice, or is no text."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise _wrong(path, key.start_mark.line + 1, "a key must be a plain word")
            if key.value in found:
                raise _wrong(path, key.start_mark.line + 1, f"'{key.value}' stands twice")
            found[key.value] = _plain(value, path)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, path) for each in node.value]
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError):
        raise _wrong(path, node.start_mark.line + 1, f"'{str(node.value)[:40]}' cannot be read") from None
    finally:
        loader.dispose()


def _line(root: Node, place: Sequence[int | str]) -> int:
    """The line of the innermost part of a place that stands in the file."""
    import yaml

    node, line = root, root.start_mark.line
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
            if pair is None:
                continue
            node, line = pair[1], pair[0].start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return int(line) + 1


def _said(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the task"
    if problem["type"] == "missing":
        return f"'{name}' is missing"
    if problem["type"] == "extra_forbidden":
        return f"'{name}' is not known"
    why = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"'{name}' {why[:1].lower()}{why[1:]}"


def _wrong(path: Path, line: int, what: str) -> InvalidInput:
    return InvalidInput(f"{path}:{line}: {what}", "Correct that line; docs/evaluations.md shows what a task may hold.")
