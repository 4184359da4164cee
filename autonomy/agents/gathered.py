"""What the run has gathered so far, read from its records into values."""

from collections.abc import Sequence

from autonomy.agents.context import Context
from autonomy.agents.material import Annotation, Material, MatrixRow, ReportSeen, Searched, SectionDraft, SourceMap
from autonomy.agents.notes import notes as notes_in
from autonomy.agents.roles import Brief, Outline
from autonomy.core.state import GraphState
from autonomy.core.types import Card, Outcome, Source, TaskSpec

FRAME_LAST = 1_000_000
"""Record number of parts that stand after every section (conclusion)."""


def cards(context: Context) -> tuple[Card, ...]:
    """The evidence, in the order it was found."""
    return tuple(Card.model_validate(body) for body in context.records.all("card"))


def sources(context: Context) -> tuple[Source, ...]:
    """The documents behind the cards, in the order they were first quoted."""
    names = dict.fromkeys(card.source for card in cards(context))
    return tuple(context.sources.many(tuple(names)))


def outline(context: Context) -> Outline | None:
    """The outline, once there is one."""
    found = context.records.get("outline", "outline")
    return None if found is None else Outline.model_validate(found)


def sections(context: Context) -> tuple[SectionDraft, ...]:
    """The drafted parts in the order of the document."""
    return tuple(SectionDraft.model_validate(body) for body in context.records.all("section"))


def annotations(context: Context) -> tuple[Annotation, ...]:
    """The annotated bibliography so far."""
    return tuple(Annotation.model_validate(body) for body in context.records.all("annotation"))


def matrix(context: Context) -> tuple[MatrixRow, ...]:
    """The claims matrix, empty before its step."""
    return tuple(MatrixRow.model_validate(body) for body in context.records.all("matrix"))


def searched(context: Context) -> tuple[Searched, ...]:
    """The questions asked of the corpus, with what each brought."""
    return tuple(Searched.model_validate(body) for body in context.records.all("question"))


def weights(context: Context) -> dict[str, float]:
    """Every term asked for so far, with its inverse document frequency in the corpus."""
    return {term: weight for row in searched(context) for term, weight in row.weights.items()}


def keep_notes(context: Context, part: str, notes: Sequence[str]) -> None:
    """What a player owes the reader about its answer, kept for the end of the document. `part` names what was answered:
    a step, or a part of what the step writes."""
    for number, note in enumerate(notes, 1):
        context.records.put("note", f"{part}-{number}"[-160:], note, number)


def material(state: GraphState, context: Context, *, outcome: Outcome = "delivered", notes: tuple[str, ...] = ()) -> Material:
    """Everything the document is made from. A run cut short has less of it; nothing here needs an outside call."""
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"]) if state["brief"] else _bare_brief(task)
    found = sources(context)
    laid_out = outline(context)
    asked = searched(context)
    silent = unanswered(context)
    thin = tuple(row.question for row in asked if not row.answered) + (laid_out.thin if laid_out else ())
    return Material(
        task=task,
        brief=brief,
        run_id=context.run.run_id,
        player="extractive" if silent else context.player.asked.player,
        provider=context.player.asked.name,
        seed=context.run.seed,
        created_at=context.run.created_at,
        outcome=outcome,
        unanswered=silent,
        sections=sections(context),
        annotations=annotations(context),
        matrix=matrix(context),
        cards=cards(context),
        sources=found,
        maps=tuple(SourceMap(source=s.id, **context.sources.layout(s.id)) for s in found),
        searched=asked,
        thin=tuple(dict.fromkeys(thin)),
        notes=tuple(dict.fromkeys((*state["notes"], *context.records.all("note"), *_moved(context, brief.language), *notes))),
    )


def reports(context: Context) -> tuple[ReportSeen, ...]:
    """What the similarity reports of the run's drafts said; only of those that are decided."""
    return tuple(
        ReportSeen.model_validate({"n": each.n, "observed": each.observed, "target": each.target, "decision": each.status})
        for each in context.cycles.history()
        if each.status in ("accepted", "rejected")
    )


def unanswered(context: Context) -> bool:
    """Whether a model was asked and every request moved on to the rules."""
    return bool(context.records.keys("fallback")) and not context.records.keys("answered")


def _moved(context: Context, language: str) -> list[str]:
    """The notes on requests that moved on; one for all of them where the model never answered."""
    if unanswered(context):
        return [notes_in(language).silent.format(player=context.player.asked.name)]
    return context.records.all("fallback")


def _bare_brief(task: TaskSpec) -> Brief:
    """What stands in for a brief when the run was cut short before the goal was read."""
    return Brief(title=task.goal[:80], language=task.language or "en", subject=task.goal[:80], terms=(), questions=())
