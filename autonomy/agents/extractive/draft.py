"""One part of the document from its cards; each kind of part has its own module."""

from __future__ import annotations

from autonomy.agents.extractive.annotation import annotation
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
        turns=Turns(request.task.seed, f"{request.part}\x1f{request.heading}"),
        sources={source.id: source for source in request.sources},
    )
    return _PARTS[request.part](request, desk)
