"""The page about the gates describes the whole policy file, and its example is one that is taken."""

from __future__ import annotations

import re
from pathlib import Path

from autonomy.journeys import policies
from autonomy.journeys.policy import Policy
from autonomy.services.runs import BUILT

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `(\w+\.\w+)` \| (\S+) \| ", PAGE, re.MULTILINE))
TOLD = {name: tuple(map(float, band)) for name, *band in re.findall(r"^\| `(\w+\.\w+)` .*\((\S+) to (\S+)\) \|$", PAGE, re.M)}
KNOWN = {
    **{f"{gate}.{key}": setting for gate, known in policies.GATES.items() for key, setting in known.items()},
    **{f"cycles.{key}": setting for key, setting in policies.CYCLES.items()},
}


def test_every_value_of_the_file_has_a_row_with_its_default_and_its_bounds() -> None:
    assert {name: str(getattr(Policy(), setting.field)) for name, setting in KNOWN.items()} == ROWS
    assert {name: (setting.least, setting.most) for name, setting in KNOWN.items() if not setting.choices} == TOLD


def test_every_field_of_a_policy_but_what_misses_do_can_be_set() -> None:
    assert {setting.field for setting in KNOWN.values()} == set(Policy().plain()) - {"miss"}
    assert len(KNOWN) == len({setting.field for setting in KNOWN.values()})


def test_the_example_is_taken_and_means_what_it_says() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    held = policies.parse(example, policies.FILE)
    common = [
        "gates.citation_support.threshold 0.95 (not 0.9)",
        "gates.citation_excess.miss off (not tells)",
        "gates.overlap.threshold 0.05 (not 0.1)",
        "gates.overlap.miss decides (not tells)",
        "gates.readability.low 30 (not 0)",
        "gates.readability.high 80 (not 100)",
        "cycles.most 2 (not 3)",
        "cycles.report_days 7 (not 14)",
        "cycles.on_expiry deliver_as_is (not remind)",
    ]
    assert policies.changes(Policy(), held.of("research")) == common
    of_write = policies.changes(held.of("research"), held.of("write"))
    assert of_write == ["gates.source_share.threshold 0.4 (not 0.5)", "gates.source_share.miss decides (not tells)"]


def test_the_journeys_of_the_file_are_those_that_are_built() -> None:
    assert policies.JOURNEYS == BUILT
