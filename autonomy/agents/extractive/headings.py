"""Headings as a reader wants them: without numbers, marks of a web page, and furniture such as "Overview"."""

from __future__ import annotations

import re

from autonomy.text.words import terms, tokens

_NUMBERING = re.compile(
    r"^(?:(?:chapter|appendix|part|section|kapitel|anhang|teil|abschnitt|capítulo|apéndice|sección|chapitre|annexe|partie)\s+)?"
    r"(?:\d+(?:[.\-]\d+)*|[A-Z](?:\.\d+)+|[IVX]+(?=[.:)])|第\s*[\d一二三四五六七八九十]+\s*[章节節部])[.:)、]?\s*(?=\S)",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[¶§#\s]+$")
_SITE = re.compile(
    r"\s+(?:[—–|·»]|-|::)\s+.*?(?:documentation|docs|manual|wiki|handbook|home|reference|guide|dokumentation|\d+\.\d+).*$",
    re.IGNORECASE,
)
_FURNITURE_WORDS = (
    "introduction overview summary notes note example examples see also other miscellaneous conclusion conclusions general "
    "preface foreword "
    "contents abstract usage description details background further reading references appendix index faq synopsis name "
    "options bugs author "
    "authors copyright license history acknowledgements acknowledgments credits warning tip einleitung einführung überblick "
    "übersicht "
    "zusammenfassung hinweise beispiel beispiele allgemeines vorwort inhalt fazit anhang introducción resumen ejemplo "
    "ejemplos conclusión "
    "general prefacio índice vista notas aperçu résumé exemple exemples conclusion préface sommaire generalities はじめに 概要 "
    "まとめ 例 目次 "
    "序文 简介 概述 总结 示例 目录 前言 引言 介绍 小结"
)
_FURNITURE = frozenset(_FURNITURE_WORDS.split())
_CODE = re.compile(r"[(){}\[\]=<>\\@]|\w\.\w+\.\w|_\w|\w_|::|^[a-z_]+\.[a-z_]+|https?:|%")


def clean_heading(text: str) -> str:
    """The heading without its number, permalink mark and site name; "14.2.1. Port Forwarding ¶" -> "Port Forwarding"."""
    plain = _MARKS.sub("", _SITE.sub("", " ".join(text.split())))
    bare = _NUMBERING.sub("", plain, count=1)
    return (bare if any(c.isalpha() for c in bare) else plain).strip(" .:;,-–—`*_").replace("`", "")


def telling(text: str, language: str) -> bool:
    """Whether the (clean) heading says what stands under it: not furniture, not code, not a sentence."""
    words = [text[a:b].lower() for a, b in tokens(text)]
    if not words or len(words) > 10 or len(text) > 80 or _CODE.search(text) or text.endswith(("?", "!", "？")):
        return False
    return not all(word in _FURNITURE for word in words) and bool(terms(text, language))


def plain_title(text: str) -> str:
    """A document's title for use inside a sentence: no site name, no number, no marks that Markdown would read."""
    title = clean_heading(text) or text.strip()
    return re.sub(r"[*`\\<>\[\]]|(?<!\w)_|_(?!\w)", "", title).strip() or "?"
