"""Which reader a file gets: by what it begins with, then by its name. A wrong extension costs nothing."""

from __future__ import annotations

import codecs
import importlib
import re
from pathlib import PurePosixPath

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits, ReadDocument
from autonomy.text.language import detect, is_cjk
from autonomy.text.stopwords import is_stop_word
from autonomy.text.words import tokens

VERSION = "4"
"""Raised whenever a reader or the chunker answers differently, so that stored documents are read again."""

SUFFIXES: dict[str, str] = {
    ".pdf": "pdf", ".docx": "docx", ".docm": "docx", ".html": "html", ".htm": "html", ".xhtml": "html",
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".txt": "plain", ".text": "plain", ".rst": "plain",
}  # fmt: skip
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
PROSE_BYTES = 4096
"""What is looked at of a file whose name tells no kind, as licences (`GPL-3`, `MPL-2.0`) and READMEs are named."""
_NO_PROSE = re.compile(
    r"(?:gnu)?makefile|(?:brew|build|container|docker|gem|jenkins|just|pip|proc|rake|snake|vagrant)file|scons\w+"
)
"""Names that programs read, however much is remarked in the files."""
_LEAST_WORDS = 12
_FUNCTION_WORDS = 0.2
"""The least share of function words: prose has from .35 on in the languages known, lists and settings hardly any."""
_FOR_PROGRAMS = re.compile(r"\s*(?:#!|//|/\*|<\?|['.]\\\"|\.[A-Z][A-Za-z]\b)")
"""How scripts, sources of programs and of manual pages begin."""
_REMARK = re.compile(r"\s*(?:#|//|;)")
_MOST_REMARKS = 1 / 3
"""The most of a text that stands in remarks, as in settings; a text has a few headings that look like them."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def is_known(name: str) -> bool:
    """Whether the ending of a name says that the file is read."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def is_bare(name: str) -> bool:
    """Whether a name tells no kind of file: it has no ending, or one of digits, and is none that programs read."""
    ending = PurePosixPath(name).suffix[1:]
    return (not ending or ending.isdigit()) and not _NO_PROSE.fullmatch(name.lower())


def is_prose(beginning: bytes) -> bool:
    """Whether the first `PROSE_BYTES` of a file are prose: UTF-8 with the function words of a language."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(beginning)
    except UnicodeDecodeError:
        return False
    if _CONTROL.search(text) or _FOR_PROGRAMS.match(text):
        return False
    if sum(len(line) for line in text.splitlines() if _REMARK.match(line)) > _MOST_REMARKS * len(text):
        return False
    language = detect(text, default="")
    if is_cjk(language):
        return True
    words = [text[start:end].lower() for start, end in tokens(text)]
    common = sum(is_stop_word(word, language) for word in words)
    return bool(language) and len(words) >= _LEAST_WORDS and common >= _FUNCTION_WORDS * len(words)


def reader_for(data: bytes, name: str) -> str:
    """The reader's module name: pdf, docx, html, markdown or plain."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")):
        return "docx"
    named = SUFFIXES.get(PurePosixPath(name).suffix.lower(), "plain")
    if named in ("plain", "markdown") and _HTML.match(data[:4096].removeprefix(b"\xef\xbb\xbf")):
        return "html"
    return named


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """The document in the bytes. Raises InvalidInput with the reason why there is none."""
    if not data.strip():
        raise InvalidInput("is empty", "Remove it.")
    module = importlib.import_module(f"autonomy.memory.readers.{reader_for(data, name)}")
    document: ReadDocument = module.read(data, name, limits)
    if not document.text:
        raise InvalidInput("holds no text", "Remove it, or run text recognition on it.")
    return document
