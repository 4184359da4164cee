"""Several players in an order: each request goes to the first, and to the next one when a provider gives up on it.

The invariant: only a provider's failure moves a request on, and never silently. A budget that is spent, a lease that is
lost and every error of our own go up unchanged; with a single player so does the provider's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar, get_args

from autonomy.agents.notes import notes
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
    Player,
    ReviseRequest,
    SelectRequest,
)
from autonomy.core.errors import ConfigurationError, ProviderError, ProviderRefused, ProviderUnavailable
from autonomy.core.prompts import one_line
from autonomy.core.types import Card, TaskSpec
from autonomy.text.language import detect

R = TypeVar("R")
Role = Literal["interpret", "select", "outline", "draft", "judge", "revise", "widen"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Fallback:
    """A request that moved on: which role, from whom to whom, why (the error in a line), and the note a reader is owed."""

    role: Role
    player: str
    instead: str
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class _About:
    """A request, for the note: which role, in which language, on what."""

    role: Role
    language: str
    subject: str = ""
    part: str = ""


def unheard(fallback: Fallback) -> None:
    """For callers that do not want to hear of it."""


def uncounted(role: Role, player: Asked) -> None:
    """For callers that do not count answers."""


class Players:
    """A player made of players. Implements `roles.Player`.

    `order` is tried from the front. `roles` maps a role to the name (or kind, "model" or "extractive") of the player that
    is asked first for it. `heard` is told of every request that moved on, before the next player is asked; `answered` of who
    answered.
    Raises ConfigurationError for an empty order, an unknown role or an unknown player.
    """

    def __init__(
        self,
        order: Sequence[Player],
        *,
        roles: Mapping[str, str] | None = None,
        heard: Callable[[Fallback], None] = unheard,
        answered: Callable[[Role, Asked], None] = uncounted,
    ) -> None:
        if not order:
            raise ConfigurationError("there is no player to ask", "Name a provider, or 'extractive'.")
        self._order = tuple(order)
        self._roles = dict(roles or {})
        self._heard = heard
        self._answered = answered
        self.asked: Asked = order[0].asked
        for role, name in self._roles.items():
            self._check(role, name)

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        about = _About("interpret", _spoken(task))
        return await self._ask(about, lambda player: player.interpret(task, overview))

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        about = _About("select", request.brief.language, request.question)
        return await self._ask(about, lambda player: player.select(request))

    async def outline(self, request: OutlineRequest) -> Outline:
        return await self._ask(_About("outline", request.brief.language), lambda player: player.outline(request))

    async def draft(self, request: DraftRequest) -> Paragraphs:
        about = _About("draft", request.brief.language, request.heading, request.part)
        return await self._ask(about, lambda player: player.draft(request))

    async def judge(self, request: JudgeRequest) -> Judgement:
        return await self._ask(_About("judge", _spoken(request.task)), lambda player: player.judge(request))

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        about = _About("revise", request.brief.language, request.heading)
        return await self._ask(about, lambda player: player.revise(request))

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        return await self._ask(_About("widen", brief.language), lambda player: player.widen(task, brief, thin))

    async def _ask(self, about: _About, ask: Callable[[Player], Awaitable[R]]) -> R:
        line = self._line(about.role)
        for player, following in pairwise(line):
            try:
                answer = await ask(player)
            except ProviderError as error:
                self._heard(_moved(about, player, following, error))
            else:
                self._answered(about.role, player.asked)
                return answer
        answer = await ask(line[-1])
        self._answered(about.role, line[-1].asked)
        return answer

    def _line(self, role: Role) -> tuple[Player, ...]:
        """Who is asked for a role, in order."""
        name = self._roles.get(role)
        if name is None:
            return self._order
        first = next(player for player in self._order if name in (player.asked.name, player.asked.player))
        return (first, *self._order[self._order.index(first) + 1 :])

    def _check(self, role: str, name: str) -> None:
        if role not in ROLES:
            raise ConfigurationError(f"there is no role {role!r}", f"Use one of: {', '.join(ROLES)}.")
        if not any(name in (player.asked.name, player.asked.player) for player in self._order):
            known = ", ".join(player.asked.name for player in self._order)
            raise ConfigurationError(
                f"the role {role} names the player {name!r}, which is not in the order", f"Use one of: {known}."
            )


def _spoken(task: TaskSpec) -> str:
    """The language of a task before its brief is known."""
    return task.language or detect(task.goal)


def _moved(about: _About, player: Player, following: Player, error: ProviderError) -> Fallback:
    note = notes(about.language).moved(
        about.role,
        about.part,
        one_line(about.subject, 120),
        (player.asked.name, following.asked.name),
        _did(error),
        by_rule=following.asked.player == "extractive",
    )
    return Fallback(about.role, player.asked.name, following.asked.name, one_line(error.message, 200), note)


def _did(error: ProviderError) -> int:
    """What a provider did (a place in `Notes.did`), so that it fits a document: no host, no figure, the same each time."""
    if isinstance(error, ProviderUnavailable):
        return 0
    return 1 if isinstance(error, ProviderRefused) else 2
