"""The player's own words, by language."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording
from autonomy.agents.extractive.wording_de import GERMAN
from autonomy.agents.extractive.wording_en import ENGLISH
from autonomy.agents.extractive.wording_es import SPANISH
from autonomy.agents.extractive.wording_fr import FRENCH
from autonomy.agents.extractive.wording_ja import JAPANESE
from autonomy.agents.extractive.wording_zh import CHINESE

_ALL = {"de": GERMAN, "en": ENGLISH, "es": SPANISH, "fr": FRENCH, "ja": JAPANESE, "zh": CHINESE}


def wording(language: str) -> Wording:
    """The words of a language tag ("de-AT" is German); English for a language that has none of its own."""
    return _ALL.get(language.lower()[:2], ENGLISH)
