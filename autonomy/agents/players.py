"""Several players in an order: each request goes to the first, and to the next one when a provider gives up on it.

The invariant: only a provider's failure moves a request on, and never silently. A budget that is spent, a lease that is
lost and every error of our own go up unchanged; with a single player so does the provider's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar, get_args

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


def unheard(fallback: Fallback) -> None:
    """For callers that do not want to hear of it."""


class Players:
    """A player made of players. Implements `roles.Player`.

    `order` is tried from the front. `roles` maps a role to the name (or kind, "model" or "extractive") of the player that
    is asked first for it. `heard` is told of every request that moved on, before the next player is asked.
    Raises ConfigurationError for an empty order, an unknown role or an unknown player.
    """

    def __init__(
        self,
        order: Sequence[Player],
        *,
        roles: Mapping[str, str] | None = None,
        heard: Callable[[Fallback], None] = unheard,
    ) -> None:
        if not order:
            raise ConfigurationError("there is no player to ask", "Name a provider, or 'extractive'.")
        self._order = tuple(order)
        self._roles = dict(roles or {})
        self._heard = heard
        self.asked: Asked = order[0].asked
        for role, name in self._roles.items():
            self._check(role, name)

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        return await self._ask("interpret", "The goal was read", lambda player: player.interpret(task, overview))

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        what = f"The evidence for '{one_line(request.question, 120)}' was chosen"
        return await self._ask("select", what, lambda player: player.select(request))

    async def outline(self, request: OutlineRequest) -> Outline:
        return await self._ask("outline", "The outline was made", lambda player: player.outline(request))

    async def draft(self, request: DraftRequest) -> Paragraphs:
        what = f"The {request.part} '{one_line(request.heading, 120)}' was put together"
        return await self._ask("draft", what, lambda player: player.draft(request))

    async def judge(self, request: JudgeRequest) -> Judgement:
        return await self._ask("judge", "Doubtful citations were judged", lambda player: player.judge(request))

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        what = f"'{one_line(request.heading, 120)}' was mended"
        return await self._ask("revise", what, lambda player: player.revise(request))

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        return await self._ask("widen", "Further questions were found", lambda player: player.widen(task, brief, thin))

    async def _ask(self, role: Role, what: str, ask: Callable[[Player], Awaitable[R]]) -> R:
        line = self._line(role)
        for player, following in pairwise(line):
            try:
                return await ask(player)
            except ProviderError as error:
                self._heard(_moved(role, what, player, following, error))
        return await ask(line[-1])

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


def _moved(role: Role, what: str, player: Player, following: Player, error: ProviderError) -> Fallback:
    if following.asked.player == "extractive":
        how = "by quotation" if role == "draft" else "by rule"
    else:
        how = f"by {following.asked.name}"
    note = f"{what} {how}, because {player.asked.name} {_did(error)}."
    return Fallback(role, player.asked.name, following.asked.name, one_line(error.message, 200), note)


def _did(error: ProviderError) -> str:
    """What a provider did, in words that fit a document: no host, no figure, the same each time."""
    if isinstance(error, ProviderUnavailable):
        return "did not answer"
    if isinstance(error, ProviderRefused):
        return "refused the request"
    return "gave no usable answer"
