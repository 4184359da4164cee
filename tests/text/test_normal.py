"""Quotes found again: white space and typography do not matter, letters, numbers and denials do."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autonomy.text.normal import fold, fold_with_offsets, locate, locate_near

TEXT = (
    "Tasks can be cancelled within 15 seconds.  The “shield” function does not stop at 1.5 MB – it goes on.\n"
    "A com\ufffe\nputer keeps 10⁵ items; at -5 °C it fails.\n\n"
    "非同期処理は\n十三人で行う。不可以使用。Ｃafe\u0301 costs 3,000 units."
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        (
            'The "shield" function does not stop at 1.5 MB - it\ngoes   on.',
            "The “shield” function does not stop at 1.5 MB – it goes on.",
        ),
        ("A computer keeps", "A com\ufffe\nputer keeps"),
        ("非同期処理は十三人で行う。", "非同期処理は\n十三人で行う。"),
        ("Café costs 3,000 units.", "Ｃafe\u0301 costs 3,000 units."),
    ],
)
def test_white_space_and_typography_do_not_hide_a_quote(quote: str, found: str) -> None:
    place = locate(quote, TEXT)
    assert place is not None
    assert TEXT[slice(*place)] == found


@pytest.mark.parametrize(
    "quote",
    [
        "within 5 seconds",
        "5 seconds",
        "5 MB",
        "within 15 second",
        "can be cancel",
        "does stop at",
        "does not not stop",
        "105 items",
        "10 items",
        "5 °C it fails",
        "三人で行う",
        "可以使用",
        "000 units",
        "costs 3",
        "Tasks cannot be cancelled",
        "",
        "   ",
    ],
)
def test_a_changed_number_a_denial_and_half_a_word_are_never_found(quote: str) -> None:
    assert locate(quote, TEXT) is None


VOCABULARY = ("the", "task", "is", "5", "1.5", "not", "cancelled", "—", "“quoted”", "3,000", "loop;", "Ⅳ", "ﬁne", "10⁵", "end.")
WORDS = st.lists(st.sampled_from(VOCABULARY), min_size=3, max_size=30)


@given(WORDS, st.data())
def test_what_was_cut_from_a_text_is_found_whatever_the_white_space(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    gaps = st.sampled_from([" ", "  ", "\n", "\t \n", "\u00a0"])
    quote = words[start] + "".join(data.draw(gaps) + word for word in words[start + 1 : end])
    place = locate(quote, text)
    assert place is not None
    assert fold(text[slice(*place)]) == fold(quote)


@given(WORDS, st.data())
def test_a_quote_with_another_number_or_an_inserted_not_is_not_found(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    at = data.draw(st.integers(0, len(words) - 1))
    changed = "4711" if words[at][0].isdigit() else f"never {words[at]}"
    quote = " ".join([*words[:at], changed, *words[at + 1 :]])
    assume(fold(quote) not in fold(text))
    assert locate(quote, text) is None


@given(st.text(max_size=60))
def test_every_folded_letter_knows_where_it_came_from(text: str) -> None:
    folded = fold_with_offsets(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    for start, end in zip(folded.starts, folded.ends, strict=True):
        assert 0 <= start < end <= len(text)
    assert list(folded.starts) == sorted(folded.starts)


def test_a_quote_from_memory_leads_to_the_sources_own_words() -> None:
    near = locate_near("Tasks may be cancelled in 15 seconds", TEXT, least=0.6)
    assert near is not None
    assert TEXT[near.start : near.end] == "Tasks can be cancelled within 15 seconds"
    assert locate_near("Entirely different words stand here", TEXT) is None
