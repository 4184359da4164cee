"""The manifest holds what the contract names, is the same bytes each time, and can be proved from the files alone."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autonomy.agents.contract import Composition
from autonomy.agents.material import Material
from autonomy.core.errors import CorruptState, InvalidInput, NotFound
from autonomy.journeys.catalogue import journey
from autonomy.journeys.manifest import verify
from tests.journeys import made


def composed(material: Material | None = None) -> Composition:
    """A finished deliverable."""
    held = material or made.packed()
    route = journey(held.task.journey)
    return route.compose(held, made.snapshot(), route.gates(held, made.snapshot(), {}))


def delivered(folder: Path, composition: Composition | None = None) -> Path:
    """The files of a deliverable in a folder."""
    for file in (composition or composed()).files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return folder


def resigned(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The manifest changed, its file hashes made to fit: only the claims themselves can give the change away."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    for file in manifest["files"]:
        file["sha256"] = hashlib.sha256((folder / file["path"]).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest), "utf-8")
    return folder


def test_the_manifest_has_every_field_of_the_contract() -> None:
    manifest = composed(made.written()).manifest
    assert set(manifest) == {
        "run_id", "journey", "goal", "outcome", "provider", "seed", "language", "notes",
        "files", "sources", "claims", "free_sections", "gates",
    }  # fmt: skip
    assert (manifest["run_id"], manifest["journey"], manifest["outcome"], manifest["seed"]) == ("run1", "write", "delivered", 7)
    assert manifest["claims"][3] == {
        "id": "k4",
        "text": "“A timeout of 30 seconds is applied when no other value is given”",
        "section": "Timeouts",
        "citations": [
            {
                "source": "manual",
                "quote": "A timeout of 30 seconds is applied when no other value is given.",
                "anchor": {"section": "Timeouts", "start": 272, "end": 336},
            }
        ],
    }
    handbook = next(each for each in manifest["sources"] if each["id"] == "handbook")
    assert handbook == {
        "id": "handbook", "title": "Administration Handbook", "authors": ["Jane Q. Doe", "Roland Mas"], "year": 2020,
        "location": "handbook.pdf", "media_type": "application/pdf", "sha256": "0" * 64, "snapshot": "sources/handbook.txt",
        "retrieved_at": "2025-01-02T03:04:05Z",
    }  # fmt: skip
    assert all(set(gate) == {"name", "figure", "threshold", "pass", "evidence"} for gate in manifest["gates"])


def test_a_due_date_stands_in_the_manifest_where_there_is_one() -> None:
    dated = composed(made.written(task=made.task(due_date=datetime.date(2030, 2, 28)))).manifest
    assert dated["due_date"] == "2030-02-28"


def test_files_are_listed_with_their_hashes_and_roles_and_the_manifest_comes_last() -> None:
    composition = composed()
    files = {file.name: file for file in composition.files}
    listed = composition.manifest["files"]
    assert [file["path"] for file in listed] == [file.name for file in composition.files[:-1]]
    assert composition.files[-1].name == "manifest.json"
    assert all(file["sha256"] == hashlib.sha256(files[file["path"]].data).hexdigest() for file in listed)
    assert {file["role"] for file in listed} == {"deliverable", "source", "source-map"}
    assert files["sources/handbook.txt"].data.decode() == made.HANDBOOK


def test_the_manifest_as_data_and_as_bytes_are_one() -> None:
    composition = composed()
    assert json.loads(composition.files[-1].data) == composition.manifest


def test_the_same_material_gives_the_same_files_to_the_byte() -> None:
    again = Material.model_validate_json(made.packed().model_dump_json())
    assert composed().files == composed(again).files


def test_only_cited_sources_are_delivered() -> None:
    extra = made.packed(
        sources=(*made.packed().sources, made.source("german")), maps=(*made.packed().maps, made.layout("german"))
    )
    names = [file.name for file in composed(extra).files]
    assert "sources/german.txt" not in names
    assert "sources/manual.txt" in names


def test_every_citation_of_a_delivered_folder_is_found_again(tmp_path: Path) -> None:
    checked = verify(delivered(tmp_path))
    assert (checked.claimed, checked.found, checked.share, checked.problems, checked.good) == (8, 8, 1.0, (), True)


@pytest.mark.parametrize("of", [("de", "german", "Eine Aufgabe", "werden."), ("ja", "japanese", "タスクは", "できます。")])
def test_documents_in_other_languages_are_proved_the_same_way(of: tuple[str, str, str, str], tmp_path: Path) -> None:
    language, source, begins, ends = of
    card = made.card("c1", source, begins, ends)
    material = made.written(
        brief=made.brief(language, "Titel"), cards=(card,), sources=(made.source(source),), maps=(made.layout(source),),
        sections=(made.section("見出し", [made.said(card.quote, "c1", quoted=True, block=True)]),),
    )  # fmt: skip
    assert verify(delivered(tmp_path, composed(material))).good


def test_line_ends_of_a_snapshot_survive_delivery(tmp_path: Path) -> None:
    """Offsets count characters: a translated line end would move them all."""
    text = made.NOTES.replace("\n", "\r\n")
    start = text.index("A cancelled")
    card = made.cards()[5]
    anchor = card.anchor.model_copy(update={"start": start, "end": start + len(card.quote)})
    places = made.layout("notes").model_copy(update={"headings": ((0, 1, "Operations notes"),)})
    material = made.written(
        cards=(card.model_copy(update={"anchor": anchor}),), sources=(made.source("notes"),), maps=(places,),
        sections=(made.section("Only", [made.said(card.quote, "c6", quoted=True, block=True)]),),
    )  # fmt: skip
    route = journey("write")
    read = made.snapshot({"notes": text})
    checked = verify(delivered(tmp_path, route.compose(material, read, route.gates(material, read, {}))))
    assert checked.good, checked.problems


def _quote(manifest: dict[str, Any], old: str, new: str) -> None:
    for claim in manifest["claims"]:
        for citation in claim["citations"]:
            citation["quote"] = citation["quote"].replace(old, new)


def _anchors(manifest: dict[str, Any], **change: Any) -> None:
    for claim in manifest["claims"]:
        for citation in claim["citations"]:
            if citation["source"] == "handbook":
                citation["anchor"].update(change)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: _quote(m, "60 seconds", "61 seconds"), "the source does not say this"),
        (lambda m: _quote(m, "can easily", "can not easily"), "the source does not say this"),
        (lambda m: _anchors(m, page=7), "page 7 is named"),
        (lambda m: _anchors(m, section="Elsewhere"), "section 'Elsewhere' is named"),
        (lambda m: _anchors(m, start=0, end=5), "the source does not say this"),
        (lambda m: _anchors(m, start="x"), "cannot be read"),
        (lambda m: m["claims"][0].update(text="Tasks cannot be cancelled"), "does not stand in the document"),
        (lambda m: m["claims"][0].update(section="Elsewhere"), "no heading 'Elsewhere'"),
        (lambda m: m["sources"].pop(0), "is not in the manifest"),
        (lambda m: m["sources"][0].update(id="../../etc/passwd"), "not an id"),
    ],
)
def test_a_manifest_that_claims_too_much_is_found_out(
    change: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    checked = verify(resigned(delivered(tmp_path), change))
    assert not checked.good
    assert any(why in problem for problem in checked.problems), checked.problems


@pytest.mark.parametrize("name", ["deliverable.md", "deliverable.docx", "sources/manual.txt", "sources/handbook.map.json"])
def test_a_file_with_one_changed_byte_is_named(name: str, tmp_path: Path) -> None:
    path = delivered(tmp_path) / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert f"{name}: changed since it was delivered" in verify(tmp_path).problems


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (delivered(tmp_path) / "sources/manual.txt").unlink()
    checked = verify(tmp_path)
    assert "sources/manual.txt: missing" in checked.problems
    assert checked.found < checked.claimed


def test_a_listed_path_that_leaves_the_folder_is_named(tmp_path: Path) -> None:
    folder = delivered(tmp_path / "in")
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["files"][0]["path"] = "../outside.md"
    path.write_text(json.dumps(manifest), "utf-8")
    assert "../outside.md: leaves the folder" in verify(folder).problems


def test_a_folder_without_a_manifest_and_one_with_nonsense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify(tmp_path)
    for nonsense in ("{", "[]", '{"files": 1}'):
        (tmp_path / "manifest.json").write_text(nonsense, "utf-8")
        with pytest.raises(InvalidInput):
            verify(tmp_path)


def test_an_unproved_quote_never_leaves() -> None:
    sound = made.packed()
    bent = tuple(
        c.model_copy(update={"anchor": c.anchor.model_copy(update={"page": 1})}) if c.id == "c4" else c for c in sound.cards
    )
    with pytest.raises(CorruptState, match="c4"):
        composed(made.packed(cards=bent))


def test_a_source_id_that_could_be_a_path_never_becomes_one() -> None:
    evil = made.source("manual", id="../manual")
    card = made.cards()[0].model_copy(update={"source": "../manual"})
    material = made.written(
        cards=(card,), sources=(evil,), maps=(made.layout("manual").model_copy(update={"source": "../manual"}),),
        sections=(made.section("Only", [made.said(card.quote, "c1", quoted=True, block=True)]),),
    )  # fmt: skip
    with pytest.raises(CorruptState, match="not a source id"):
        journey("write").compose(material, made.snapshot({"../manual": made.MANUAL}), ())
