"""Search terms: the same for index and query, in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.text.language import detect
from autonomy.text.stem import porter
from autonomy.text.words import terms, tokens


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("cats", "cat"),
        ("agreed", "agre"),
        ("plastered", "plaster"),
        ("motoring", "motor"),
        ("hopping", "hop"),
        ("filing", "file"),
        ("conflated", "conflat"),
        ("happy", "happi"),
        ("relational", "relat"),
        ("rational", "ration"),
        ("digitizer", "digit"),
        ("operator", "oper"),
        ("hopefulness", "hope"),
        ("electrical", "electr"),
        ("adjustment", "adjust"),
        ("adoption", "adopt"),
        ("probate", "probat"),
        ("controlling", "control"),
        ("sky", "sky"),
        ("by", "by"),
    ],
)
def test_english_words_lose_their_endings_by_porters_rule(word: str, stem: str) -> None:
    assert porter(word) == stem


def test_forms_of_a_word_meet_in_one_term() -> None:
    assert terms("Cancelling a task", "en") == terms("the tasks' cancellation", "en")[::-1]
    assert terms("die Übertragungen", "de") == terms("Übertragung", "de")
    assert terms("l’utilisation", "fr") == terms("utilisations", "fr")
    assert terms("gestión", "es") == terms("GESTION", "es")


def test_names_of_languages_and_numbers_are_terms() -> None:
    assert terms("C++ and C# in PEP 8", "en") == ["c++", "c#", "pep", "8"]


def test_a_japanese_query_shares_pairs_of_letters_with_its_text() -> None:
    text = set(terms("非同期処理のタスクをキャンセルする。", "ja"))
    assert set(terms("キャンセル", "ja")) <= text
    assert set(terms("処理", "ja")) <= text
    assert set(terms("犬", "ja")) <= set(terms("犬が走る", "ja"))


def test_latin_words_inside_chinese_are_kept_whole() -> None:
    assert "asyncio" in terms("使用asyncio模块", "zh")
    assert terms("ｆｕｌｌ", "en") == terms("full", "en")


@given(st.text(max_size=80), st.sampled_from(["en", "de", "es", "fr", "ja", "zh", "xx"]))
def test_terms_do_not_change_with_white_space_around_words(text: str, language: str) -> None:
    spread = " ".join(text[start:end] for start, end in tokens(text))
    assert terms(spread, language) == terms(text, language)
    assert all(terms(text, language))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The task is cancelled when the loop ends.", "en"),
        ("Die Aufgabe wird beendet, wenn die Schleife nicht mehr läuft.", "de"),
        ("La tarea se cancela cuando el bucle termina.", "es"),
        ("La tâche est annulée lorsque la boucle se termine.", "fr"),
        ("ループが終わるとタスクは取り消される。", "ja"),
        ("循环结束时任务会被取消。", "zh"),
        ("Задача отменяется, когда цикл завершается.", "ru"),
    ],
)
def test_a_sentence_tells_its_language(text: str, language: str) -> None:
    assert detect(text) == language


def test_a_text_without_function_words_has_the_expected_language() -> None:
    assert detect("asyncio 3.11", default="de") == "de"
    assert detect("", default="ja") == "ja"


def test_a_program_that_is_called_like_a_verb_can_be_searched() -> None:
    assert "make" in terms("When should I use ninja instead of make?", "en")
