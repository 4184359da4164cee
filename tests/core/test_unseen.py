"""What no reader sees is shown, and spelling stays as it is."""

from __future__ import annotations

import unicodedata

import pytest

from autonomy.core.unseen import named, show

SPELLING = "\u200c\u200d"


def test_no_control_and_no_format_character_passes_but_the_joiners_of_a_word() -> None:
    passed = {
        char
        for char in map(chr, range(0x110000))
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and show(f"é{char}é", named) == f"é{char}é"
    }
    # Drawn signs of category Cf, such as the Arabic end of verse, and what stacks hieroglyphs.
    scripts = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN")
    drawn = {char for char in passed if unicodedata.name(char).startswith(scripts)}
    assert passed - drawn == set(SPELLING)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202egnp.exe", "[U+202E]gnp.exe"),
        ("a\u2066b\u2069", "a[U+2066]b[U+2069]"),
        ("\u200e\u200f\u061c", "[U+200E][U+200F][U+061C]"),
        ("pass\u200dword", "pass[U+200D]word"),
        ("\u200cword", "[U+200C]word"),
        ("é\u200d\u200d\u200c", "é\u200d[U+200D][U+200C]"),
        ("a\ufe0f", "a[U+FE0F]"),
        ("é\ufe00\U000e0100", "é\ufe00[U+E0100]"),
        ("\U000e0041\x07\n", "[U+E0041][U+0007]\n"),
        ("\ud800", "[U+D800]"),
    ],
)
def test_what_is_not_seen_is_named_by_its_code_point(text: str, shown: str) -> None:
    assert show(text, named, keep="\n") == shown
    assert show(shown, named, keep="\n") == shown


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "שלום",
        "क्\u200dष",
        "👩\u200d💻",
        "❤\ufe0f\u200d🔥",
        "1\ufe0f\u20e3",
        "葛\U000e0100",
        "日本語",
        "e\u0301",
        "plain 'text'",
    ],
)
def test_spelling_of_every_script_stays(text: str) -> None:
    assert show(text, named) == text
