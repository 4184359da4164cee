"""Relevance: one common word, or a word in another sense, carries no quotation; one word asked for carries it alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autonomy.text.relevance import ENOUGH, about, relevance, sides, subject
from autonomy.text.words import terms

GOAL = "How shared file handles are locked"
WEIGHTS = {"share": 1.6, "file": 1.1, "handl": 2.4, "lock": 2.8}


@pytest.mark.parametrize(
    "passage",
    [
        "Every exception that a handler raises is handled by the loop.",
        "The maintainers work towards a shared vision of the system.",
        "A write-ahead log is a file that records every change.",
        "The shared file holds the list of members.",
    ],
)
def test_a_word_in_another_sense_does_not_carry_a_quotation(passage: str) -> None:
    aims = relevance((GOAL,), terms(GOAL, "en"), "en", WEIGHTS)
    assert aims.of(passage) < ENOUGH


def test_what_holds_half_of_the_weight_asked_for_is_relevant() -> None:
    aims = relevance((GOAL,), terms(GOAL, "en"), "en", WEIGHTS)
    assert aims.of("Two programs can lock the same handle of a shared file.") == 1.0
    assert aims.of("A process can lock any open file before it writes.") < ENOUGH
    assert aims.of("A process can lock any open file before it writes.", ("Shared locks",)) >= ENOUGH


def test_a_question_of_one_word_is_answered_by_that_word() -> None:
    aims = relevance(("What are leases?",), ("leas",), "en", {"leas": 1.9})
    assert aims.of("A lease expires unless it is renewed.") == 1.0
    assert aims.of("A lock is held until it is given back.") == 0.0


def test_the_title_of_a_whole_document_counts_half_and_never_alone() -> None:
    aims = relevance(("Timeouts of leases",), terms("Timeouts of leases", "en"), "en", {"timeout": 1.0, "leas": 1.0})
    assert aims.of("A timeout ends the wait.", (), "Leases") == 0.75
    assert aims.of("The worker goes on.", (), "Leases and their timeouts") == 0.0


@pytest.mark.parametrize(("common", "apt"), [(0.2, True), (0.9, False)])
def test_what_the_whole_corpus_speaks_of_need_not_be_named_beside_its_owner(common: float, apt: bool) -> None:
    question = "Who owns the files of www-data?"
    weights = {"file": common, "www": 1.0, "data": 0.8, "own": 0.3}
    aims = relevance((question,), terms(question, "en"), "en", weights)
    assert (aims.of("Pages written out by web servers will be owned by www-data.") >= ENOUGH) is apt
    assert aims.of("Every file has one owner in the system.") < ENOUGH


def test_a_term_that_is_nowhere_in_the_corpus_weighs_most() -> None:
    aims = relevance(("zebra files",), ("zebra", "file"), "en", {"file": 1.0, "other": 3.0})
    assert aims.of("A file holds text.") == 0.25


def test_words_of_a_question_that_the_goal_does_not_know_ask_for_nothing() -> None:
    aims = relevance(("What are the limits of leases?",), ("leas",), "en", {"leas": 1.0, "limit": 2.0})
    assert aims.of("A lease expires.") == 1.0
    assert aims.of("The limits of a queue are known.") == 0.0


def test_another_name_for_a_thing_is_an_aim_and_fewer_words_are_none() -> None:
    asked = ("cancel tasks in time",)
    known = terms(asked[0], "en")
    weights = {"cancel": 2.0, "task": 1.0, "time": 1.0, "abort": 2.0}
    plain = relevance(asked, known, "en", weights)
    renamed = relevance(asked, known, "en", weights, ("abort tasks in time", "time"))
    assert plain.of("A task can be aborted.") < ENOUGH
    assert renamed.of("A task can be aborted.") >= ENOUGH
    assert renamed.of("The time has come.") < ENOUGH


def test_where_nothing_is_asked_everything_is_relevant() -> None:
    assert relevance((), (), "en", {}).of("Anything at all.") == 1.0


SMALL = {"leas": 1.7, "keep": 3.0, "queue": 1.9, "safe": 3.0, "user": 1.9, "block": 4.6, "share": 1.6, "librari": 3.5}


def small(question: str) -> Callable[..., float]:
    """What a passage of a small corpus, all of it about its topic, holds of the question."""
    return relevance((question,), terms(question, "en"), "en", SMALL).of


def test_words_that_questions_of_any_subject_are_put_with_ask_for_nothing() -> None:
    of = small("How do leases keep a queue safe")
    assert of("A lease expires unless it is renewed.", ("How a lease works",)) >= ENOUGH
    assert of("Keep the key in a safe place.", ("Keeping safe",)) == 0.0
    assert subject("How do leases keep a queue safe?", "en") == ("leas", "queue")
    assert subject("how to keep safe", "en") == ("keep", "safe")
    assert subject("long-running work", "en") == ("long", "run")


def test_what_names_a_thing_under_a_heading_or_title_that_names_it_is_about_it() -> None:
    of = small("How do you prevent one user from blocking all the others?")
    passage = "Every other user waits for all of them."
    assert of(passage) < ENOUGH
    assert of(passage, ("Turns",), "Fairness between users") >= ENOUGH
    assert of(passage, ("Fairness between users",)) >= ENOUGH
    assert of("Every other one waits.", ("Turns",), "Fairness between users") == 0.0
    assert of("Every other one waits.", ("Fairness between users",)) < ENOUGH


def test_a_thing_that_weighs_little_of_the_question_is_not_what_it_asks_for() -> None:
    of = small("blocking libraries of a queue")
    assert of("A queue hands out jobs.", ("Queues",)) < ENOUGH


def test_one_word_of_a_longer_name_is_not_the_thing() -> None:
    of = small("Shared libraries")
    assert of("A library tries three times.") < ENOUGH
    assert of("A library tries three times.", ("Libraries",), "Libraries") < ENOUGH
    assert of("A library is shared by programs.") == 1.0


def test_what_is_done_to_a_thing_is_not_the_thing() -> None:
    weights = {"share": 1.6, "file": 1.6, "handl": 1.6, "lock": 2.0}
    asked = "How shared file handles are locked"
    for question, apt in ((asked, False), ("Shared file handles and locks", True)):
        aims = relevance((question,), terms(question, "en"), "en", weights)
        assert (aims.of("A lock lets one thread in.", ("Lock objects",)) >= ENOUGH) is apt


RARE = 4.6
CORPUS = {"": RARE, "retri": 1.7, "key": 2.4, "share": 1.6, "leas": 1.7, "wait": 1.9, "peopl": 3.0, "person": 2.5, "log": 2.0}
"""Weights of a small corpus; whatever else is asked stands nowhere in it."""


def known(question: str) -> Callable[..., float]:
    """What a passage of that corpus holds of the question."""
    weights = {**dict.fromkeys(terms(question, "en"), RARE), **CORPUS}
    return relevance((question,), terms(question, "en"), "en", weights).of


@pytest.mark.parametrize("question", ["How do banks use retries?", "How can a bank avoid retry storms?", "retry policies"])
def test_one_who_stands_nowhere_and_a_form_of_the_thing_ask_for_nothing(question: str) -> None:
    assert known(question)("A retry waits.") == 1.0


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("shared vision", "The shared file is read."),
        ("Leases in Roman law", "A lease expires."),
        ("retry of vaccines", "A retry waits."),
    ],
)
def test_what_stands_nowhere_and_is_part_or_place_of_a_thing_is_missed(question: str, passage: str) -> None:
    assert known(question)(passage, (passage,)) < ENOUGH


def test_a_human_is_a_person_where_nobody_is_called_human() -> None:
    of = known("When should work wait for a human?")
    assert of("A job waits for a person.") >= ENOUGH
    assert of("Others wait.", ("Jobs that wait for people",)) >= ENOUGH
    assert of("A client waits.") < ENOUGH


def test_the_first_thing_asked_for_has_to_be_named() -> None:
    weights = {"": 9.0, "log": 2.0, "web": 4.0, "applic": 3.0, "pickl": 4.0, "secur": 5.0}
    asked = ("Best practices for logging in web applications", "Risks of pickle for security")
    logs, risks = (relevance((each,), terms(each, "en"), "en", weights) for each in asked)
    assert logs.of("A web application starts.", ("Web applications",)) < ENOUGH
    assert logs.of("A web application starts.", ("Logging",)) >= ENOUGH
    assert risks.of("The host matters for security.", ("Security",)) < ENOUGH
    assert risks.of("The host matters for security.", (), "pickle") >= ENOUGH


def test_a_question_that_leaves_out_what_stands_nowhere_is_none() -> None:
    weights = {"": RARE, "test": 2.0, "crash": 2.0, "vaccin": RARE}
    aims = relevance(("Testing vaccines", "Testing for Crashes"), ("test", "vaccin"), "en", weights)
    assert aims.of("A test kills the process.", ("Testing for Crashes",)) < ENOUGH


def test_the_last_word_of_a_name_under_a_heading_that_has_it_whole_is_the_thing() -> None:
    of = relevance(("Circuit breakers in clouds",), ("circuit", "breaker", "cloud"), "en", {"": 4.6, "breaker": 3.0}).of
    assert of("The breaker opens.", ("Circuit breakers",)) >= ENOUGH
    assert of("The circuit closes.", ("Circuits",)) < ENOUGH


WIDE = {"": 8.0, "crc": 2.3, "guarante": 3.8, "pip": 1.6, "packag": 1.2, "privat": 4.2, "index": 3.1, "password": 2.5}
WIDE |= {"memori": 2.0, "zip": 2.0, "file": 1.2, "make": 2.4, "ninja": 3.0, "backtrack": 4.7, "client": 1.0, "server": 1.2}


def wide(question: str) -> Callable[..., float]:
    """What a passage of a corpus of many matters holds of the question."""
    return relevance((question,), terms(question, "en"), "en", WIDE).of


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("What does a CRC guarantee?", (("crc",),)),
        ("How do leases and fencing tokens stop a worker?", (("leas",), ("fenc", "token"))),
        ("why leases fail early", (("leas",),)),
        ("How do I install pip packages from a private index?", (("pip", "packag"),)),
        ("When should I use ninja instead of make?", (("ninja",),)),
        ("Where is it?", ()),
    ],
)
def test_a_question_is_about_who_acts_in_it_or_what_is_done(question: str, things: tuple[tuple[str, ...], ...]) -> None:
    assert about(question, "en") == things


def test_a_rare_verb_is_not_what_a_question_is_about() -> None:
    of = wide("What does a CRC guarantee?")
    assert of("The call is guaranteed to take all of its input.", ("Guarantees",)) < ENOUGH
    assert of("A CRC guarantees that a single error is seen.") >= ENOUGH


def test_what_the_thing_is_answers_what_it_does_and_any_other_word_of_it_does_not() -> None:
    of = wide("What does a CRC guarantee?")
    assert of("A CRC is a number that tells whether a message was changed.") >= ENOUGH
    assert of("The tables of a CRC are aligned in memory.", ("CRC tables",)) < ENOUGH


@pytest.mark.parametrize("place", [{"headings": ("A CRC",)}, {"title": "CRC"}])
def test_the_thing_may_be_named_above_the_passage(place: dict[str, Any]) -> None:
    of = wide("What does a CRC guarantee?")
    assert of("Every single error is guaranteed to be seen.") < ENOUGH
    assert of("Every single error is guaranteed to be seen.", **place) >= ENOUGH


def test_one_thing_beside_what_is_asked_about_is_enough() -> None:
    of = wide("How do I install pip packages from a private index with a password?")
    assert of("Then pip takes the password from the address.") >= ENOUGH
    assert of("Then npm takes the password from the address.") < ENOUGH
    assert of("Then pip takes what it needs from the address.") < ENOUGH


def test_what_is_asked_beside_the_thing_may_stand_around_the_sentence_that_names_it() -> None:
    of = wide("How do I install pip packages from a private index with a password?")
    around = "It takes a name and a password."
    assert of("A server that pip reads may want a name.", within=around) >= ENOUGH
    assert of("A server that npm reads may want a name.", within=around) < ENOUGH


def test_what_is_to_be_measured_has_to_be_named() -> None:
    of = wide("How much memory does zip need for a file?")
    assert of("For a file zip takes 30 bytes of memory.") >= ENOUGH
    assert of("For a file zip takes 30 seconds.") < ENOUGH


def test_a_question_for_a_ground_is_answered_by_one() -> None:
    of = wide("Why do servers hold CRC?")
    assert of("Servers hold a CRC because disks fail.") >= ENOUGH
    alone = wide("Why are servers slow?")
    assert alone("Servers wait since disks are slow.") >= ENOUGH
    assert alone("Servers have names.") < ENOUGH


def test_a_document_that_is_named_after_what_is_done_is_about_whoever_does_it() -> None:
    of = wide("When does a client backtrack?")
    assert of("One backtracks when a choice was wrong.", (), "Backtracking") >= ENOUGH
    assert of("One backtracks when a choice was wrong.", ("Backtracking",), "Choices") < ENOUGH


def test_what_is_held_against_something_is_a_name_whatever_word_it_is() -> None:
    of = wide("When should I use ninja instead of make?")
    assert of("If you know make, ninja is fast to learn.") == 1.0
    assert sides("When should I use ninja instead of make?", "en") == (("ninja",), ("make",))
    assert sides("How do leases and locks differ?", "en") == (("leas",), ("lock",))
    assert sides("Was ist der Unterschied zwischen Sperren und Fristen?", "de") == (("sperre",), ("friste",))
    assert sides("How do leases work?", "en") == ()


def test_another_name_for_an_everyday_word_is_no_other_name_for_a_thing() -> None:
    asked = "How do I install pip packages from a private index with a password?"
    weights = {**WIDE, "setup": 3.5, "instal": 1.3}
    aims = relevance((asked,), terms(asked, "en"), "en", weights, ("setup pip packages private index password",))
    assert aims.of("Setup of packages for a private index.") < ENOUGH
