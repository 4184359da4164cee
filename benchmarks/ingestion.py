"""How the time to read a folder grows with the number of its documents: 10, 100, 1,000 made HTML, Markdown and PDF files.

Each measurement is a process of its own on an empty SQLite database, so that peak memory is that of one ingestion; sizes
take turns within a round. Printed are seconds, documents per second, the cost of a document against that in the smallest
folder (start-up apart), an ingestion that finds nothing changed, and one search.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (10, 100, 1_000)
WORDS = 1_500
"""Words of one document."""


def sentences(chance: random.Random, words: int) -> list[str]:
    """Plain sentences of invented words, the common ones as frequent as in real text."""
    syllables = ["ba", "ce", "di", "fo", "gu", "ha", "li", "mo", "nu", "pe", "ra", "so", "ti", "vu", "wa"]
    lexicon = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(3_000)]
    weights = [1 / (rank + 1) for rank in range(len(lexicon))]
    made: list[str] = []
    left = words
    while left > 0:
        length = chance.randint(8, 24)
        row = chance.choices(lexicon, weights, k=length)
        made.append(" ".join(["The", *row[1:]]) + ".")
        left -= length
    return made


def write_documents(folder: Path, count: int) -> None:
    """So many files, a third of each kind, the same for the same number."""
    for number in range(count):
        chance = random.Random(number)
        parts = sentences(chance, WORDS)
        sections = [(f"Section {n + 1} of {number}", parts[n::6]) for n in range(6)]
        if number % 3 == 0:
            body = "".join(f"<h2>{title}</h2>" + "".join(f"<p>{text}</p>" for text in texts) for title, texts in sections)
            (folder / f"{number:04}.html").write_text(f"<html><body><main><h1>Page {number}</h1>{body}</main></body></html>")
        elif number % 3 == 1:
            body = "\n\n".join(f"## {title}\n\n" + "\n\n".join(texts) for title, texts in sections)
            (folder / f"{number:04}.md").write_text(f"# Text {number}\n\n{body}\n")
        else:
            write_pdf(folder / f"{number:04}.pdf", [" ".join(texts) for _, texts in sections])


def write_pdf(path: Path, pages: list[str]) -> None:
    """One page for each text, in lines of ninety letters."""
    import pypdfium2 as pdfium  # type: ignore[import-untyped]
    from pypdfium2 import raw

    document = pdfium.PdfDocument.new()
    for text in pages:
        page = document.new_page(595, 842)
        for row in range(0, len(text), 90):
            line = raw.FPDFPageObj_NewTextObj(document, b"Helvetica", 10)
            letters = (text[row : row + 90] + "\x00").encode("utf-16-le")
            raw.FPDFText_SetText(line, (ctypes.c_ushort * (len(letters) // 2)).from_buffer_copy(letters))
            raw.FPDFPageObj_Transform(line, 1, 0, 0, 1, 72, 770 - row / 90 * 13)
            raw.FPDFPage_InsertObject(page, line)
        page.gen_content()
    document.save(str(path))
    document.close()


def measure(folder: Path) -> dict[str, Any]:
    """Ingest, ingest again, search: in this process."""
    from autonomy.memory.embedding import HashEmbedder
    from autonomy.memory.ingest import ingest
    from autonomy.memory.search import search
    from autonomy.storage import migrate
    from autonomy.storage.database import Database

    with tempfile.TemporaryDirectory() as home, Database(f"sqlite:///{home}/bench.db") as database:
        migrate.ensure(database)
        embedder = HashEmbedder()
        first = ingest(database, folder, embedder=embedder)
        again = ingest(database, folder, embedder=embedder)
        began = time.perf_counter()
        search(database, [first.corpus_id], "section bace dili mopera", embedder=embedder)
        taken = time.perf_counter() - began
    return {
        "seconds": first.seconds,
        "again": again.seconds,
        "search_ms": round(taken * 1000, 1),
        "chunks": first.chunks,
        "read": first.read,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "reader_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 100 documents, one round")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    sizes = SIZES[:2] if options.quick else SIZES
    best: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as root:
        for size in sizes:
            (Path(root) / str(size)).mkdir()
            write_documents(Path(root) / str(size), size)
        for _ in range(1 if options.quick else 2):
            for size in sizes:
                command = [sys.executable, __file__, "--one", str(Path(root) / str(size))]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                assert found["read"] == size, found
                if size not in best or found["seconds"] < best[size]["seconds"]:
                    best[size] = found
    show(best)


def show(best: dict[int, dict[str, Any]]) -> None:
    """The figures; growth is the time of one more document, between sizes, against that between the smallest two."""
    columns = ("documents", "chunks", "seconds", "ms/doc", "growth", "again s", "search ms", "MB", "reader MB")
    print("".join(f"{column:>11}" for column in columns))
    sizes = sorted(best)
    slope = 0.0
    for before, size in zip([0, *sizes], sizes, strict=False):
        row = best[size]
        more = (row["seconds"] - best[before]["seconds"]) / (size - before) if before else 0.0
        slope = slope or more
        figures = (
            f"{size}",
            f"{row['chunks']}",
            f"{row['seconds']:.2f}",
            f"{1000 * row['seconds'] / size:.1f}",
            f"{more / slope:.2f}" if more else "-",
            f"{row['again']:.2f}",
            f"{row['search_ms']}",
            f"{row['peak_mb']}",
            f"{row['reader_peak_mb']}",
        )
        print("".join(f"{figure:>11}" for figure in figures))


if __name__ == "__main__":
    main()
