"""A small corpus written for the tests: two manuals and a note in English, a page in German, Spanish, Japanese, Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from autonomy.core.types import Passage, Source

LOCKS = """Locks

A lock is an object that lets one thread enter a section of code at a time. \
Every thread that wants to enter must first acquire the lock.

It is released when the section is left.

Return the current holder of the lock.

Acquiring a lock ............ 12.

See the chapter on threads for more about this.

Timeouts

A thread waits at most 5 seconds for a lock unless another timeout is given. \
When the timeout passes, the call fails with an error that names the lock.

The example below shows a thread that waits for a lock without a timeout.

Limits of locks

Locks do not protect data that several processes share, because each process has its own memory. \
A thread that acquires the same lock twice blocks itself forever.

However, a reentrant lock can be acquired again by the thread that holds it."""

QUEUES = """Queues

A queue is a container that hands items from one thread to another without a lock in the caller's code. \
Queues keep items in the order in which they were added.

Timeouts of queues

A thread waits at most 10 seconds for a lock unless another timeout is given. \
The queue raises an error when no item arrives before the timeout passes.

Queues and locks compared

Queues are slower than locks for single values, but they prevent most deadlocks between threads. \
Programs with many workers should prefer queues to locks."""

NOTE = """Deadlocks

A deadlock is a state in which two threads wait for each other's lock forever. \
Acquiring locks in the same order in every thread prevents a deadlock.

The method __lock__ tells which thread holds the lock at the moment of the deadlock."""

GERMAN = """Sperren

Eine Sperre ist ein Objekt, das immer nur einem Faden den Zutritt zu einem Abschnitt gewährt. \
Jeder Faden muss die Sperre vor dem Zutritt anfordern.

Dies gilt auch für Warteschlangen, die von mehreren Fäden benutzt werden.

Grenzen der Sperren

Sperren schützen keine Daten, die von mehreren Prozessen gemeinsam benutzt werden. Eine Sperre blockiert einen Faden z. \
B. dann für immer, wenn er sie zweimal anfordert."""

SPANISH = """Bloqueos

Un bloqueo es un objeto que deja entrar a un solo hilo en una sección del programa. \
Cada hilo debe pedir el bloqueo antes de entrar en la sección.

Límites de los bloqueos

Los bloqueos no protegen los datos que comparten varios procesos. \
Un hilo que pide dos veces el mismo bloqueo se detiene para siempre."""

JAPANESE = """ロック

ロックとは、一度に一つのスレッドだけが処理に入ることを許すオブジェクトである。\
スレッドは処理に入る前に必ずロックを取得しなければならない。

これは複数のスレッドが使うキューにも当てはまることである。

ロックの制限

ロックは複数のプロセスが共有するデータを保護しない。同じロックを二度取得するスレッドは永久に停止することがある。"""

CHINESE = """锁

锁是一种对象，它一次只允许一个线程进入一段代码。每个线程在进入代码之前都必须先获取锁。

这也适用于由多个线程共同使用的队列和容器。

锁的限制

锁不能保护由多个进程共享的数据，因为每个进程都有自己的内存。线程两次获取同一把锁时会永远阻塞自己。"""


@dataclass(frozen=True)
class Corpus:
    """Sources, their snapshots, and a passage per heading."""

    sources: tuple[Source, ...]
    snapshots: dict[str, str]
    passages: tuple[Passage, ...]

    def of(self, *source_ids: str) -> tuple[Passage, ...]:
        return tuple(passage for passage in self.passages if passage.source in source_ids)


def corpus() -> Corpus:
    """The documents as retrieval hands them out: one passage per section, headings inside and beside."""
    documents = {
        "s1": ("Manual of Locks", "en", LOCKS),
        "s2": ("Manual of Queues", "en", QUEUES),
        "s3": ("A Note on Deadlocks", "en", NOTE),
        "s4": ("Handbuch der Sperren", "de", GERMAN),
        "s5": ("Manual de bloqueos", "es", SPANISH),
        "s6": ("ロックの手引き", "ja", JAPANESE),
        "s7": ("锁手册", "zh", CHINESE),
    }
    sources = tuple(
        Source(id=name, title=title, location=f"{name}.txt", media_type="text/plain", sha256="0" * 64, snapshot=name,
               retrieved_at="2026-01-01T00:00:00Z", language=language)
        for name, (title, language, _) in documents.items()
    )  # fmt: skip
    passages = [
        passage for name, (title, language, text) in documents.items() for passage in _passages(name, title, language, text)
    ]
    return Corpus(sources, {name: text for name, (_, _, text) in documents.items()}, tuple(passages))


def _passages(name: str, title: str, language: str, text: str) -> list[Passage]:
    """Cut at each heading: a block of one line without a full stop."""
    found: list[tuple[int, str]] = []
    at = 0
    for block in text.split("\n\n"):
        if not block.rstrip().endswith((".", "。")):
            found.append((at, block))
        at += len(block) + 2
    ends = [start for start, _ in found[1:]] + [len(text)]
    return [
        Passage(id=f"{name}-{i}", source=name, title=title, text=text[start:end], start=start, end=end, section=heading,
                page=i + 1, language=language, position=start / len(text), score=1.0 / (i + 1))
        for i, ((start, heading), end) in enumerate(zip(found, ends, strict=True))
    ]  # fmt: skip
