"""Real files for the tests of reading: PDFs written by hand (so that each page's words are known), Word files, bombs."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

Line = tuple[float, float, float, str]
"""(x, y, font size, text) in points from the lower left corner; text in Latin-1."""
PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


@dataclass(frozen=True)
class Mark:
    """An outline entry: its title and its page from 0."""

    title: str
    page: int


def pdf(
    pages: Sequence[Sequence[Line]], *, title: str = "", author: str = "", outline: Sequence[Mark] = (), password: str = ""
) -> bytes:
    """A PDF with these lines in Helvetica; with a password it is encrypted (RC4, 40 bits) and opens with nothing else."""
    key = _Key(password) if password else None
    body: dict[int, bytes] = {}
    first_page = 10
    kids = " ".join(f"{first_page + 2 * n} 0 R" for n in range(len(pages)))
    body[2] = f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode()
    body[3] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    body[4] = b"<< /Title " + _string(title, 4, key) + b" /Author " + _string(author, 4, key) + b" >>"
    for number, lines in enumerate(pages):
        page = first_page + 2 * number
        body[page] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {page + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        body[page + 1] = stream(b"\n".join(_shown(line) for line in lines), page + 1, key)
    marks = first_page + 2 * len(pages)
    for number, mark in enumerate(outline):
        following = f" /Next {marks + number + 1} 0 R" if number + 1 < len(outline) else ""
        body[marks + number] = (
            f"<< /Parent 5 0 R /Dest [{first_page + 2 * mark.page} 0 R /Fit]{following} /Title ".encode()
            + _string(mark.title, marks + number, key)
            + b" >>"
        )
    if outline:
        body[5] = (
            f"<< /Type /Outlines /First {marks} 0 R /Last {marks + len(outline) - 1} 0 R /Count {len(outline)} >>".encode()
        )
    body[1] = b"<< /Type /Catalog /Pages 2 0 R" + (b" /Outlines 5 0 R" if outline else b"") + b" >>"
    return assemble(body, key)


def assemble(body: dict[int, bytes], key: _Key | None = None) -> bytes:
    """Numbered objects as a file."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: dict[int, int] = {}
    for number in sorted(body):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + body[number] + b"\nendobj\n"
    start = len(out)
    highest = max(body)
    out += f"xref\n0 {highest + 1}\n0000000000 65535 f \n".encode()
    for number in range(1, highest + 1):
        out += f"{places.get(number, 0):010} 00000 {'n' if number in places else 'f'} \n".encode()
    extra = key.trailer() if key else b""
    out += (
        f"trailer\n<< /Size {highest + 1} /Root 1 0 R /Info 4 0 R ".encode()
        + extra
        + f">>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return bytes(out)


def stream(content: bytes, number: int, key: _Key | None = None) -> bytes:
    """A compressed stream object's body."""
    packed = zlib.compress(content)
    packed = key.encrypt(packed, number) if key else packed
    return f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode() + packed + b"\nendstream"


def column(*paragraphs: str, top: float = 760, size: float = 11, x: float = 72) -> list[Line]:
    """Paragraphs set in lines of about eighty letters, an empty line apart."""
    lines: list[Line] = []
    y = top
    for paragraph in paragraphs:
        row = ""
        for word in [*paragraph.split(), ""]:
            if not word or len(row) + len(word) > 80:
                lines.append((x, y, size, row.strip()))
                y -= 1.2 * size
                row = ""
            row += f"{word} "
        y -= 1.2 * size
    return lines


def _shown(line: Line) -> bytes:
    x, y, size, text = line
    escaped = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return f"BT /F1 {size} Tf {x} {y} Td (".encode() + escaped + b") Tj ET"


def _string(text: str, number: int, key: _Key | None) -> bytes:
    raw = b"\xfe\xff" + text.encode("utf-16-be")
    return b"<" + (key.encrypt(raw, number) if key else raw).hex().encode() + b">"


class _Key:
    """The standard security handler, revision 2."""

    def __init__(self, password: str) -> None:
        padded = (password.encode("latin-1") + PADDING)[:32]
        self._id = hashlib.md5(b"made for a test").digest()
        self._owner = rc4(hashlib.md5(padded).digest()[:5], padded)
        self._secret = hashlib.md5(padded + self._owner + (0xFFFFFFFC).to_bytes(4, "little") + self._id).digest()[:5]

    def encrypt(self, data: bytes, number: int) -> bytes:
        salt = number.to_bytes(3, "little") + b"\x00\x00"
        return rc4(hashlib.md5(self._secret + salt).digest()[:10], data)

    def trailer(self) -> bytes:
        user = rc4(self._secret, PADDING)
        entry = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{self._owner.hex()}> /U <{user.hex()}> >> "
        return f"{entry}/ID [<{self._id.hex()}> <{self._id.hex()}>] ".encode()


def rc4(key: bytes, data: bytes) -> bytes:
    """The cipher of old PDFs."""
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def pdf_bomb(unpacked: int) -> bytes:
    """A small PDF whose one page unpacks to so many bytes, compressed twice over."""
    block = b"BT /F1 9 Tf 9 9 Td (bomb) Tj ET\n" * 32_768
    twice = zlib.compress(_repeated(block, unpacked // len(block)), 9)
    page = f"<< /Length {len(twice)} /Filter [/FlateDecode /FlateDecode] >>\nstream\n".encode() + twice + b"\nendstream"
    return assemble(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Count 1 /Kids [10 0 R] >>",
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            4: b"<< >>",
            10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 11 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>",
            11: page,
        }
    )


def _repeated(block: bytes, times: int) -> bytes:
    """The block so many times, at least once, as one zlib stream; it is packed twice, however often it stands there."""
    packer = zlib.compressobj(9)
    # After a full flush the packer remembers nothing, so that the next block comes out as each later one would.
    first, later = (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    check = 1
    for _ in range(times):
        check = zlib.adler32(block, check)
    return first + later * (times - 1) + b"\x03\x00" + check.to_bytes(4)


def zip_bomb(unpacked: int) -> bytes:
    """An archive named like a Word file's with one member of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as member:
            for _ in range(unpacked >> 20):
                member.write(b"\x00" * (1 << 20))
    return out.getvalue()


def word(title: str, author: str, parts: Sequence[tuple[str, str]]) -> bytes:
    """A Word file of (style, text) paragraphs; the style "table" takes rows by newline and cells by tab."""
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.author = author
    for style, text in parts:
        if style == "table":
            rows = [row.split("\t") for row in text.split("\n")]
            table = document.add_table(rows=len(rows), cols=len(rows[0]))
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, words in zip(row.cells, cells, strict=True):
                    cell.text = words
        else:
            document.add_paragraph(text, style=style)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def prose(topic: str, sentences: int) -> str:
    """So many plain sentences about a topic, all different."""
    verbs = ("describes", "explains", "measures", "compares", "limits", "protects", "repeats", "extends")
    nouns = ("garden", "engine", "harbour", "library", "market", "bridge", "orchard", "station", "valley", "window")
    return " ".join(
        f"The {nouns[n % 10]} number {n} {verbs[n % 8]} what the {topic} does near the {nouns[(n * 7 + 3) % 10]} in winter."
        for n in range(sentences)
    )
