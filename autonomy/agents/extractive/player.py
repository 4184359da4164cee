"""The extractive player: every role by rule, with no outside call and no clock; the same request gives the same answer."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents.extractive import draft, interpret, judge, revise, select, sized, widen
from autonomy.agents.roles import (
    Asked,
    Brief,
    DraftRequest,
    Judgement,
    JudgeRequest,
    Outline,
    OutlineRequest,
    Overview,
    Paragraphs,
    ReviseRequest,
    SelectRequest,
)
from autonomy.core.types import Card, TaskSpec


class ExtractivePlayer:
    """Plays all roles of `agents.roles.Player`. Holds nothing between calls."""

    def __init__(self) -> None:
        self.asked = Asked("extractive", "extractive")

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        """The goal's language, title, terms, points and three to eight questions."""
        return interpret.interpret(task, overview)

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        """Sentences that can stand alone, best first; fewer than asked, or none, rather than bad ones."""
        return select.select(request)

    async def outline(self, request: OutlineRequest) -> Outline:
        """Three to seven sections in the order definition, working, use, limits, comparison."""
        return sized.outline(request)

    async def draft(self, request: DraftRequest) -> Paragraphs:
        """Scaffold and quotations; every claim sentence cites the card it quotes."""
        return draft.draft(request)

    async def judge(self, request: JudgeRequest) -> Judgement:
        """By content words, numbers, names, negations and modals."""
        return judge.judge(request)

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        """Quote, cite, replace or drop."""
        return revise.revise(request)

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        """The same questions with other or fewer words."""
        return widen.widen(task, brief, thin)
