"""Which reader a file gets: by what it begins with, then by its name. A wrong extension costs nothing."""

from __future__ import annotations

import importlib
import re
from pathlib import PurePosixPath

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits, ReadDocument

VERSION = "4"
"""Raised whenever a reader or the chunker answers differently, so that stored documents are read again."""

SUFFIXES: dict[str, str] = {
    ".pdf": "pdf", ".docx": "docx", ".docm": "docx", ".html": "html", ".htm": "html", ".xhtml": "html",
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".txt": "plain", ".text": "plain", ".rst": "plain",
}  # fmt: skip
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


def is_known(name: str) -> bool:
    """Whether files of this name are read at all."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


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
