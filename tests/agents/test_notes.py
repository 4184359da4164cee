"""What the loop owes the reader, in words that a reader of the document knows, in each language that has notes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autonomy.agents.notes import notes
from autonomy.core.types import Gate

DOCS = Path(__file__).parents[2] / "docs" / "gates.md"
GATES = tuple(re.findall(r"^\| `(\w+)`", DOCS.read_text("utf-8"), re.MULTILINE))
LANGUAGES = ("en", "de", "es", "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_gate_is_told_in_words_of_its_own_and_none_by_its_name(language: str) -> None:
    told = notes(language).gates
    assert set(told) == set(GATES)
    assert len(set(told.values())) == len(GATES)
    known = {name.replace("_", " ") for name in GATES if "_" in name} | {"structure", "overlap", "relevance"}
    assert not known & set(told.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_all_that_the_others_have(language: str) -> None:
    mine, french = notes(language), notes("fr")
    assert (language == "en") == (mine is notes("nl"))
    for name in ("gates", "languages", "work"):
        assert set(getattr(mine, name)) == set(getattr(french, name)), name
    if language != "en":  # English takes these from the step, the part and the message themselves.
        for name in ("steps", "parts", "limits"):
            assert set(getattr(mine, name)) == set(getattr(french, name)), name


@pytest.mark.parametrize(
    ("name", "figure", "threshold", "told"),
    [
        ("structure", 1, 0, ("1 (wanted none)", "1 (gewünscht keine)", "1 (se pedía: nada)", "1 (voulu : zéro)")),
        ("source_spread", 1, 2,
         ("1 (wanted at least 2)", "1 (gewünscht mindestens 2)", "1 (se pedía: al menos 2)", "1 (voulu : au moins 2)")),
        ("source_share", 0.7143, 0.5,
         ("72% (wanted at most 50%)", "72 % (gewünscht höchstens 50 %)", "72 % (se pedía: como máximo 50 %)",
          "72 % (voulu : au plus 50 %)")),
        ("length", 12, [90, 110],
         ("12 (wanted 90 to 110)", "12 (gewünscht 90 bis 110)", "12 (se pedía: de 90 a 110)", "12 (voulu : de 90 à 110)")),
        ("quote_found", 0.9999, 1.0,
         ("99% (wanted all)", "99 % (gewünscht alle)", "99 % (se pedía: todo)", "99 % (voulu : la totalité)")),
        ("readability", 100.2, [0.0, 100.0],
         ("101 (wanted 0 to 100)", "101 (gewünscht 0 bis 100)", "101 (se pedía: de 0 a 100)", "101 (voulu : de 0 à 100)")),
    ],
)  # fmt: skip
def test_a_missed_gate_is_a_figure_and_what_was_wanted(
    name: str, figure: float, threshold: float | list[float], told: tuple[str, ...]
) -> None:
    gate = Gate(name=name, figure=figure, threshold=threshold, passed=False)
    for language, reached in zip(LANGUAGES, told, strict=True):
        say = notes(language)
        colon = " :" if language == "fr" else ":"
        assert say.shortfall([gate]) == say.not_reached.format(listed=f"{say.gates[name]}{colon} {reached}")


def test_a_french_goal_has_french_notes() -> None:
    say = notes("fr-CA")
    assert say.left_out(["a.pdf"]) == "Documents qui n'ont pas pu être lus et ont été laissés de côté (1) : a.pdf."
    assert say.ended("seconds", "60 s are used up") == "Le travail s'est arrêté avant la fin : le temps est épuisé."
    assert say.undecided(2, "timeout") == "Affirmations qui n'ont pas pu être jugées d'après leurs citations : 2."
    assert say.holds_little(1, 1, 6, 3, ("fr", ("en",))) == (
        "La recherche a trouvé peu de choses à ce sujet dans le corpus. Citations trouvées : 1 (trop peu, voulu 6) ; sources : "
        "1 (trop peu, voulu 3). La demande est en français, les documents sont en anglais."
    )
