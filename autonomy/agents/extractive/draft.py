"""One part of the document from its cards; each kind of part has its own module."""

from __future__ import annotations

from autonomy.agents.extractive.annotation import PLACE, annotation
from autonomy.agents.extractive.frame import conclusion, introduction
from autonomy.agents.extractive.quoting import Desk
from autonomy.agents.extractive.section import section
from autonomy.agents.extractive.synthesis import synthesis
from autonomy.agents.extractive.turns import Turns
from autonomy.agents.extractive.wording import wording
from autonomy.agents.roles import DraftRequest, Paragraphs

_PARTS = {
    "section": section,
    "annotation": annotation,
    "synthesis": synthesis,
    "introduction": introduction,
    "conclusion": conclusion,
}


def draft(request: DraftRequest) -> Paragraphs:
    """The part asked for; the same request gives the same text."""
    language = request.brief.language
    desk = Desk(
        language=language,
        words=wording(language),
        turns=Turns(request.task.seed, request.part, _place(request)),
        sources={source.id: source for source in request.sources},
    )
    return _PARTS[request.part](request, desk)


def _place(request: DraftRequest) -> int:
    """How many parts of its kind stand before it, so that neighbours do not open alike."""
    if request.part == "annotation":
        return next((int(figure.removeprefix(PLACE)) for figure in request.figures if figure.startswith(PLACE)), 0)
    return len(request.before)
