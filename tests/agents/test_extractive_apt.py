"""Ordinary goals on the sample corpus find something to quote, and goals of another subject find nothing."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.agents.extractive.player import ExtractivePlayer
from autonomy.agents.roles import Overview, SelectRequest, served
from autonomy.core.types import Card, TaskSpec
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.ingest import ingest
from autonomy.memory.overview import overview
from autonomy.memory.search import find
from autonomy.storage.database import Database

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
EMBEDDER = HashEmbedder()
FEW = 6
"""Quotations; with fewer the search is widened."""


@dataclasses.dataclass(frozen=True)
class Shelf:
    """The sample corpus, read once."""

    database: Database
    corpus: int
    overview: Overview

    async def quoted(self, goal: str, enough: int = FEW) -> list[Card]:
        """What is quoted for the goal: its questions, and twice other ones while there is less than enough."""
        player, task = ExtractivePlayer(), TaskSpec(goal=goal)
        brief = await player.interpret(task, self.overview)
        weights: dict[str, float] = {}
        cards: list[Card] = []
        asked: list[str] = []
        questions = brief.questions
        for _ in range(3):
            for question in questions:
                asked.append(question)
                found = find(self.database, [self.corpus], question, embedder=EMBEDDER, language=brief.language)
                weights.update(found.weights)
                request = SelectRequest(
                    task=task, brief=brief, question=question, passages=found.passages, limit=8, weights=weights,
                    taken=tuple(card.quote for card in cards),
                )  # fmt: skip
                cards += await player.select(request)
            if len(cards) >= enough:
                break
            questions = await player.widen(task, brief, asked)
        return cards


@pytest.fixture(scope="module")
def shelf(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    path = tmp_path_factory.mktemp("shelf") / "autonomy.db"
    shutil.copy(sqlite_template, path)
    with Database(f"sqlite:///{path}", grow_wal=False) as database:
        corpus = ingest(database, CORPUS, embedder=EMBEDDER).corpus_id
        yield Shelf(database, corpus, Overview(**dataclasses.asdict(overview(database, [corpus]))))


@pytest.mark.parametrize(
    ("goal", "least", "word"),
    [
        ("How do teams make retries safe?", 6, "retr"),
        ("Which mistakes do developers make with checkpoints?", 8, "checkpoint"),
        ("How can a team avoid retry storms?", 6, "retr"),
        ("When should a workflow wait for a human?", 6, "wait"),
        ("When should work wait for a person?", 5, "wait"),
        ("Explain how to make retries safe with idempotency keys", 8, "key"),
        ("How can banks use idempotency keys?", 8, "key"),
        ("Why do retries need jitter?", 3, "jitter"),
        ("What makes retries dangerous", 5, "retr"),
        ("Best practices for retries", 4, "retr"),
        ("How do leases keep a queue safe", 8, "lease"),
        ("What is a lease", 6, "lease"),
        ("A guide to leases and fencing", 12, "lease"),
        ("Why are clocks a problem for workers", 3, "clock"),
        ("fair scheduling between users", 4, "user"),
        ("How do you prevent one user from blocking all the others?", 3, "user"),
        ("Circuit breakers in microservices", 3, "breaker"),
        ("Should we use PostgreSQL or SQLite?", 2, "sqlite"),
        ("A beginner's guide to write-ahead logging", 5, "log"),
        ("everything about checkpoints", 8, "checkpoint"),
        ("How do leases and fencing tokens stop a frozen worker from writing?", 12, "fenc"),
        ("Explain how queues stay fair when one user floods them", 6, "user"),
        ("How should a client retry when a server is overloaded?", 7, "retr"),
        ("What happens to work in progress when a worker crashes?", 8, "worker"),
        ("How do checkpoints, leases, retries and logs work in job queues", 20, "lease"),
        ("Write a short essay about how databases and job queues stay reliable", 10, "database"),
    ],
)
async def test_an_ordinary_goal_is_quoted_for(shelf: Shelf, goal: str, least: int, word: str) -> None:
    cards = await shelf.quoted(goal, max(FEW, least))
    assert len(cards) >= least
    assert any(word in card.quote.lower() for card in cards)


@pytest.mark.parametrize(
    "goal",
    [
        "History of the Roman empire",
        "shared vision",
        "how shared file handles are locked",
        "Testing vaccines",
        "Testing vaccines for children",
        "History of clocks",
        "Leases in Roman law",
        "Weight loss for users of gyms",
        "Marriage counselling for users",
        "Power plants",
        "Queues at airports",
        "How do airports handle passengers who wait in a queue?",
    ],
)
async def test_nothing_is_quoted_for_another_subject(shelf: Shelf, goal: str) -> None:
    assert await shelf.quoted(goal) == []


async def test_one_who_waits_for_a_human_is_not_told_of_waits_between_attempts(shelf: Shelf) -> None:
    cards = await shelf.quoted("When should a workflow wait for a human?")
    assert not {"Exponential backoff", "Jitter"} & {card.anchor.section for card in cards}


@pytest.mark.parametrize("goal", ["How should a client retry when a server is overloaded?", "How do leases keep a queue safe"])
async def test_other_words_for_a_question_are_tried_and_never_shown(shelf: Shelf, goal: str) -> None:
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal), shelf.overview)
    tried = await ExtractivePlayer().widen(TaskSpec(goal=goal), brief, ())
    assert tried
    assert {served(words, brief) for words in tried} <= set(brief.questions)
    assert not any(question.endswith((": examples", ": limits")) for question in brief.questions)
