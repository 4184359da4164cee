"""Players in an order: who is asked, when a request moves on, and what never moves it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autonomy.agents.players import Fallback, Players
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
    Sentence,
)
from autonomy.core.errors import (
    AutonomyError,
    BadAnswer,
    BudgetExceeded,
    ConfigurationError,
    LeaseLost,
    ProviderRefused,
    ProviderUnavailable,
)
from autonomy.core.types import Card, TaskSpec

TASK = TaskSpec(goal="tides")
BRIEF = Brief(title="t", language="en", subject="s", terms=(), questions=())
DRAFT = DraftRequest(task=TASK, brief=BRIEF, part="section", heading="Causes", claim="", cards=(), sources=(), words=100)
SELECT = SelectRequest(task=TASK, brief=BRIEF, question="What is a tide?", passages=(), limit=1)
OUTLINE = OutlineRequest(task=TASK, brief=BRIEF, cards=(), sources=(), words=100)
REVISE = ReviseRequest(
    task=TASK, brief=BRIEF, heading="Causes", draft=Paragraphs(paragraphs=()), failures=(), cards=(), sources=()
)


class Actor:
    """A player that signs its answers, or fails at everything."""

    def __init__(self, asked: Asked, error: AutonomyError | None = None) -> None:
        self.asked = asked
        self.error = error

    def sign(self) -> str:
        if self.error is not None:
            raise self.error
        return self.asked.name

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        return BRIEF.model_copy(update={"title": self.sign()})

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        self.sign()
        return ()

    async def outline(self, request: OutlineRequest) -> Outline:
        return Outline(title=self.sign(), sections=())

    async def draft(self, request: DraftRequest) -> Paragraphs:
        return Paragraphs(paragraphs=((Sentence(text=self.sign()),),))

    async def judge(self, request: JudgeRequest) -> Judgement:
        return Judgement(answers=((self.sign(), "yes", ""),))

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        return await self.draft(DRAFT)

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        return (self.sign(),)


MODEL, RULES = Asked("model", "openai"), Asked("extractive", "extractive")


async def everything(players: Players) -> list[str]:
    """Each role asked once; who signed."""
    return [
        (await players.interpret(TASK, Overview(documents=0, words=0, languages=(), titles=(), headings=()))).title,
        (await players.outline(OUTLINE)).title,
        (await players.draft(DRAFT)).paragraphs[0][0].text,
        (await players.judge(JudgeRequest(task=TASK, pairs=()))).answers[0][0],
        (await players.revise(REVISE)).paragraphs[0][0].text,
        (await players.widen(TASK, BRIEF, ()))[0],
    ]


async def test_the_first_player_is_asked_for_everything() -> None:
    heard: list[Fallback] = []
    players = Players([Actor(MODEL), Actor(RULES)], heard=heard.append)
    assert await everything(players) == ["openai"] * 6
    assert heard == []
    assert players.asked == MODEL


async def test_who_answered_is_told_for_every_role() -> None:
    told: list[tuple[str, str]] = []
    players = Players(
        [Actor(MODEL), Actor(RULES)], roles={"judge": "extractive"}, answered=lambda r, p: told.append((r, p.name))
    )
    await everything(players)
    assert dict(told) == {
        "interpret": "openai", "outline": "openai", "draft": "openai", "judge": "extractive", "revise": "openai",
        "widen": "openai",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "did"),
    [
        (ProviderUnavailable("host:1234 gone", "wait"), "did not answer"),
        (ProviderRefused("no", "ask"), "refused the request"),
        (BadAnswer("odd", "try"), "gave no usable answer"),
    ],
)
async def test_a_providers_failure_moves_the_request_on_and_is_told(error: AutonomyError, did: str) -> None:
    heard: list[Fallback] = []
    players = Players([Actor(MODEL, error), Actor(RULES)], heard=heard.append)
    assert await everything(players) == ["extractive"] * 6
    assert await players.select(SELECT) == ()
    assert [row.role for row in heard] == ["interpret", "outline", "draft", "judge", "revise", "widen", "select"]
    told = heard[2]
    assert (told.player, told.instead, told.reason) == ("openai", "extractive", error.message)
    assert told.note == f"The section 'Causes' was put together by quotation, because openai {did}."
    assert "What is a tide?" in heard[-1].note


@pytest.mark.parametrize(
    "error", [BudgetExceeded("tokens", 1, 1, 1), LeaseLost("lost", ""), ConfigurationError("none", ""), AutonomyError("other")]
)
async def test_everything_else_goes_up(error: AutonomyError) -> None:
    heard: list[Fallback] = []
    players = Players([Actor(MODEL, error), Actor(RULES)], heard=heard.append)
    with pytest.raises(type(error)):
        await players.draft(DRAFT)
    assert heard == []


async def test_with_a_model_alone_its_failure_goes_up() -> None:
    with pytest.raises(ProviderUnavailable):
        await Players([Actor(MODEL, ProviderUnavailable("gone", "wait"))]).draft(DRAFT)


async def test_the_last_players_failure_goes_up() -> None:
    gone = ProviderUnavailable("gone", "wait")
    heard: list[Fallback] = []
    with pytest.raises(BadAnswer):
        await Players([Actor(MODEL, gone), Actor(Asked("model", "kimi"), BadAnswer("odd"))], heard=heard.append).draft(DRAFT)
    assert heard[0].note.endswith("put together by kimi, because openai did not answer.")


@pytest.mark.parametrize("name", ["extractive", "rules"])
async def test_a_role_may_be_given_to_another_player(name: str) -> None:
    players = Players([Actor(MODEL), Actor(Asked("extractive", "rules"))], roles={"judge": name})
    assert await everything(players) == ["openai", "openai", "openai", "rules", "openai", "openai"]


@pytest.mark.parametrize("roles", [{"judging": "openai"}, {"judge": "nobody"}])
def test_a_role_or_player_that_is_not_there_is_refused(roles: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Players([Actor(MODEL)], roles=roles)


def test_an_empty_order_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        Players([])
