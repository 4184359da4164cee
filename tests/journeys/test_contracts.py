"""The two journeys as the loop sees them: plans, gates, failures, and a refusal for those of a later release."""

from __future__ import annotations

import pytest

from autonomy.agents.contract import Journey
from autonomy.agents.planning import grow, ready, set_state
from autonomy.agents.roles import Outline, SectionPlan
from autonomy.core.errors import NotYetBuilt, UsageError
from autonomy.core.types import PlanStep
from autonomy.journeys.catalogue import journey
from autonomy.journeys.policy import Policy
from tests.journeys import made

OUTLINE = Outline(
    title="How tasks are cancelled",
    sections=(
        SectionPlan(heading="Cancelling a task", claim="Tasks can be cancelled.", cards=("c1", "c2"), words=300),
        SectionPlan(heading="Timeouts", claim="Timeouts differ.", cards=("c3", "c4"), words=300),
    ),
)


def _worked(plan: tuple[PlanStep, ...]) -> list[str]:
    """The order in which a plan would be worked."""
    order = []
    while (step := ready(plan)) is not None:
        order.append(step.id)
        plan = set_state(plan, step.id, "done")
    return order


def test_a_written_document_is_outlined_after_every_search_and_framed_after_every_section() -> None:
    write = journey("write")
    plan = write.steps(made.task(), made.brief())
    assert [step.action for step in plan] == ["survey", "search", "search", "outline", "frame", "audit", "deliver"]
    grown = grow(plan, write.after_outline(made.task(), made.brief(), OUTLINE), after=["outline"])
    order = _worked(grown)
    assert order == ["survey", "search-1", "search-2", "outline", "draft-1", "draft-2", "frame", "audit", "deliver"]


def test_a_pack_annotates_its_sources_before_the_matrix_and_never_outlines() -> None:
    research = journey("research")
    plan = research.steps(made.task(journey="research"), made.brief())
    searches = [step.id for step in plan if step.action == "search"]
    grown = grow(plan, research.after_search(made.task(), made.brief(), ("manual", "notes")), after=searches)
    order = _worked(grown)
    assert order == [
        "survey", "search-1", "search-2", "annotate-manual", "annotate-notes", "matrix", "synthesise", "audit", "deliver",
    ]  # fmt: skip
    assert research.after_outline(made.task(), made.brief(), OUTLINE) == ()


def test_every_search_names_its_test_and_what_to_do_when_it_fails() -> None:
    for name in ("write", "research"):
        steps = [step for step in journey(name).steps(made.task(), made.brief()) if step.action == "search"]
        assert [step.arguments["question"] for step in steps] == list(made.brief().questions)
        assert all(
            step.test == "coverage >= 0.5" and step.alternatives == ("widen",) and step.uncertainty > 0 for step in steps
        )


def test_headings_of_the_frame_are_in_the_language_of_the_document() -> None:
    frame = next(step for step in journey("write").steps(made.task(), made.brief("de")) if step.action == "frame")
    assert frame.arguments == {"introduction": "Einleitung", "conclusion": "Schluss"}
    synthesis = next(s for s in journey("research").steps(made.task(), made.brief("es")) if s.action == "synthesise")
    assert synthesis.arguments == {"heading": "Síntesis"}


def test_the_length_asked_for_beats_the_default() -> None:
    assert journey("write").words(made.task()) == 800
    assert journey("research").words(made.task()) == 300
    assert journey("write").words(made.task(length=1200)) == 1200


@pytest.mark.parametrize("name", ["rewrite", "slides", "assignment"])
def test_a_journey_of_a_later_release_is_refused_with_its_name(name: str) -> None:
    with pytest.raises(NotYetBuilt, match=name):
        journey(name)


def test_an_unknown_journey_is_a_usage_error_that_lists_the_choices() -> None:
    with pytest.raises(UsageError, match="write, research"):
        journey("holiday")


def test_a_sound_document_passes_every_gate_and_has_nothing_to_mend() -> None:
    for name, material in (("write", made.written()), ("research", made.packed())):
        held = journey(name)
        gates = held.gates(material, made.snapshot(), {})
        assert [gate.name for gate in gates if not gate.passed] == []
        assert held.failures(material, made.snapshot(), {}) == ()
        assert held.doubtful(material, made.snapshot()) == ()


def test_failures_come_in_document_order_with_the_gate_and_the_reason() -> None:
    sound = made.written()
    broken = made.section(
        "Timeouts",
        [
            made.said("A timeout of 45 seconds is applied when no other value is given.", "c3"),
            made.said("Nobody says this long thing here."),
        ],
    )
    sections = (*sound.sections[:2], broken, sound.sections[3])
    found = journey("write").failures(made.written(sections=sections), made.snapshot(), {})
    assert [(each.part, each.heading, each.index, each.gate) for each in found if each.gate.startswith("citation")] == [
        ("section", "Timeouts", 0, "citation_support"),
        ("section", "Timeouts", 1, "citation_coverage"),
    ]
    assert "45" in next(each.why for each in found if each.gate == "citation_support")


def test_an_operators_thresholds_are_the_ones_that_are_measured_against() -> None:
    strict = journey("write", Policy(least_sources=9))
    gate = next(each for each in strict.gates(made.written(), made.snapshot(), {}) if each.name == "source_spread")
    assert gate.threshold == 3
    assert gate.passed


def test_a_document_without_evidence_fails_its_gates_and_is_still_composed() -> None:
    bare = made.written(sections=(), cards=(), sources=(), maps=(), outcome="target_not_reached")
    held: Journey = journey("write")
    gates = held.gates(bare, made.snapshot(), {})
    assert {"quote_found", "citation_coverage", "citation_support", "references"} <= {g.name for g in gates if not g.passed}
    assert all(gate.evidence[0] == "n=0" for gate in gates if gate.name.startswith("citation"))
    text = held.compose(bare, made.snapshot(), gates).files[0].data.decode()
    assert "nothing is claimed here" in text
    assert "target not reached" in text
