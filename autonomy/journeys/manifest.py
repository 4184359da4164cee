"""The manifest of a deliverable: what is claimed, from where, and how each gate measured; and its proof from the files.

Invariants: the manifest is made from the rendered document, so that it says nothing the document does not; the bytes
depend on the material alone (sorted keys, no time but `retrieved_at` and the day of the run); `verify` believes none of it
and re-finds every quote in the stored sources and every claim in the document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autonomy.agents.contract import Composition, File, Snapshot
from autonomy.agents.material import Material, SourceMap
from autonomy.core.clock import is_id
from autonomy.core.errors import CorruptState, InvalidInput, NotFound
from autonomy.core.types import Anchor, Gate, Source
from autonomy.journeys.evidence import flaw, maps_by_source
from autonomy.journeys.render import PlacedClaim, Rendered, render
from autonomy.journeys.word import MEDIA_TYPE, word

DOCUMENT = "deliverable.md"
WORD_DOCUMENT = "deliverable.docx"
MANIFEST = "manifest.json"
MARKDOWN = "text/markdown; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a delivered folder proved: citations claimed and found, their share (1.0 with none), and every problem."""

    claimed: int
    found: int
    share: float
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every citation was found and nothing else is wrong."""
        return self.found == self.claimed and not self.problems


def compose(material: Material, snapshot: Snapshot, gates: Sequence[Gate]) -> Composition:
    """The document in Markdown and for Word, the snapshots of its cited sources with the maps of their pages and headings, and
    the manifest.

    Raises CorruptState when a citation is not proved by its stored source.
    """
    rendered = render(material)
    cited = {work.id for work in rendered.bibliography.works}
    sources = sorted((source for source in material.sources if source.id in cited), key=lambda source: source.id)
    maps = maps_by_source(material.maps)
    texts = {source.id: snapshot(source.id) for source in sources}
    _prove(rendered, texts, maps, {source.id: source.location for source in sources})
    brief = material.brief
    typeset = word(rendered.blocks, title=brief.title, language=brief.language, created_at=material.created_at)
    files = [
        File(DOCUMENT, _encoded(rendered.text), "deliverable", MARKDOWN),
        File(WORD_DOCUMENT, typeset, "deliverable", MEDIA_TYPE),
    ]
    for source in sources:
        name = _snapshot_name(source.id)
        files.append(File(name, _encoded(texts[source.id]), "source", "text/plain; charset=utf-8"))
        files.append(File(_map_name(source.id), _json(_map(maps.get(source.id))), "source-map", "application/json"))
    manifest = {
        "run_id": material.run_id,
        "journey": material.task.journey,
        "goal": material.task.goal,
        "outcome": material.outcome,
        "provider": material.provider,
        "seed": material.seed,
        "language": material.brief.language,
        **({"due_date": material.task.due_date.isoformat()} if material.task.due_date else {}),
        "notes": list(material.notes),
        "files": [_file(file) for file in files],
        "sources": [_source(source) for source in sources],
        "claims": [_claim(placed) for placed in rendered.claims],
        "free_sections": list(rendered.free_sections),
        "gates": [_gate(each) for each in gates],
        **({"similarity": [each.model_dump(mode="json") for each in material.reports]} if material.reports else {}),
    }
    files.append(File(MANIFEST, _json(manifest), "manifest", "application/json"))
    return Composition(tuple(files), manifest)


def verify(folder: Path) -> Checked:
    """Read a delivered folder again and re-find everything it claims.

    Raises NotFound without a manifest, InvalidInput for one that is none.
    """
    manifest = _read_manifest(folder)
    problems = [*_changed_files(folder, manifest)]
    document = _text(folder / DOCUMENT)
    texts: dict[str, str] = {}
    maps: dict[str, SourceMap] = {}
    for source in manifest["sources"]:
        name = str(source["id"])
        if not is_id(name):
            problems.append(f"source {name!r}: not an id")
            continue
        texts[name] = _text(folder / _snapshot_name(name))
        maps[name] = _read_map(name, _text(folder / _map_name(name)))
    claimed = found = 0
    for claim in manifest["claims"]:
        if claim["text"] not in document:
            problems.append(f"{claim['id']}: its text does not stand in the document")
        if claim["section"] not in _headings(document):
            problems.append(f"{claim['id']}: no heading '{claim['section']}'")
        for citation in claim["citations"]:
            claimed += 1
            why = _citation_flaw(citation, texts, maps)
            found += not why
            if why:
                problems.append(f"{claim['id']}: {why}")
    return Checked(claimed, found, round(found / claimed, 4) if claimed else 1.0, tuple(problems))


def _prove(rendered: Rendered, texts: Mapping[str, str], maps: Mapping[str, SourceMap], locations: Mapping[str, str]) -> None:
    for placed in rendered.claims:
        for card in placed.claim.cards:
            why = flaw(card.quote, card.anchor, texts[card.source], maps.get(card.source))
            if why:
                raise CorruptState(
                    f"citation {card.id} of claim {placed.claim.id} is not proved by {locations[card.source]}: {why}",
                    "Start a new run; if this returns, the stored sources are damaged: see 'autonomy doctor'.",
                )


def _snapshot_name(source: str) -> str:
    if not is_id(source):
        raise CorruptState(f"not a source id: {source!r}", "Read the corpus anew.")
    return f"sources/{source}.txt"


def _map_name(source: str) -> str:
    return f"sources/{source}.map.json"


def _map(places: SourceMap | None) -> dict[str, Any]:
    """Where pages and headings begin, as offsets in characters of the snapshot."""
    known = places or SourceMap(source="")
    return {"pages": [list(row) for row in known.pages], "headings": [list(row) for row in known.headings]}


def _file(file: File) -> dict[str, str]:
    return {
        "path": file.name,
        "media_type": file.media_type,
        "sha256": hashlib.sha256(file.data).hexdigest(),
        "role": file.role,
    }


def _source(source: Source) -> dict[str, Any]:
    """A source as the manifest shows it; authors and year only where they are known."""
    shown: dict[str, Any] = {
        "id": source.id,
        "title": source.title,
        "location": source.location,
        "media_type": source.media_type,
        "sha256": source.sha256,
        "snapshot": _snapshot_name(source.id),
        "retrieved_at": source.retrieved_at,
    }
    if source.authors:
        shown["authors"] = list(source.authors)
    if source.year is not None:
        shown["year"] = source.year
    return shown


def _claim(placed: PlacedClaim) -> dict[str, Any]:
    """A claim with its citations; `text` and `section` as they stand in the Markdown, quotes as in the source."""
    return {
        "id": placed.claim.id,
        "text": placed.text,
        "section": placed.section,
        "citations": [
            {"source": card.source, "quote": card.quote, "anchor": _anchor(card.anchor)} for card in placed.claim.cards
        ],
    }


def _anchor(anchor: Anchor) -> dict[str, Any]:
    return anchor.model_dump(mode="json", exclude_none=True)


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "figure": gate.figure,
        "threshold": gate.threshold,
        "pass": gate.passed,
        **({} if gate.decides is None else {"decides": gate.decides}),
        "evidence": list(gate.evidence),
    }


def _json(value: Any) -> bytes:
    """Readable and the same on every machine."""
    return _encoded(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) + "\n")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8")


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise NotFound(f"no {MANIFEST} in {folder}", "Name the folder of a finished run.") from None
    except ValueError as error:
        raise InvalidInput(f"{MANIFEST} cannot be read: {error}", "Export the run again.") from error
    if not isinstance(manifest, dict) or not all(isinstance(manifest.get(key), list) for key in ("files", "sources", "claims")):
        raise InvalidInput(f"{MANIFEST} is not the manifest of a deliverable", "Export the run again.")
    return manifest


def _changed_files(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    problems = []
    for file in manifest["files"]:
        path = folder / str(file["path"])
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{file['path']}: leaves the folder")
        elif not path.is_file():
            problems.append(f"{file['path']}: missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
            problems.append(f"{file['path']}: changed since it was delivered")
    return problems


def _text(path: Path) -> str:
    """The file's text without any translation of line ends; "" for a file that is missing or no longer text."""
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _read_map(source: str, text: str) -> SourceMap:
    try:
        return SourceMap.model_validate({"source": source, **json.loads(text)})
    except (ValueError, TypeError):
        return SourceMap(source=source)


def _citation_flaw(citation: Mapping[str, Any], texts: Mapping[str, str], maps: Mapping[str, SourceMap]) -> str:
    source = str(citation["source"])
    if source not in texts:
        return f"source {source} is not in the manifest"
    try:
        anchor = Anchor.model_validate(citation["anchor"])
    except ValueError:
        return f"the anchor into {source} cannot be read"
    why = flaw(str(citation["quote"]), anchor, texts[source], maps[source])
    return f"{source}: {why}" if why else ""


def _headings(document: str) -> set[str]:
    return {line.lstrip("#").strip() for line in document.split("\n") if line.startswith("#")}
