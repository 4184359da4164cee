"""The model's player of all roles: turns requests into prompts and answers into checked values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autonomy.agents.model.ask import Asker, Chat
from autonomy.agents.model.draft import draft
from autonomy.agents.model.interpret import interpret
from autonomy.agents.model.judge import judge
from autonomy.agents.model.live import TextTap
from autonomy.agents.model.outline import outline
from autonomy.agents.model.revise import revise
from autonomy.agents.model.select import select
from autonomy.agents.model.widen import widen
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

Removal = Callable[[str, int], None]
"""Told what code took out of an answer, and how many: "ids" that point at no card, "spans" that are in no passage."""


class ModelPlayer:
    """Asks the model through the run's journaled calls.

    `name` names the provider order in manifest and events, `seed` is the run's, `show` hears drafted prose while it
    streams, `removed` what code took out of an answer. Every verb may raise the ProviderErrors of the calls, BadAnswer
    when an answer stays unusable after its repair turn, BudgetExceeded and LeaseLost.
    """

    def __init__(
        self,
        calls: Chat,
        *,
        name: str = "model",
        seed: int | None = None,
        show: Callable[[str], None] | None = None,
        removed: Removal | None = None,
    ) -> None:
        self.asked = Asked("model", name)
        self._calls = calls
        self._seed = seed
        self._show = show
        self._removed = removed

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        return await interpret(self._asker(), task, overview)

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        cards, died = await select(self._asker(), request)
        self._tell("spans", died)
        return cards

    async def outline(self, request: OutlineRequest) -> Outline:
        made, unknown = await outline(self._asker(), request)
        self._tell("ids", unknown)
        return made

    async def draft(self, request: DraftRequest) -> Paragraphs:
        made, unknown = await draft(self._asker(TextTap(self._show) if self._show else None), request)
        self._tell("ids", unknown)
        return made

    async def judge(self, request: JudgeRequest) -> Judgement:
        return await judge(self._asker(), request)

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        made, unknown = await revise(self._asker(), request)
        self._tell("ids", unknown)
        return made

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        return await widen(self._asker(), task, brief, thin)

    def _tell(self, what: str, count: int) -> None:
        if count and self._removed is not None:
            self._removed(what, count)

    def _asker(self, on_token: Callable[[str], None] | None = None) -> Asker:
        return Asker(self._calls, self._seed, on_token or _unheard)


def _unheard(piece: str) -> None:
    """Answers are streamed even when nobody watches: only a stream shows that a service has fallen silent."""
