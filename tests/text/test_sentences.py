"""Sentences by offset: what ends one, what does not, and that nothing is lost between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.text.sentences import split


def pieces(text: str, language: str = "") -> list[str]:
    return [text[start:end] for start, end in split(text, language)]


ENGLISH = [
    "Use a lock, e.g. a mutex, around the counter.",
    "See Fig. 3 and J. R. Miller et al. 2003 for the proof.",
    '"Nothing was lost."',
    "Did it work?",
    "Yes!",
    "The page http://a.example/b.html lists version 3.11.2 at 1.5 MB etc.",
    "The rest follows.",
    "asyncio.run() starts the loop.",
    "Take vitamin C.",
    "The next dose waits (see p. 3).",
    "He left at 5 p.m.",
    "We stayed.",
    "(A remark of its own.)",
]
GERMAN = [
    "Das gilt z. B. für Pakete, d. h. für alle.",
    "Am 3. Oktober 1990 kam Dr. Müller an.",
    "Friedrich II. von Preußen ging bzw. ritt.",
    "Die Nr. 5 lebt usw.",
    "Der Rest folgt.",
    "„Ganz recht.“",
    "Er ging.",
]
SPANISH = [
    "El Sr. García vive en EE. UU. desde 1990.",
    "¿Qué es esto?",
    "¡Nada!",
    "La pág. 3, p. ej. arriba, lo dice.",
]


@pytest.mark.parametrize(("language", "sentences"), [("en", ENGLISH), ("de", GERMAN), ("es", SPANISH)])
def test_sentences_joined_by_spaces_come_apart_again(language: str, sentences: list[str]) -> None:
    assert pieces(" ".join(sentences), language) == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "ja",
            [
                "「行く。」と彼は言った。",
                "次の文（注。）です。",
                "Python 3.11 は新しい。",
                "本当？",
                "「終わった。」",
                "次です。",
            ],
        ),
        ("zh", ["这是第一句。", "他说：“你好。”", "版本 3.11 已发布！", "真的吗？", "（内容。）是的。"]),
    ],
)
def test_japanese_and_chinese_end_at_their_own_marks_outside_brackets(language: str, sentences: list[str]) -> None:
    assert pieces("".join(sentences), language) == sentences


def test_an_empty_line_and_a_list_item_end_what_stands_before_them() -> None:
    text = "A heading\n\nThe first sentence. The\nsecond one.\n- an item\n- another"
    assert pieces(text, "en") == ["A heading", "The first sentence.", "The\nsecond one.", "- an item", "- another"]


def test_the_number_of_a_list_item_is_no_sentence() -> None:
    assert pieces("1. Open the file. 2. Close it.", "en") == ["1. Open the file.", "2. Close it."]


TEXTS = st.text(alphabet=st.sampled_from("ab C.!?。「」（）()\"'“” \n\t1٣é-:,…"), max_size=80) | st.text(max_size=60)


@given(TEXTS, st.sampled_from(["", "en", "de", "es", "fr", "ja", "zh", "xx"]))
def test_spans_are_disjoint_in_order_and_hold_every_character_but_white_space(text: str, language: str) -> None:
    spans = split(text, language)
    last = 0
    for start, end in spans:
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        last = end
    assert not text[last:].strip()
