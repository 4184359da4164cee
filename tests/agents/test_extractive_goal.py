"""Interpret and widen: what a goal asks, in the languages people ask in."""

from __future__ import annotations

import pytest

from autonomy.agents.extractive.goal import read_goal, title_of
from autonomy.agents.extractive.player import ExtractivePlayer
from autonomy.agents.roles import Overview, Player
from autonomy.core.types import TaskSpec
from autonomy.text.words import terms

OVERVIEW = Overview(
    documents=3,
    words=900,
    languages=("en",),
    titles=("Manual of Locks",),
    headings=(
        "Introduction",
        "2.1. Deadlocks between threads and locks ¶",
        "Limits of locks",
        "Tides",
        "lock.acquire(timeout=-1)",
    ),
)


@pytest.mark.parametrize(
    ("goal", "language", "title", "points"),
    [
        (
            "Write a 500-word essay about task cancellation in asyncio, including timeouts and shielding.",
            "en",
            "Task cancellation in asyncio, including timeouts and shielding",
            ("timeouts", "shielding"),
        ),
        ("Please write me a short overview of logging. Use about 300 words.", "en", "Logging", ()),
        ("What is a context manager?", "en", "Context manager", ()),
        ("Explain how garbage collection works in Python", "en", "How garbage collection works in Python", ()),
        ("Compare locks and queues for threads in 800 words", "en", "Locks and queues for threads", ("locks", "queues")),
        (
            "Prepare a research pack on concurrency: threads, processes and event loops",
            "en",
            "Concurrency, including threads, processes and event loops",
            ("threads", "processes", "event loops"),
        ),
        (
            "Schreibe einen Aufsatz über die Paketverwaltung in Debian, insbesondere Abhängigkeiten und Konflikte",
            "de",
            "Paketverwaltung in Debian, einschließlich Abhängigkeiten und Konflikte",
            ("Abhängigkeiten", "Konflikte"),
        ),
        (
            "Escribe un ensayo de 500 palabras sobre la gestión de paquetes, incluyendo dependencias y conflictos",
            "es",
            "Gestión de paquetes, con dependencias y conflictos",
            ("dependencias", "conflictos"),
        ),
        (
            "Rédige un rapport sur la sécurité du système, notamment le pare-feu",
            "fr",
            "Sécurité du système, avec pare-feu",
            ("pare-feu",),
        ),
        ("Debianのパッケージ管理について説明してください。", "ja", "Debianのパッケージ管理", ()),
        ("写一篇关于软件包管理的文章", "zh", "软件包管理", ()),
    ],
)
def test_the_order_to_write_is_no_part_of_the_title(goal: str, language: str, title: str, points: tuple[str, ...]) -> None:
    read = read_goal(goal, language)
    assert title_of(read, language) == title
    assert read.points == points


@pytest.mark.parametrize(
    ("goal", "language", "title", "points"),
    [
        ("Explain leases. Cover fencing and checkpoints.", "en", "Leases, including fencing and checkpoints",
         ("fencing", "checkpoints")),
        ("Write a guide to leases. Use 500 words. It should also cover fencing.", "en", "Leases, including fencing",
         ("fencing",)),
        ("Compare leases and locks. Please mention cost.", "en", "Leases and locks, including cost",
         ("leases", "locks", "cost")),
        ("Erkläre Leases. Behandle auch Fencing und Prüfpunkte.", "de", "Leases, einschließlich Fencing und Prüfpunkte",
         ("Fencing", "Prüfpunkte")),
        ("Explica los arriendos. Incluye vallas y copias.", "es", "Arriendos, con vallas y copias", ("vallas", "copias")),
        ("Expliquez les baux. Abordez les jetons.", "fr", "Baux, avec jetons", ("jetons",)),
        ("Explain leases. Write it in English.", "en", "Leases", ()),
    ],
)  # fmt: skip
async def test_a_later_sentence_names_points_too(goal: str, language: str, title: str, points: tuple[str, ...]) -> None:
    read = read_goal(goal, language)
    assert (title_of(read, language), read.points) == (title, points)
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal, language=language), OVERVIEW)
    assert set(points) <= set(brief.must_cover)


@pytest.mark.parametrize("goal", ["a", "the of and", "写", "Write an essay", "x" * 5_000, "and, and, and", "including"])
async def test_any_goal_gives_a_title_and_a_question(goal: str) -> None:
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal), OVERVIEW)
    assert brief.title.strip()
    assert len(brief.title) <= 100
    assert brief.questions
    assert all(question.strip() for question in brief.questions)


async def test_questions_come_from_the_goal_and_from_telling_headings_only() -> None:
    brief = await ExtractivePlayer().interpret(TaskSpec(goal="Write an essay about locks and threads"), OVERVIEW)
    assert 3 <= len(brief.questions) <= 8
    assert "Deadlocks between threads and locks" in brief.questions
    assert not {"Introduction", "Tides", "lock.acquire(timeout=-1)"} & set(brief.questions)
    assert brief.terms == ("lock", "thread")


async def test_a_language_asked_for_is_kept_and_a_bare_name_is_read_in_the_corpus_own() -> None:
    player = ExtractivePlayer()
    german = OVERVIEW.model_copy(update={"languages": ("de",)})
    assert (await player.interpret(TaskSpec(goal="asyncio"), german)).language == "de"
    assert (await player.interpret(TaskSpec(goal="the locks of a thread"), german)).language == "en"
    assert (await player.interpret(TaskSpec(goal="asyncio", language="es"), german)).language == "es"


async def test_widening_asks_what_was_not_asked_before() -> None:
    player = ExtractivePlayer()
    task = TaskSpec(goal="Write an essay about cancelling tasks with limits")
    brief = await player.interpret(task, OVERVIEW)
    offered = await player.widen(task, brief, brief.questions[:1])
    asked = {frozenset(terms(question, "en")) for question in brief.questions}
    fresh = [frozenset(terms(question, "en")) for question in offered]
    assert fresh
    assert len(fresh) == len(set(fresh))
    assert not asked & set(fresh)
    assert any({"abort", "stop", "termin"} & words for words in fresh)


def test_the_extractive_player_is_a_player() -> None:
    player: Player = ExtractivePlayer()
    assert (player.asked.player, player.asked.name) == ("extractive", "extractive")


@pytest.mark.parametrize(
    ("goal", "language", "title", "questions"),
    [
        (
            "What is a lease and how does fencing work?",
            "en",
            "What is a lease and how does fencing work?",
            ("What is a lease?", "How does fencing work?"),
        ),
        (
            "What is a lock? How does it time out?",
            "en",
            "What is a lock? How does it time out?",
            ("What is a lock?", "How does a lock time out?"),
        ),
        (
            "How are uploads made, and what are their limits?",
            "en",
            "How are uploads made, and what are their limits?",
            ("How are uploads made?", "What are the limits of uploads?"),
        ),
        (
            "What does a CRC guarantee and where does it fail",
            "en",
            "What does a CRC guarantee and where does it fail?",
            ("What does a CRC guarantee?", "Where does a CRC fail?"),
        ),
        (
            "Was ist eine Sperre und wie funktioniert eine Warteschlange?",
            "de",
            "Was ist eine Sperre und wie funktioniert eine Warteschlange?",
            ("Was ist eine Sperre?", "Wie funktioniert eine Warteschlange?"),
        ),
        (
            "¿Qué es un bloqueo y cómo funciona la cola?",
            "es",
            "¿Qué es un bloqueo y cómo funciona la cola?",
            ("¿Qué es un bloqueo?", "¿Cómo funciona la cola?"),
        ),
    ],
)
async def test_a_goal_of_two_questions_is_asked_in_two_and_keeps_its_title(
    goal: str, language: str, title: str, questions: tuple[str, ...]
) -> None:
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal, language=language), OVERVIEW)
    assert brief.title == title
    assert brief.questions[:2] == questions


@pytest.mark.parametrize(
    ("goal", "title"),
    [
        ("How do jobs survive crashes: logs, checkpoints and leases", "How do jobs survive crashes?"),
        ("How jobs survive crashes", "How jobs survive crashes"),
        ("How and why do leases expire?", "How and why do leases expire?"),
    ],
)
def test_a_title_that_asks_ends_as_a_question(goal: str, title: str) -> None:
    assert title_of(read_goal(goal, "en"), "en") == title


@pytest.mark.parametrize(
    ("goal", "title"),
    [
        (
            "Write-ahead logging for durable writes, checkpoints for long-running jobs and leases with fencing for queues",
            "Write-ahead logging for durable writes, checkpoints for long-running jobs and leases with fencing for queues",
        ),
        (
            "Explain how leases keep a queue safe, how fencing protects the storage and how checkpoints make jobs restartable",
            "How leases keep a queue safe, how fencing protects the storage and how checkpoints make jobs restartable",
        ),
        (
            "Compare write-ahead logging in databases, checkpoints in long-running jobs and leases in queues",
            "Write-ahead logging in databases, checkpoints in long-running jobs and leases in queues",
        ),
    ],
)
def test_a_goal_of_three_parts_keeps_all_three_in_its_title(goal: str, title: str) -> None:
    assert title_of(read_goal(goal, "en"), "en") == title


def test_parts_too_long_for_any_title_are_cut_all_the_same() -> None:
    part = "a very long winding road that leads on to nowhere in particular"
    title = title_of(read_goal(f"Write about {part}s, {part} again and {part} once more", "en"), "en")
    assert len(title) <= 160
    assert title.endswith("…")


def test_a_long_title_is_cut_at_a_word_and_says_so() -> None:
    title = title_of(read_goal("Explain how " + "a very long winding road leads on " * 5, "en"), "en")
    assert len(title) <= 96
    assert title.endswith("…")


async def test_a_heading_that_only_says_a_question_again_is_not_asked() -> None:
    headings = (
        "Checkpoints of Long-Running Work",
        "How checkpoints of jobs work",
        "Versions of long running jobs and checkpoints",
    )
    overview = OVERVIEW.model_copy(update={"headings": headings})
    goal = TaskSpec(goal="Write about checkpoints of long running jobs")
    brief = await ExtractivePlayer().interpret(goal, overview)
    assert headings[2] in brief.questions
    assert not set(headings[:2]) & set(brief.questions)


@pytest.mark.parametrize("goal", ["Guide to backups", "Write an introduction to backups", "A 300-word primer to backups"])
def test_a_guide_to_something_is_about_that_thing(goal: str) -> None:
    assert read_goal(goal, "en").subject == "backups"


PLAIN = Overview(documents=3, words=900, languages=("en",), titles=(), headings=())


@pytest.mark.parametrize(
    ("goal", "language", "title", "questions"),
    [
        (
            "A guide to leases and fencing",
            "en",
            "Leases and fencing",
            ("What are leases and fencing?", "Leases", "Fencing"),
        ),
        ("An introduction to locks", "en", "Locks", ("What are locks?", "How do locks work?", "What are the limits of locks?")),
        (
            "An introduction to string formatting, integers and classes",
            "en",
            "String formatting, integers and classes",
            ("String formatting", "Integers", "Classes"),
        ),
        (
            "A beginner's guide to unit testing",
            "en",
            "Unit testing",
            ("What is unit testing?", "How does unit testing work?", "What are the limits of unit testing?"),
        ),
        ("What is a lease", "en", "Lease", ("What is a lease?", "How does a lease work?", "What are the limits of a lease?")),
        (
            "I want to understand how GC works",
            "en",
            "How GC works",
            ("How GC works", "What are the limits of GC?"),
        ),
        (
            "How do checkpoints, leases, retries and logs work in job queues",
            "en",
            "How do checkpoints, leases, retries and logs work in job queues?",
            (
                "How do checkpoints, leases, retries and logs work in job queues?",
                "Checkpoints in job queues",
                "Leases in job queues",
                "Retries in job queues",
                "Logs in job queues",
            ),
        ),
        (
            "Should we use PostgreSQL or SQLite?",
            "en",
            "Should we use PostgreSQL or SQLite?",
            ("Should we use PostgreSQL or SQLite?", "PostgreSQL", "SQLite"),
        ),
        (
            "Best practices for retries",
            "en",
            "Best practices for retries",
            ("What are the best practices for retries?", "How do retries work?", "What are the limits of retries?"),
        ),
        (
            "Risks of pickle for security",
            "en",
            "Risks of pickle for security",
            ("What are the risks of pickle for security?", "How does pickle work?", "What are the limits of pickle?"),
        ),
        (
            "everything about checkpoints",
            "en",
            "Checkpoints",
            ("What are checkpoints?", "How do checkpoints work?", "What are the limits of checkpoints?"),
        ),
        (
            "Write a short essay about how databases and job queues stay reliable",
            "en",
            "How databases and job queues stay reliable",
            ("How databases and job queues stay reliable", "Databases", "Job queues"),
        ),
        (
            "Explain the difference between leases and locks",
            "en",
            "Difference between leases and locks",
            ("How do leases and locks differ?", "Leases", "Locks"),
        ),
        (
            "What is the difference between leases, locks and logs?",
            "en",
            "Difference between leases, locks and logs",
            ("How do leases, locks and logs differ?", "Leases", "Locks", "Logs"),
        ),
        (
            "Was ist der Unterschied zwischen Sperren und Fristen?",
            "de",
            "Unterschied zwischen Sperren und Fristen",
            ("Sperren und Fristen: Worin liegt der Unterschied?", "Sperren", "Fristen"),
        ),
        (
            "Quelle est la différence entre verrous et files ?",
            "fr",
            "Quelle est la différence entre verrous et files ?",
            ("Quelle est la différence entre verrous et files ?",),
        ),
        (
            "What happens when a worker crashes?",
            "en",
            "What happens when a worker crashes?",
            ("What happens when a worker crashes?",),
        ),
        ("Will power", "en", "Will power", ("What is Will power?",)),
        (
            "Idempotency keys\n\n# Idempotency keys\nHow do idempotency keys work?",
            "en",
            "Idempotency keys",
            ("What are idempotency keys?", "How do idempotency keys work?"),
        ),
        ("A bug\n\nExplain leases", "en", "Bug Explain leases", ()),
        ("What is a lease for?", "en", "What is a lease for?", ("What is a lease for?",)),
        (
            "heappop returns the smallest item",
            "en",
            "Heappop returns the smallest item",
            ("Heappop returns the smallest item",),
        ),
        ("leases versus the locks", "en", "Leases versus the locks", ("What are leases versus the locks?",)),
        (
            "Ein Leitfaden für Anfänger zu Warteschlangen",
            "de",
            "Warteschlangen",
            ("Warteschlangen: Was ist das?",),
        ),
        ("Was ist eine Sperre", "de", "Sperre", ("Was ist eine Sperre?",)),
        (
            "Ich möchte verstehen, wie Sperren funktionieren",
            "de",
            "Wie Sperren funktionieren",
            ("Wie Sperren funktionieren",),
        ),
        (
            "Sollten wir PostgreSQL oder SQLite verwenden?",
            "de",
            "Sollten wir PostgreSQL oder SQLite verwenden?",
            ("Sollten wir PostgreSQL oder SQLite verwenden?", "PostgreSQL", "SQLite"),
        ),
        ("Una guía para principiantes sobre bloqueos", "es", "Bloqueos", ("Bloqueos: ¿qué es?",)),
        ("Qué es un bloqueo", "es", "Bloqueo", ("¿Qué es un bloqueo?",)),
        ("Todo sobre los bloqueos", "es", "Bloqueos", ("Bloqueos: ¿qué es?",)),
        (
            "¿Debemos usar PostgreSQL o SQLite?",
            "es",
            "¿Debemos usar PostgreSQL o SQLite?",
            ("¿Debemos usar PostgreSQL o SQLite?", "PostgreSQL", "SQLite"),
        ),
    ],
)
async def test_goals_as_people_put_them_ask_what_they_mean(
    goal: str, language: str, title: str, questions: tuple[str, ...]
) -> None:
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal, language=language), PLAIN)
    assert brief.title == title
    assert brief.questions[: len(questions)] == questions


async def test_a_list_too_long_for_a_title_is_asked_whole_and_its_title_says_that_it_is_cut() -> None:
    things = "lists, tuples, dictionaries, string formatting, integers, floating point numbers, functions and classes"
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=f"Write an essay about {things}"), PLAIN)
    assert brief.title.endswith("numbers…")
    assert brief.must_cover[-2:] == ("functions", "classes")


async def test_a_heading_that_shares_one_word_of_a_name_is_another_thing() -> None:
    overview = PLAIN.model_copy(update={"headings": ("SSL Contexts", "Writing context managers")})
    brief = await ExtractivePlayer().interpret(TaskSpec(goal="What is a context manager?"), overview)
    assert "Writing context managers" in brief.questions
    assert "SSL Contexts" not in brief.questions


async def test_what_somebody_does_is_no_list_of_things() -> None:
    goal = "How do I parse command line arguments and show help in Python?"
    brief = await ExtractivePlayer().interpret(TaskSpec(goal=goal), OVERVIEW)
    assert brief.must_cover == ()
    assert brief.questions[0] == goal
