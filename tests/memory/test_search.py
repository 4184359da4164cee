"""Search: the fitting passage first in each language, the same order in every database, no query language, no repeats."""

from __future__ import annotations

from operator import mul
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.errors import NotFound
from autonomy.memory import search as searching
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.ingest import ingest
from autonomy.memory.overview import overview
from autonomy.memory.search import find, search
from autonomy.memory.sources import SqlSources
from autonomy.storage.database import Database
from tests.memory import made

EMBEDDER = HashEmbedder()
TEXTS = {
    "cancel.md": """# Task Cancellation

Tasks can be cancelled easily and safely. When a task is cancelled, an error is raised in the task at the next opportunity.

# Queues

A queue hands work from one task to another in the order it came in.
""",
    "files.md": """# Files

A file is opened for reading unless it is said otherwise. Closing a file frees what it held.
""",
    "kuendigung.md": """# Kündigung

Die Kündigung einer Wohnung bedarf der schriftlichen Form, und die Frist beträgt drei Monate. Eine mündliche Kündigung
ist nicht wirksam.

# Miete

Die Miete wird zu Beginn des Monats fällig, und sie ist dem Vermieter zu überweisen.
""",
    "asyncio.md": """# タスク

タスクは簡単かつ安全にキャンセルできます。タスクがキャンセルされると、次の機会に例外が送出されます。

# ファイル

ファイルは読み込み用に開かれます。閉じると資源が解放されます。
""",
    "noise.txt": made.prose("weather", 60),
}


@pytest.fixture
def corpus(database: Database, tmp_path: Path) -> int:
    """A small corpus in three languages."""
    root = tmp_path / "corpus"
    root.mkdir()
    for name, text in TEXTS.items():
        (root / name).write_text(text, encoding="utf-8")
    return ingest(database, root, embedder=EMBEDDER).corpus_id


def test_what_is_near_by_a_collision_of_hashes_alone_is_not_found(database: Database, tmp_path: Path) -> None:
    text = "A backup is worth what its last restore was worth."
    (tmp_path / "note.md").write_text(text)
    corpus_id = ingest(database, tmp_path, embedder=EMBEDDER).corpus_id
    (passage,) = EMBEDDER.embed([f"\n{text}"])
    words = ["日" + chr(0x4E00 + n) for n in range(3000)]
    near = [word for word, vector in zip(words, EMBEDDER.embed(words), strict=True) if sum(map(mul, vector, passage)) > 0.35]
    assert near, "else nothing is tried"
    for word in near[:3]:
        assert search(database, [corpus_id], word, embedder=EMBEDDER) == []
    assert search(database, [corpus_id], "backups", embedder=EMBEDDER)


def test_the_fitting_passage_comes_first_in_each_language(database: Database, corpus: int) -> None:
    fitting = {
        "cancelling a task": "Task Cancellation",
        "closing files": "Files",
        "Frist für die Kündigung der Wohnung": "Kündigung",
        "wann ist die Miete fällig": "Miete",
        "タスクのキャンセル": "タスク",
        "ファイルを閉じる": "ファイル",
    }
    answers = {query: search(database, [corpus], query, embedder=EMBEDDER) for query in fitting}
    assert {query: passages[0].section for query, passages in answers.items()} == fitting
    for passages in answers.values():
        assert [passage.score for passage in passages] == sorted((passage.score for passage in passages), reverse=True)


def test_a_passage_is_the_snapshot_between_its_offsets(database: Database, corpus: int) -> None:
    sources = SqlSources(database)
    passages = search(database, [corpus], "task file Kündigung タスク weather", embedder=EMBEDDER, limit=20)
    assert len({passage.id for passage in passages}) == len(passages) > 5
    for passage in passages:
        assert sources.snapshot(passage.source)[passage.start : passage.end] == passage.text
        assert sources.anchor(passage.source, passage.start, passage.end).section == passage.section


HOSTILE = (
    *('"', "task AND", "NEAR(task file)", "terms:task", "task*", "^task -file", "a' OR 1=1 -- task", "{task}", "\\ task"),
    *(":word %s %(word)s task", "c++ & | ! task", "task\x00", "task \ud800"),
)


def test_words_of_a_query_are_never_its_syntax(database: Database, corpus: int) -> None:
    for query in HOSTILE:
        passages = search(database, [corpus], query, embedder=EMBEDDER)
        assert "task" not in query or any("task" in passage.text.lower() for passage in passages), query


def test_a_query_without_a_word_finds_nothing(database: Database, corpus: int) -> None:
    for query in ("", "   ", "the of and", "?!"):
        answer = find(database, [corpus], query, embedder=EMBEDDER)
        assert (answer.passages, answer.coverage) == ((), 0.0), query


def test_coverage_tells_what_is_in_the_corpus(database: Database, corpus: int) -> None:
    assert find(database, [corpus], "cancelling tasks safely", embedder=EMBEDDER).coverage > 0.9
    assert find(database, [corpus], "photosynthesis of tropical orchids", embedder=EMBEDDER).coverage < 0.3
    assert 0.3 < find(database, [corpus], "cancelling zebras", embedder=EMBEDDER).coverage < 0.8


def test_the_weight_of_what_stands_nowhere_is_told(database: Database, corpus: int) -> None:
    weights = find(database, [corpus], "tasks and zeppelins", embedder=EMBEDDER).weights
    assert weights["zeppelin"] == weights[""] == max(weights.values())
    assert weights["task"] < weights[""]


def test_what_is_near_by_chance_only_is_not_shown(database: Database, corpus: int) -> None:
    assert search(database, [corpus], "photosynthesis of orchids", embedder=EMBEDDER) == []
    misspelt = search(database, [corpus], "cancelation", embedder=EMBEDDER)
    assert misspelt[0].section == "Task Cancellation"


def test_one_source_does_not_fill_the_answer(database: Database, corpus: int) -> None:
    passages = search(database, [corpus], "what the weather does in winter", embedder=EMBEDDER, limit=10, per_source=2)
    assert [passage.title for passage in passages].count("noise") == 2


def test_a_text_said_twice_is_shown_once(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "twice"
    root.mkdir()
    said = made.prose("pump", 5)
    (root / "a.md").write_text(f"# One\n\n{said}\n")
    (root / "b.md").write_text(f"# Two\n\n{said} It is so.\n")
    corpus_id = ingest(database, root, embedder=EMBEDDER).corpus_id
    assert len(search(database, [corpus_id], "what the pump does", embedder=EMBEDDER)) == 1


def test_a_preferred_language_comes_first_and_others_are_not_left_out(database: Database, corpus: int) -> None:
    both = search(database, [corpus], "task タスク file ファイル", embedder=EMBEDDER, language="ja")
    assert both[0].language == "ja"
    assert "en" in {passage.language for passage in both}


def order(passages: list[Any]) -> list[tuple[str, int, float]]:
    return [(passage.title, passage.start, passage.score) for passage in passages]


ORDERS: list[list[list[tuple[str, int, float]]]] = []
"""The first database's answers, for the second to agree with."""


def test_order_does_not_depend_on_the_database_nor_on_its_other_corpora(
    database: Database, corpus: int, tmp_path: Path
) -> None:
    queries = ("task", "Kündigung Miete", "what the weather does near the garden in winter")
    alone = [order(search(database, [corpus], query, embedder=EMBEDDER)) for query in queries]
    other = tmp_path / "other"
    other.mkdir()
    (other / "many.txt").write_text(" ".join(f"{made.prose(f'task {n}', 3)} Miete." for n in range(20)))
    second = ingest(database, other, embedder=EMBEDDER).corpus_id
    assert [order(search(database, [corpus], query, embedder=EMBEDDER)) for query in queries] == alone
    assert {passage.title for passage in search(database, [second], "task", embedder=EMBEDDER)} == {"many"}
    ORDERS.append(alone)
    assert ORDERS[0] == alone


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL always has its own
def test_without_any_vector_function_the_same_is_found(
    database: Database, corpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = order(search(database, [corpus], "cancelling a task", embedder=EMBEDDER))
    monkeypatch.setattr(searching, "_has_vectors", lambda tx: False)
    assert order(search(database, [corpus], "cancelling a task", embedder=EMBEDDER)) == fast


def test_common_words_alone_are_still_searched(database: Database, corpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_CANDIDATES", 1)
    assert search(database, [corpus], "task", embedder=EMBEDDER)[0].section == "Task Cancellation"


def test_an_overview_counts_and_samples(database: Database, corpus: int) -> None:
    held = overview(database, [corpus], titles=3, headings=4)
    assert held.documents == 5
    assert held.words > 100
    assert set(held.languages) == {"en", "de", "ja"}
    assert len(held.titles) <= 3
    assert len(held.headings) <= 4


def test_quotes_are_found_again_at_their_page(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "pages"
    root.mkdir()
    pages = [made.column(made.prose(f"chapter{n}", 8)) for n in range(1, 6)]
    (root / "book.pdf").write_bytes(made.pdf(pages, title="The Book"))
    corpus_id = ingest(database, root, embedder=EMBEDDER).corpus_id
    sources = SqlSources(database)
    for n in range(1, 6):
        passage = search(database, [corpus_id], f"chapter{n}", embedder=EMBEDDER)[0]
        at = sources.snapshot(passage.source).index(f"what the chapter{n} does")
        assert sources.anchor(passage.source, at, at + 10).page == n
    source = sources.source(passage.source)
    assert (source.title, source.location, source.snapshot) == ("The Book", "book.pdf", f"sources/{source.id}.txt")
    assert sources.many([source.id, source.id]) == [source, source]


def test_an_unknown_source_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        SqlSources(database).source("s000000000000")
    with pytest.raises(NotFound):
        SqlSources(database).snapshot("../../etc/passwd")


def test_the_one_document_on_the_matter_may_say_more_before_what_is_clearly_worse(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "one"
    root.mkdir()
    parts = [f"## Part {n}\n\nThe write-ahead log {made.prose(f'{word} log', 4)}" for n, word in enumerate("abcde")]
    (root / "a.md").write_text("# The write-ahead log\n\n" + "\n\n".join(parts))
    (root / "b.md").write_text(f"# Birds\n\n{made.prose('bird', 6)} A bird can write.\n")
    corpus_id = ingest(database, root, embedder=EMBEDDER).corpus_id
    passages = search(database, [corpus_id], "write-ahead log", embedder=EMBEDDER, limit=5, per_source=2)
    assert [passage.title for passage in passages].count("The write-ahead log") > 2


def test_what_names_the_thing_a_question_is_about_comes_before_what_shares_a_rare_word(
    database: Database, tmp_path: Path
) -> None:
    texts = {
        "calls.md": "# Calls\n\nEvery call is guaranteed to guarantee its guarantee to the caller who wants a guarantee.\n",
        "sums.md": "# Checks\n\nA CRC of the message is sent behind it, so that the one who reads sees errors of the line.\n",
        "words.md": "# Words\n\nA guarantee is a word in a contract that holds what one party owes to the other party.\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    corpus = ingest(database, tmp_path, embedder=EMBEDDER).corpus_id
    found = find(database, [corpus], "What does a CRC guarantee?", embedder=EMBEDDER, language="en").passages
    assert found[0].title == "Checks"
    assert found[0].file == "sums.md"


def test_the_opening_of_a_document_on_the_thing_comes_before_a_later_part(database: Database, tmp_path: Path) -> None:
    later = "# More\n\nEvery trigger of a package runs when the trigger of another package has run its trigger to the end.\n"
    opening = "# Triggers\n\nA trigger lets one package know that something it cares for was changed by some other one.\n\n"
    (tmp_path / "triggers.md").write_text(opening + later, encoding="utf-8")
    corpus = ingest(database, tmp_path, embedder=EMBEDDER).corpus_id
    found = find(database, [corpus], "What is a trigger?", embedder=EMBEDDER, language="en").passages
    assert found[0].section == "Triggers"
