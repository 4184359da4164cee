"""The few words that references and marks are made with, in the languages the toolkit writes its furniture in."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_SHORT_MONTHS = "Jan. Feb. Mar. Apr. May June July Aug. Sept. Oct. Nov. Dec."


@dataclass(frozen=True, slots=True)
class Wording:
    """Abbreviations and set phrases of one language; `{date}` is filled in. `no_date` is None where styles differ."""

    language: str
    page: str
    pages: str
    section: str
    short_section: str
    joined: str
    no_date: str | None
    retrieved: str
    available: str
    accessed: str
    available_from: str
    cited: str
    under: str

    @property
    def both(self) -> str:
        """What joins the last of several names where the style wants a comma, which only English writes."""
        return f", {self.joined} " if self.language == "en" else f" {self.joined} "

    def day(self, date: datetime.date, style: str) -> str:
        """The date as the style writes it in English; in other languages as the language does."""
        if self.language == "de":
            return f"{date.day}. {_MONTHS['de'].split()[date.month - 1]} {date.year}"
        if self.language == "es":
            return f"{date.day} de {_MONTHS['es'].split()[date.month - 1]} de {date.year}"
        if self.language == "fr":
            return f"{date.day}{'er' if date.day == 1 else ''} {_MONTHS['fr'].split()[date.month - 1]} {date.year}"
        long, short = _MONTHS["en"].split()[date.month - 1], _SHORT_MONTHS.split()[date.month - 1]
        forms = {
            "apa": f"{long} {date.day}, {date.year}",
            "chicago": f"{long} {date.day}, {date.year}",
            "harvard": f"{date.day} {long} {date.year}",
            "mla": f"{date.day} {short} {date.year}",
            "ieee": f"{short} {date.day}, {date.year}",
            "vancouver": f"{date.year} {long[:3]} {date.day}",
        }
        return forms[style]


_ENGLISH = Wording(
    "en", "p.", "pp.", "section", "sec.", "and", None, "Retrieved {date}, from", "Available at:", "Accessed",
    "Available from:", "cited", "under",
)  # fmt: skip
_GERMAN = Wording(
    "de", "S.", "S.", "Abschnitt", "Abschn.", "und", "o. J.", "Abgerufen am {date} von", "Verfügbar unter:", "Zugriff am",
    "Verfügbar unter:", "zitiert am", "unter",
)  # fmt: skip
_SPANISH = Wording(
    "es", "p.", "pp.", "sección", "sec.", "y", "s. f.", "Recuperado el {date} de", "Disponible en:", "Consultado el",
    "Disponible en:", "citado el", "en",
)  # fmt: skip
_FRENCH = Wording(
    "fr", "p.", "p.", "section", "sect.", "et", "s. d.", "Consulté le {date} sur", "Disponible sur :", "Consulté le",
    "Disponible sur :", "cité le", "dans",
)  # fmt: skip
_ALL = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH}


def wording(language: str) -> Wording:
    """The words of a language tag ("de-AT" is German); English for a language that has none of its own."""
    return _ALL.get(language.lower()[:2], _ENGLISH)
