"""Select: every card is the snapshot's own words, whole, on the question, and new."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autonomy.agents.extractive.player import ExtractivePlayer
from autonomy.agents.roles import Brief, OutlineRequest, SelectRequest
from autonomy.core.types import Card, Passage, Source, TaskSpec
from autonomy.text.words import terms
from tests.agents.extractive_corpus import corpus

CORPUS = corpus()
ROOT = Path(__file__).parents[2]
TASK = TaskSpec(goal="locks")


def request(
    question: str, passages: tuple[Passage, ...], language: str = "en", limit: int = 8, **more: object
) -> SelectRequest:
    brief = Brief(title="Locks", language=language, subject="locks", terms=(), questions=(question,))
    return SelectRequest(task=TASK, brief=brief, question=question, passages=passages, limit=limit).model_copy(update=more)


async def select(question: str, *sources: str, language: str = "en", limit: int = 8, **more: object) -> tuple[Card, ...]:
    return await ExtractivePlayer().select(request(question, CORPUS.of(*sources), language, limit, **more))


ASKED = [
    ("What is a lock?", ("s1", "s2", "s3"), "en"),
    ("Sperren: Was ist das?", ("s4",), "de"),
    ("Bloqueos: ¿qué es?", ("s5",), "es"),
    ("ロックとは何か", ("s6",), "ja"),
    ("线程获取锁的限制", ("s7",), "zh"),
]


@pytest.mark.parametrize(("question", "sources", "language"), ASKED)
async def test_a_quote_is_the_snapshot_at_its_anchor(question: str, sources: tuple[str, ...], language: str) -> None:
    cards = await select(question, *sources, language=language)
    assert cards
    by_place = {(p.source, p.section): p for p in CORPUS.passages}
    for card in cards:
        assert card.quote == CORPUS.snapshots[card.source][card.anchor.start : card.anchor.end]
        passage = by_place[card.source, card.anchor.section]
        assert passage.start <= card.anchor.start < card.anchor.end <= passage.end
        assert card.anchor.page == passage.page
        assert 0 <= card.relevance <= 1
        assert card.question == question


@pytest.mark.parametrize(
    "unusable",
    [
        "Return the current holder",
        "............",
        "See the chapter",
        "The example below",
        "__lock__",
        "Limits of locks\n",
        "Locks\n\n",
    ],
)
async def test_no_fragment_pointer_contents_line_heading_or_markup_survives(unusable: str) -> None:
    for question in (
        "What is a lock?",
        "lock timeout",
        "limits of locks",
        "deadlock call",
        "current holder of the lock",
        "threads",
    ):
        for card in await select(question, "s1", "s2", "s3"):
            assert unusable not in card.quote


@pytest.mark.parametrize("name", ["__lock__", "*args", "`lock`", "_the lock_", "![lock](a.png)", "~~lock~~", "C:\\lock"])
async def test_what_markdown_would_read_as_its_own_is_not_quoted(name: str) -> None:
    for written, cards in ((name, 0), ("lock", 1)):
        text = f"The name {written} tells which thread holds the shared lock at the moment of a failure."
        passage = Passage(id="p", source="s1", title="T", text=text, start=0, end=len(text), section="S", language="en")
        assert len(await ExtractivePlayer().select(request("Which thread holds the lock?", (passage,)))) == cards


@pytest.mark.parametrize("mark", ["2. ", "a) ", "(iv) ", "5.1. ", "• ", "- ", "o "])
async def test_the_mark_of_a_list_is_left_out_of_the_quotation(mark: str) -> None:
    item = "A lock is held by one thread at a time and blocks all others."
    text = f"{mark}{item}"
    passage = Passage(id="p", source="s1", title="T", text=text, start=7, end=7 + len(text), section="S", language="en")
    (card,) = await ExtractivePlayer().select(request("Which thread holds the lock?", (passage,)))
    assert card.quote == item
    assert (card.anchor.start, card.anchor.end) == (7 + len(mark), passage.end)


@pytest.mark.parametrize(
    ("text", "question", "language"),
    [
        ("A. Smith says that a lock is held by one thread at a time.", "Which thread holds the lock?", "en"),
        ("3. Oktober war der Tag, an dem ein Thread die Sperre hielt.", "Welcher Thread hält die Sperre?", "de"),
    ],
)
async def test_an_initial_and_an_ordinal_are_no_marks_of_a_list(text: str, question: str, language: str) -> None:
    passage = Passage(id="p", source="s1", title="T", text=text, start=0, end=len(text), section="S", language=language)
    for card in await ExtractivePlayer().select(request(question, (passage,), language)):
        assert card.quote == text


@pytest.mark.parametrize(
    ("text", "section", "cards"),
    [
        ("A shared lock is a promise of the writers to the readers.", "Locks for readers", 1),
        ("A shared lock is a complex topic.", "Shared locks", 0),
    ],
)
async def test_a_definition_may_say_what_its_heading_says(text: str, section: str, cards: int) -> None:
    passage = Passage(id="p", source="s1", title="T", text=text, start=0, end=len(text), section=section, language="en")
    assert len(await ExtractivePlayer().select(request("What is a shared lock?", (passage,)))) == cards


async def test_a_dangling_sentence_comes_with_the_one_before_or_not_at_all() -> None:
    text = "A spare lock stands ready for each worker thread. It can be acquired again by the thread that holds the lock.\n\n"
    text += "However, a reentrant lock can be acquired by the thread that holds it."
    passage = Passage(id="p", source="s1", title="T", text=text, start=0, end=len(text), section="S", language="en")
    cards = await ExtractivePlayer().select(request("Which lock can be acquired again by the thread?", (passage,)))
    assert cards
    assert not any(card.quote.startswith(("It ", "However")) for card in cards)


async def test_the_definition_leads_for_a_question_what_it_is() -> None:
    cards = await select("What is a lock?", "s1")
    assert cards[0].quote.startswith("A lock is an object")


async def test_nothing_is_given_for_a_question_the_passages_do_not_treat() -> None:
    assert await select("What is the price of tea in Lisbon?", "s1", "s2", "s3") == ()


async def test_what_is_taken_is_not_given_again() -> None:
    first = await select("What is a lock?", "s1", "s2", "s3")
    again = await select("What is a lock?", "s1", "s2", "s3", taken=tuple(card.quote for card in first))
    assert not {card.quote for card in first} & {card.quote for card in again}


GRANT = (
    "Subject to the terms of this licence, each maker grants you a lasting, worldwide, free and irrevocable right to acquire, "
    "hold, renew, share, lend and release the lock of the pump(s), to fit it to other pumps, to change it, and to pass it on "
    "in any form, where such right applies only to those locks that are needed by the pump(s) alone or with the house in "
    "which such pump(s) stand."
)


@pytest.mark.parametrize(("short", "quoted"), [(0, True), (2, True), (3, False)])
async def test_a_long_sentence_is_quoted_where_few_short_ones_answer(short: int, quoted: bool) -> None:
    told = (
        "A lock is an object that one worker holds at a time.",
        "The lock of the northern gate opens for nobody but its keeper.",
        "Every lock without an owner was melted down after the winter.",
    )
    text = "\n\n".join((GRANT, *told[:short]))
    passage = CORPUS.passages[0].model_copy(
        update={"text": text, "end": CORPUS.passages[0].start + len(text), "section": "Lock"}
    )
    cards = await ExtractivePlayer().select(request("What is a lock?", (passage,)))
    assert len(cards) >= short
    assert (GRANT in {card.quote for card in cards}) is quoted
    answered = await ExtractivePlayer().select(request("What is a lock?", (passage,), taken=told[:short]))
    assert (GRANT in {card.quote for card in answered}) is quoted, "what is taken counts as an answer"


async def test_near_repeats_in_other_sources_are_dropped() -> None:
    cards = await select("How long does a thread wait for a lock with a timeout?", "s1", "s2")
    assert sum("unless another timeout is given" in card.quote for card in cards) == 1


async def test_at_most_the_limit_and_three_of_a_section() -> None:
    assert len(await select("What is a lock?", "s1", "s2", "s3", limit=2)) == 2
    sentences = " ".join(f"The lock number {n} guards the {name} of the shared store in memory." for n, name in enumerate(
        ("index", "journal", "header", "footer", "cache", "queue", "heap")))  # fmt: skip
    passage = Passage(id="p", source="s1", title="T", text=sentences, start=0, end=len(sentences), section="S", language="en")
    assert len(await ExtractivePlayer().select(request("Which lock guards the store?", (passage,)))) <= 3


async def test_untranslated_sentences_stay_out_of_a_german_document() -> None:
    text = CORPUS.snapshots["s4"] + "\n\nThe Sperren are held by one thread at a time in the system."
    passage = Passage(id="p", source="s4", title="T", text=text, start=0, end=len(text), section="Sperren", language="de")
    cards = await ExtractivePlayer().select(request("Sperren: Was ist das?", (passage,), "de"))
    assert cards
    assert not any(card.quote.startswith("The ") for card in cards)


async def test_the_order_of_the_passages_does_not_change_the_choice() -> None:
    forward = await select("What is a lock?", "s1", "s2", "s3")
    passages = CORPUS.of("s1", "s2", "s3")[::-1]
    backward = await ExtractivePlayer().select(request("What is a lock?", passages))
    assert {card.quote for card in forward} == {card.quote for card in backward}


@pytest.mark.parametrize("text", ["", " \n\n ", ".", "。。。", "\n\n\n", "((((", "“" * 50, "a. " * 200, "\u202e lock \ufffe."])
async def test_hostile_passages_give_nothing_and_break_nothing(text: str) -> None:
    passage = Passage(id="p", source="s1", title="", text=text, start=7, end=7 + len(text))
    assert await ExtractivePlayer().select(request("What is a lock?", (passage,))) == ()


def test_another_process_with_another_hash_seed_chooses_the_same() -> None:
    code = (
        "import asyncio\n"
        "from tests.agents.test_extractive_select import select\n"
        "print([(c.source, c.anchor.start, c.relevance) for c in asyncio.run(select('What is a lock?', 's1', 's2', 's3'))])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        ("Cloud storage costs", "Cloud storage in Finland costs more than a disk in the office."),
        ("Cloud storage costs", "Cloud storage for 1 TB costs about 60 euros per year."),
        ("Dogs alone", "A dog that is left alone for more than six hours begins to bark."),
        ("Sleep", "Drinking coffee in the evening delays sleep by about forty minutes."),
    ],
)
async def test_a_plain_sentence_is_quoted_wherever_it_stands(goal: str, sentence: str) -> None:
    text = f"{sentence} Backups are kept in the office by day and by night."
    passage = Passage(id="p1", source="s1", title="Paper", text=text, start=0, end=len(text), section="Paper", language="en")
    asked = SelectRequest(
        task=TaskSpec(goal=goal),
        brief=Brief(title=goal, language="en", subject=goal, terms=(), questions=(goal,)),
        question=goal,
        passages=(passage,),
        limit=4,
    )
    assert sentence in [card.quote for card in await ExtractivePlayer().select(asked)]


async def test_below_a_signature_a_label_is_no_sentence() -> None:
    text = "An object that holds tasks of run(). Tasks are cancelled when the group is left by an error."
    passage = Passage(id="p1", source="s1", title="asyncio", text=text, start=0, end=len(text), section="Task Object")
    asked = SelectRequest(
        task=TaskSpec(goal="tasks"),
        brief=Brief(title="tasks", language="en", subject="tasks", terms=(), questions=("tasks",)),
        question="tasks",
        passages=(passage,),
        limit=4,
    )
    assert [card.quote[:5] for card in await ExtractivePlayer().select(asked)] == ["Tasks"]


async def test_where_few_sentences_name_what_was_asked_those_under_its_heading_speak_for_it() -> None:
    passages = tuple(p for p in CORPUS.of("s2") if p.section == "Queues and locks compared")
    alone = request("What is compared?", passages)
    beside = alone.model_copy(update={"brief": alone.brief.model_copy(update={"must_cover": ("queues", "locks")})})
    player = ExtractivePlayer()
    assert len(await player.select(alone)) == 2
    assert await player.select(beside) == ()


def passage(text: str, section: str = "Notes", title: str = "Notes", number: int = 1, **more: object) -> Passage:
    found = Passage(
        id=f"p{number}", source="s1", title=title, text=text, start=0, end=len(text), section=section, language="en"
    )
    return found.model_copy(update=more)


async def quoted(goal: str, *passages: Passage) -> list[str]:
    """What is quoted for a goal that is one question, best first."""
    brief = Brief(title=goal, language="en", subject=goal, terms=tuple(terms(goal, "en")), questions=(goal,))
    asked = SelectRequest(task=TaskSpec(goal=goal), brief=brief, question=goal, passages=passages, limit=8)
    return [card.quote for card in await ExtractivePlayer().select(asked)]


async def test_what_does_without_the_thing_is_no_answer() -> None:
    text = "Every worker keeps the lock of its queue until the job is done."
    assert await quoted("How do workers hold a lock?", passage(text)) == [text]
    assert await quoted("How do workers hold a lock?", passage(text, "Running without a lock")) == []
    assert await quoted("How do workers run without a lock?", passage(text, "Running without a lock")) == [text]


async def test_what_names_the_thing_only_as_what_it_replaces_is_no_answer() -> None:
    goal = "How do I run a private index of packages?"
    replaced = "Checking is an alternative to running a private index server with a list of packages."
    answer = "A private index of packages is run from any folder by a small server."
    assert await quoted(goal, passage(f"{answer} {replaced}")) == [answer]
    compared = "Should I run a private index instead of checking packages?"
    assert replaced in await quoted(compared, passage(f"{answer} {replaced}"))


@pytest.mark.parametrize(
    "leaning",
    [
        "Subclass of the lock error, raised when no lock of the thread can be released.",
        "If the argument is zero, the lock of the thread is released at once.",
        "Create a lock for each of the threads that wait in the queue.",
    ],
)
async def test_an_entry_of_a_reference_is_not_quoted_alone(leaning: str) -> None:
    plain = "Locks of threads are released by the kernel in the order of their age."
    text = f"lock_error(thread)\n\n{leaning}\n\n{plain}"
    assert await quoted("How are locks of threads released?", passage(text, "lock_error", "threading")) == [plain]


async def test_a_sentence_that_introduces_an_example_is_quoted_without_its_colon() -> None:
    whole = "The password of the server is given behind the name in the address"
    for text, kept in (
        (f"{whole}:", [whole]),
        ("For the password of the server you can then run:", []),
        ("For the password of the server there are several ways:", []),
        ("The password of the server is given in two steps:", []),
        ("The password of the server is given as in the example below, behind the name:", []),
    ):
        assert await quoted("Where is the password of the server given?", passage(text)) == kept


async def test_of_two_things_held_against_each_other_what_names_both_comes_first() -> None:
    both = "Threads share the memory of one program, and processes have their own."
    one = "Threads wait for each other at a lock if they write to one table of it."
    aim = "The purpose of threads is to let a program go on while a part of it waits."
    goal = "When should I use threads instead of processes?"
    best = await quoted(goal, passage(f"{one}\n\n{aim}\n\n{both}", "Threads", "Threads"))
    assert best == [both, aim, one]


async def test_what_has_the_form_of_an_answer_comes_before_what_has_not() -> None:
    ground = "The log is synced before the answer since power may go at any time."
    other = "The log is synced by the database and has a name of its own in the folder."
    more = "The log is synced to the disk of the machine by the kernel of the system."
    assert (await quoted("Why is the log synced?", passage(f"{other} {more} {ground}", "Log", "Log")))[0] == ground


async def test_a_heading_that_names_what_was_asked_speaks_for_its_section() -> None:
    text = "The queue of a worker keeps its jobs in the order of their age."
    other = "The queue of a worker holds its jobs until the worker asks for one."
    found = await quoted(
        "order of jobs", passage(other, "Queues"), passage(text, "Order of jobs", number=2, start=500, end=563)
    )
    assert found[0] == text


async def test_a_sentence_about_a_variable_comes_last() -> None:
    item = "WORKER_PATH is the folder in which a worker looks for the jobs of its queue."
    plain = "A worker looks for its jobs in the folder of the queue and takes the oldest."
    found = await quoted("How does a worker find jobs?", passage(f"{item} {plain}", "Worker", "Worker"))
    assert found == [plain, item]


async def test_the_name_of_the_file_says_what_a_document_is_about() -> None:
    text = "The credentials of a private index are read from the address."
    goal = "How does pip read credentials?"
    assert await quoted(goal, passage(text)) == []
    assert await quoted(goal, passage(text, file="docs/pip-authentication.md")) == [text]


async def test_a_question_of_the_goal_is_not_answered_by_what_answers_another() -> None:
    text = "A lease is a lock with an expiry date that a worker has to renew."
    questions = ("What is a lease?", "Where does a lease fail?")
    brief = Brief(title="Leases", language="en", subject="lease", terms=("leas", "fail"), questions=questions)
    for question, answers in zip(questions, (1, 0), strict=True):
        asked = SelectRequest(task=TASK, brief=brief, question=question, passages=(passage(text),), limit=8)
        assert len(await ExtractivePlayer().select(asked)) == answers


async def test_where_enough_sentences_take_up_what_is_asked_of_the_thing_no_other_is_quoted() -> None:
    goal = "How does a lease protect a job?"
    answers = [
        "A lease protects the job of a frozen worker by its stated time of expiry.",
        "A lease protects every job when two workers claim it at once in the table.",
        "The lease is renewed by the worker that holds the job of the queue.",
    ]
    other = "A lease of the oldest kind has a name and a number in the table of the dashboard."
    first = passage(" ".join([*answers[:2], other]), "Leases")
    third = passage(answers[2], "Jobs", number=2, start=900, end=900 + len(answers[2]))
    assert set(await quoted(goal, first, third)) == set(answers)
    assert set(await quoted(goal, first)) == {*answers[:2], other}


@pytest.mark.parametrize(
    "called",
    [
        {"title": "Heron manual", "section": "Storage"},
        {"title": "Notes", "section": "Storage", "file": "manuals/heron.md"},
        {"title": "Notes", "section": "Heron"},
    ],
)
async def test_what_stands_under_the_name_of_one_side_of_a_comparison_serves_that_side(called: dict[str, str]) -> None:
    text = "The server keeps each table in a folder of its own and writes changes to a log."
    questions = ("How do Osprey and Heron differ?", "Osprey", "Heron")
    brief = Brief(
        title="Osprey and Heron", language="en", subject="Osprey and Heron", terms=("osprey", "heron", "differ"),
        questions=questions, must_cover=("osprey", "heron"),
    )  # fmt: skip
    weights = {"osprey": 2.0, "heron": 2.0, "differ": 4.0, "": 4.0}
    player = ExtractivePlayer()
    for name, number in (({**called}, 1), ({"title": "Notes on Heron", "section": "Storage"}, 0), ({"section": "Storage"}, 0)):
        found = passage(text, **name)  # type: ignore[arg-type]
        asked = SelectRequest(task=TASK, brief=brief, question="Heron", passages=(found,), limit=8, weights=weights)
        cards = await player.select(asked)
        assert len(cards) == number, name
        if number:
            sources = (Source(id="s1", title="Notes", location="notes.md", media_type="text/markdown", sha256="0" * 64,
                              snapshot="1" * 64, retrieved_at="2026-01-02T03:04:05Z"),)  # fmt: skip
            card = cards[0].model_copy(update={"id": "c1"})
            other = card.model_copy(update={"id": "c2", "quote": "Osprey stores every table in a file.", "question": "Osprey"})
            laid = await player.outline(OutlineRequest(task=TASK, brief=brief, cards=(card, other), sources=sources, words=300))
            assert {section.heading: section.cards for section in laid.sections} == {"Osprey": ("c2",), "Heron": ("c1",)}
            assert laid.thin == ()


async def test_what_only_its_document_names_is_not_quoted_beside_enough_that_names_the_thing() -> None:
    named = [
        "A checkpoint holds the state of the job and not the history of its steps.",
        "Large results belong in tables or files to which the checkpoint points.",
        "A checkpoint outlives the program that wrote it to the folder of the job.",
    ]
    other = "Continuing silently with a state that means something else is worse than stopping."
    brief = Brief(
        title="Checkpoints and leases", language="en", subject="checkpoints and leases", terms=("checkpoint", "leas"),
        questions=("Checkpoints", "Leases"), must_cover=("checkpoints", "leases"),
    )  # fmt: skip
    title = "Checkpoints of work"
    for sentences in (named, named[:2]):
        found = tuple(
            passage(text, f"Part {number}", title, number=number, start=number * 900, end=number * 900 + len(text))
            for number, text in enumerate((*sentences, other), 1)
        )
        asked = SelectRequest(task=TASK, brief=brief, question="Checkpoints", passages=found, limit=8)
        quotes = [card.quote for card in await ExtractivePlayer().select(asked)]
        assert set(quotes) == {*sentences, *([other] if len(sentences) < 3 else [])}
