"""Bytes of a text file as text: a mark at its start, what it declares, UTF-8, then what most old files are in."""

from __future__ import annotations

import codecs
import re

from autonomy.core.errors import InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A declared name is taken only when it names a character set; Python's codecs know other things too.
_CHARSET = re.compile(
    r"(?:utf-?8|utf-?16(?:[lb]e)?|iso-?8859-\d+|latin-?1|windows-\d+|cp\d+|koi8-[ru]|shift_?jis|sjis|"
    r"euc-?(?:jp|kr|cn)|gb2312|gbk|gb18030|big5|iso-2022-(?:jp|kr)|us-ascii|ascii|macintosh)",
    re.IGNORECASE,
)
_SAMPLE = 65_536


def decode(data: bytes, declared: str = "") -> str:
    """The text. Raises InvalidInput for bytes that are no text at all."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, errors="replace")
    if looks_binary(data):
        raise InvalidInput("is not text: it holds binary data", "Remove it, or give it the right name.")
    if declared and _CHARSET.fullmatch(declared.strip()):
        try:
            return data.decode(declared.strip())
        except (UnicodeDecodeError, LookupError):
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data)


def looks_binary(data: bytes) -> bool:
    """Whether the bytes cannot be a text in any encoding without zero bytes. A stray zero among words is only dropped."""
    sample = data[:_SAMPLE]
    odd = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 or byte == 127 for byte in sample)
    return odd * 20 > len(sample) or sample.count(0) * 100 > len(sample) + 400


def _legacy(data: bytes) -> str:
    """A file whose UTF-8 is broken in a few places stays UTF-8; anything else is read as Windows' Latin-1."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    beyond = sum(char > "\x7f" for char in text[:_SAMPLE])
    if len(data) > 200 and broken * 20 < beyond:
        return text
    return data.decode("cp1252", errors="replace")
