"""The operator's policy file: `orchestrator_policies.yaml` in the workspace, read anew for each new run.

Invariant: a file is taken whole or not at all. Whatever is wrong with it is one ConfigurationError with the file, the line
and what is allowed; nothing is ignored in silence. The YAML library is imported only where there is a file.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from autonomy.core.errors import FlawedPolicy
from autonomy.journeys.policy import Miss, Policy
from autonomy.turnitin.cycles import OnExpiry

if TYPE_CHECKING:
    from yaml.nodes import Node

FILE = "orchestrator_policies.yaml"
JOURNEYS = ("write", "research")
MOST_BYTES = 1 << 16
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_MISS = typing.get_args(Miss)


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the file: the field of `Policy` behind it, and what it may be (a whole number, or any between two)."""

    field: str
    least: float
    most: float
    whole: bool = False
    choices: tuple[str, ...] = ()


def _share(name: str) -> Setting:
    return Setting(name, 0, 1)


def _words(name: str, least: int = 1) -> Setting:
    return Setting(name, least, 100_000, whole=True)


GATES: Mapping[str, Mapping[str, Setting]] = {
    "quote_found": {"threshold": _share("quote_found")},
    "citation_coverage": {"threshold": _share("coverage")},
    "citation_support": {"threshold": _share("support")},
    "relevance": {"threshold": _share("relevance"), "speaks_from": _share("relevant")},
    "citation_excess": {"threshold": _share("excess")},
    "source_spread": {"threshold": Setting("least_sources", 1, 1000, whole=True)},
    "source_share": {"threshold": _share("largest_share")},
    "min_citations": {},
    "references": {},
    "claim_in_text": {},
    "pack_complete": {
        "threshold": _share("pack"),
        "annotation_least": _words("annotation_least", 0),
        "annotation_most": _words("annotation_most"),
    },
    "overlap": {"threshold": _share("overlap"), "run": _words("run", 2), "longest_run": _words("longest_run", 2)},
    "structure": {
        "section_least": _share("section_least"), "section_most": _share("section_most"), "repeat": _share("repeat"),
    },
    "length": {"low": _share("length_low"), "high": Setting("length_high", 1, 10)},
    "readability": {
        "low": Setting("flesch_low", -1000, 1000),
        "high": Setting("flesch_high", -1000, 1000),
        "letters_low": Setting("letters_low", 0, 1000),
        "letters_high": Setting("letters_high", 0, 1000),
    },
    "source_age": {"threshold": _share("source_age"), "years": Setting("source_years", 0, 1000, whole=True)},
    "overclaim": {"threshold": Setting("overclaim", 0, 1000)},
    "bias": {"threshold": Setting("bias", 0, 1000)},
    "argument": {"threshold": _share("argument")},
    "tone": {"threshold": Setting("tone", 0, 1000)},
    "links": {},
}  # fmt: skip
"""The settings of each gate besides `miss`. Similarity is none of them: its target comes with the task, its loop is below."""
CYCLES: Mapping[str, Setting] = {
    "most": Setting("most_cycles", 1, 20, whole=True),
    "report_days": Setting("report_days", 0.01, 3650),
    "on_expiry": Setting("on_expiry", 0, 0, choices=typing.get_args(OnExpiry)),
}
ORDERED = (
    ("pack_complete", "annotation_least", "annotation_most"),
    ("overlap", "run", "longest_run"),
    ("structure", "section_least", "section_most"),
    ("readability", "low", "high"),
    ("readability", "letters_low", "letters_high"),
)
"""Settings of a gate of which the first may not be above the second."""


@dataclass(frozen=True)
class Policies:
    """What holds for new runs. `lines` has the line of the file for each value that stands in it, by its dotted name
    (`gates.overlap.threshold`, `journeys.write.cycles.most`); the rest are defaults."""

    everywhere: Policy = field(default_factory=Policy)
    journeys: Mapping[str, Policy] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def of(self, journey: str) -> Policy:
        """The policy of a journey."""
        return self.journeys.get(journey, self.everywhere)


def read(home: Path) -> Policies:
    """The policies of a workspace; the defaults where there is no file. Raises FlawedPolicy, whose words name the file without
    its folder: they reach people who ask from elsewhere."""
    try:
        with (home / FILE).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Policies()
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise FlawedPolicy(f"{FILE} cannot be read: {why}", "Make it a readable file, or remove it.") from error
    if len(data) > MOST_BYTES:
        raise FlawedPolicy(f"{FILE} is larger than {MOST_BYTES >> 10} kB", "Keep to the settings that docs/gates.md names.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FlawedPolicy(f"{FILE}:{line}: not UTF-8 text", "Save the file as UTF-8.") from None
    return parse(text, FILE)


def parse(text: str, name: str) -> Policies:
    """The policies that a text states; `name` is how its errors name it. Raises FlawedPolicy."""
    return _Reader(name).policies(_composed(text, name))


def settings(policy: Policy) -> dict[str, Any]:
    """Every value of a policy by its dotted name in the file, in the order of `docs/gates.md`."""
    shown: dict[str, Any] = {}
    for gate, known in GATES.items():
        for key, setting in known.items():
            shown[f"gates.{gate}.{key}"] = getattr(policy, setting.field)
        shown[f"gates.{gate}.miss"] = policy.missing(gate)
    for gate in sorted(set(policy.miss) - set(GATES)):
        shown[f"gates.{gate}.miss"] = policy.miss[gate]
    for key, setting in CYCLES.items():
        shown[f"cycles.{key}"] = getattr(policy, setting.field)
    return shown


def stated(held: Policies) -> Iterator[tuple[str, Any, str]]:
    """Every value with its dotted name and where it came from; a journey is named only where it has its own."""
    for prefix, policy in (("", held.everywhere), *((f"journeys.{name}.", each) for name, each in held.journeys.items())):
        for name, value in settings(policy).items():
            line = held.lines.get(f"{prefix}{name}")
            if line is not None or not prefix:
                yield f"{prefix}{name}", value, "default" if line is None else f"{FILE} line {line}"


def changes(before: Policy, after: Policy) -> list[str]:
    """What is another value in the second policy: `gates.overlap.threshold 0.05 (not 0.1)`."""
    old, new = settings(before), settings(after)
    names = [*new, *(name for name in old if name not in new)]
    both = ((name, old.get(name, "off"), new.get(name, "off")) for name in names)  # only an operator's own gate has no place
    return [f"{name} {_plain(now)} (not {_plain(was)})" for name, was, now in both if was != now]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _composed(text: str, name: str) -> Node | None:
    import yaml

    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = text.count("\n", 0, getattr(error, "position", 0)) + 1 if mark is None else mark.line + 1
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
        raise FlawedPolicy(f"{name}:{at}: not valid YAML: {why}", "Correct that line.") from None
    except RecursionError:
        raise FlawedPolicy(f"{name}:1: not valid YAML: nested too deeply", "Write it as docs/gates.md shows.") from None


class _Reader:
    """Walks the nodes of one file; every complaint names the line of the node that it is about."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[str, int] = {}

    def policies(self, root: Node | None) -> Policies:
        if root is None:
            return Policies()
        values: dict[str, Any] = {}
        overrides: dict[str, dict[str, Any]] = {}
        for key, value in self._entries(root, "the file", ("gates", "cycles", "journeys"), ""):
            if key != "journeys":
                values |= self._part(key, value, "")
                continue
            for journey, body in self._entries(value, "'journeys'", JOURNEYS, "journeys."):
                part: dict[str, Any] = {}
                where = f"'journeys.{journey}'"
                for inner, below in self._entries(body, where, ("gates", "cycles"), f"journeys.{journey}."):
                    part |= self._part(inner, below, f"journeys.{journey}.")
                overrides[journey] = part
        everywhere = self._policy(values, {}, "")
        journeys = {name: self._policy(values, part, f"journeys.{name}.") for name, part in overrides.items()}
        return Policies(everywhere, journeys, self._lines)

    def _part(self, key: str, node: Node, prefix: str) -> dict[str, Any]:
        """`gates` or `cycles`: values by dotted name without the prefix."""
        if key == "cycles":
            return {
                f"cycles.{name}": self._value(value, CYCLES[name], f"{prefix}cycles.{name}")
                for name, value in self._entries(node, f"'{prefix}cycles'", CYCLES, f"{prefix}cycles.")
            }
        found: dict[str, Any] = {}
        for gate, body in self._entries(node, f"'{prefix}gates'", GATES, f"{prefix}gates.", what="gate"):
            known = GATES.get(gate, {})
            dotted = f"gates.{gate}"
            for name, value in self._entries(body, f"'{prefix}{dotted}'", (*known, "miss"), f"{prefix}{dotted}."):
                setting = known.get(name) or Setting("miss", 0, 0, choices=_MISS)
                found[f"{dotted}.{name}"] = self._value(value, setting, f"{prefix}{dotted}.{name}")
        return found

    def _entries(
        self, node: Node, where: str, known: Iterable[str], prefix: str, what: str = "setting"
    ) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping. Refuses what is no mapping, unknown keys and keys that stand twice."""
        from yaml.nodes import MappingNode

        names = tuple(known)
        if _is_scalar(node) and node.tag.endswith(":null"):
            return
        if not isinstance(node, MappingNode):
            self._refuse(node, f"{where} must be a mapping of names to values", f"Known: {', '.join(names)}.")
        seen: set[str] = set()
        for key, value in node.value:
            word = str(key.value) if _is_scalar(key) else "a nested key"
            if word not in names and what == "gate":
                names = (*names, *_of_packages())
            if word not in names:
                import difflib

                near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
                meant = f"Did you mean '{near[0]}'? " if near else ""
                self._refuse(key, f"{where} has no {what} {_quoted(word)}", f"{meant}Known: {', '.join(names)}.")
            if word in seen:
                self._refuse(key, f"{where} has '{word}' twice", "Keep one of them.")
            seen.add(word)
            self._lines[f"{prefix}{word}"] = key.start_mark.line + 1
            yield word, value

    def _value(self, node: Node, setting: Setting, name: str) -> Any:
        """The value in its own type. Words are taken as they are written: YAML reads `off` as false."""
        if setting.choices:
            if _is_scalar(node) and node.value in setting.choices:
                return node.value
            self._refuse(node, f"{name} must be one of {', '.join(setting.choices)}, not {_told(node)}", "")
        kind = "a whole number" if setting.whole else "a number"
        allowed = f"{kind} from {setting.least:g} to {setting.most:g}"
        number = _is_scalar(node) and node.tag.endswith((":int", ":float")) and _NUMBER.fullmatch(node.value)
        if not number or (setting.whole and not node.value.lstrip("+-").isdecimal()):
            self._refuse(node, f"{name} must be {allowed}, not {_told(node)}", "")
        value = int(node.value) if setting.whole and len(node.value) < 20 else float(node.value)
        if not setting.least <= value <= setting.most:
            self._refuse(node, f"{name} must be {allowed}, not {_told(node)}", "")
        return value

    def _policy(self, values: Mapping[str, Any], part: Mapping[str, Any], prefix: str) -> Policy:
        merged = {**values, **part}
        fields: dict[str, Any] = {"miss": {}}
        for name, value in merged.items():
            group, _, rest = name.partition(".")
            gate, _, key = rest.partition(".")
            if group == "cycles":
                fields[CYCLES[gate].field] = value
            elif key == "miss":
                fields["miss"][gate] = value
            else:
                fields[GATES[gate][key].field] = value
        policy = dataclasses.replace(Policy(), **fields)
        for gate, low, high in ORDERED:
            first, second = (getattr(policy, GATES[gate][key].field) for key in (low, high))
            if first > second:
                named = (f"{before}gates.{gate}.{key}" for before in (prefix, "") for key in (low, high))
                line = next(self._lines[each] for each in named if each in self._lines)
                said = f"gates.{gate}: {low} ({_plain(first)}) is above {high} ({_plain(second)})"
                self._refuse_at(line, said, f"Keep {low} at or below {high}.")
        return policy

    def _refuse(self, node: Node, said: str, hint: str) -> NoReturn:
        self._refuse_at(node.start_mark.line + 1, said, hint)

    def _refuse_at(self, line: int, said: str, hint: str) -> NoReturn:
        raise FlawedPolicy(f"{self._name}:{line}: {said}", hint or "Correct that line.")


def _of_packages() -> tuple[str, ...]:
    """The gates that installed packages offer; looked for only where a file names a gate that is none of ours."""
    from autonomy.journeys.extension import offered

    return tuple(sorted(offered()))


def _is_scalar(node: Node) -> bool:
    return isinstance(node.value, str)


def _told(node: Node) -> str:
    """A value as a complaint shows it."""
    return _quoted(node.value) if _is_scalar(node) else "a mapping or a list"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
