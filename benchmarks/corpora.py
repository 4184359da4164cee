"""Two runs (research and write) over each folder of documents you name; every citation is re-found, twice.

Once in the delivered folder (`journeys.manifest.verify`: stored snapshot, page, section, claim in the document), once in
the original file, read anew by other means: a PDF page by its raw text layer, other formats by all their text. Prints time,
peak memory of the whole process tree, claimed, found, share.

    python benchmarks/corpora.py --corpus /usr/share/doc/python3/html --question "..." --essay "..."
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Figures:
    """What one run came to. Seconds, MiB, counts; shares are 0 to 1."""

    corpus: str
    journey: str
    outcome: str
    seconds: float
    peak_mib: float
    claims: int
    citations: int
    found: int
    share: float
    found_in_original: int
    share_in_original: float


def run(home: Path, corpus: Path, journey: str, goal: str, extra: list[str]) -> tuple[dict[str, Any], float, float]:
    """Work one run in a process of its own; returns its answer, seconds and the tree's peak memory in MiB."""
    command = [sys.executable, "-c", "from cli.main import entry; entry()", "run", "start", goal, "--journey", journey]
    command += ["--corpus", str(corpus), "--json", *extra]
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=os.environ | {"AUTONOMY_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = [0.0]
    watcher = threading.Thread(target=watch, args=(psutil.Process(process.pid), peak), daemon=True)
    watcher.start()
    out, told = process.communicate()
    seconds = time.monotonic() - began
    watcher.join()
    if not json.loads(out).get("deliverables"):
        raise SystemExit(f"the run delivered nothing:\n{told[-2000:]}")
    return json.loads(out), seconds, peak[0]


def watch(process: psutil.Process, peak: list[float]) -> None:
    """Sample the resident memory of the process and its children until it ends."""
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        total = 0
        try:
            for each in (process, *process.children(recursive=True)):
                total += each.memory_info().rss
        except psutil.Error:
            continue
        peak[0] = max(peak[0], total / (1 << 20))
        time.sleep(0.05)


def squeezed(text: str) -> str:
    """Letters and digits only: what two independent readings of one page must share."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


class Originals:
    """The files as they lie in the corpus, read by other means than the toolkit's own readers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pdfs: dict[str, Any] = {}
        self._texts: dict[str, str] = {}

    def holds(self, location: str, page: int | None, quote: str) -> bool:
        """Whether the quote stands in the file; in a PDF on its page (or over the break to the next)."""
        if location.lower().endswith(".pdf") and page is not None:
            return squeezed(quote) in squeezed(self._pages(location, page))
        return squeezed(quote) in self._text(location)

    def _pages(self, location: str, page: int) -> str:
        import pypdfium2  # type: ignore[import-untyped]

        pdf = self._pdfs.setdefault(location, pypdfium2.PdfDocument(self._root / location))
        return "".join(pdf[n].get_textpage().get_text_range() for n in range(page - 1, min(page + 1, len(pdf))))

    def _text(self, location: str) -> str:
        if location not in self._texts:
            raw = (self._root / location).read_text("utf-8", "replace")
            self._texts[location] = squeezed(html.unescape(re.sub(r"<[^>]*>", "", raw)))
        return self._texts[location]


def measure(home: Path, corpus: Path, journey: str, goal: str, extra: list[str]) -> Figures:
    """One run and its two proofs."""
    from autonomy.journeys.manifest import verify

    answer, seconds, peak = run(home, corpus, journey, goal, extra)
    folder = home / "artifacts" / answer["run_id"]
    checked = verify(folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    locations = {source["id"]: source["location"] for source in manifest["sources"]}
    originals = Originals(corpus)
    citations = [citation for claim in manifest["claims"] for citation in claim["citations"]]
    found = 0
    for citation in citations:
        location, page = locations[citation["source"]], citation["anchor"].get("page")
        if originals.holds(location, page, citation["quote"]):
            found += 1
        else:
            print(f"  not in the original: {location} p. {page}: {citation['quote'][:120]}", file=sys.stderr)
    return Figures(
        corpus=str(corpus),
        journey=journey,
        outcome=str(answer["outcome"]),
        seconds=round(seconds, 1),
        peak_mib=round(peak, 0),
        claims=len(manifest["claims"]),
        citations=checked.claimed,
        found=checked.found,
        share=checked.share,
        found_in_original=found,
        share_in_original=round(found / len(citations), 4) if citations else 0.0,
    )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--question", default="How is it installed, configured and used?")
    parser.add_argument("--essay", default="Write an overview of how it works, how it is used and where its limits are")
    parser.add_argument("--json", type=Path)
    parser.add_argument("rest", nargs="*", help="more options for 'autonomy run start', after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        goals = (("research", options.question), ("write", options.essay))
        rows = [measure(home, options.corpus.resolve(), journey, goal, options.rest) for journey, goal in goals]
    for row in rows:
        print(" · ".join(f"{name} {value}" for name, value in asdict(row).items()))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2), "utf-8")


if __name__ == "__main__":
    main()
