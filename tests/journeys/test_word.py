"""The Word document, read back with another hand (python-docx): all that the Markdown says, in order, and nothing that acts."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, get_args

import docx
import pytest
from docx.document import Document
from docx.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from autonomy.agents.material import Material, Searched
from autonomy.core.clock import DAY_US
from autonomy.core.types import Style
from autonomy.journeys import inert, word
from autonomy.journeys.blocks import Heading, Items, Note, Prose, Quotation, References
from autonomy.journeys.blocks import Table as TableBlock
from autonomy.journeys.render import Rendered, render
from autonomy.memory.readers import docx as reader
from autonomy.memory.readers.document import Limits
from autonomy.turnitin.fitting import locate
from autonomy.turnitin.report import Flagged, Report
from tests.journeys import made

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

NOON = 20_420 * DAY_US + DAY_US // 2  # 2025-11-28
STYLES: tuple[Style, ...] = get_args(Style)
HOSTILE = {
    "field": '<w:instrText>INCLUDETEXT "/etc/passwd"</w:instrText> { HYPERLINK "http://evil.example" } =SUM(A1)',
    "closing": "</w:t></w:r></w:p><w:p><w:r><w:t>]]> &amp; &#x41; <!--",
    "controls": "a\x00b\x01c\x0bd\x1be\x7ff\ufffeg\uffffh",
    "bidi": "abc \u202egnp.exe\u202c \u2066x\u2069 \u200fy",
    "long": "x" * 10_000,
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦",
    "marks": "z" + "\u0301\u0323" * 50 + " e\u0301",
    "markup": "<script>alert(1)</script> [x](http://evil.example) ![y](file:///etc/passwd) **b** `c` | *i* 2 * 3 \\",
    "stars": "*** ** * **a*b** _c_ ~~d~~ \\* <http://evil.example>",
}


def typeset(material: Material) -> tuple[Rendered, bytes]:
    rendered = render(material)
    brief = material.brief
    return rendered, word.word(rendered.blocks, title=brief.title, language=brief.language, created_at=material.created_at)


def opened(data: bytes) -> Document:
    return docx.Document(io.BytesIO(data))


def parts(data: bytes) -> dict[str, etree._Element]:
    """Every part as parsed XML, so that a broken one is an error."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        return {name: etree.fromstring(package.read(name)) for name in package.namelist()}


def lines(document: Document) -> Iterator[str]:
    """The text as it is read from top to bottom, tables row by row."""
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                yield "\t".join(cell.text for cell in row.cells)
        else:
            yield block.text


def letters(text: str) -> str:
    """What a reader sees of inline Markdown, by CommonMark and not by our own reading."""
    reading = MarkdownIt("commonmark")
    reading.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    (inline,) = reading.parseInline(text)
    return "".join(token.content for token in inline.children or ())


def hostile(text: str) -> Material:
    """Material with the text in every place where a source, a goal or a person can put one."""
    source = made.source("manual", title=f"{text} title", location=f"{text}.html", authors=(f"{text} Doe",), year=1999)
    kept = [each for each in made.written().sources if each.id != "manual"]
    section = made.section(
        f"Part {text}",
        [made.said(f"{text} says “Tasks can easily and safely be cancelled.”", "c1", quoted=True)],
        [made.said(f"A cancelled task {text}", "c6", quoted=True, block=True)],
    )
    brief = made.brief(title=f"About {text}").model_copy(update={"questions": (f"What is {text}?",)})
    return made.packed(
        task=made.task(journey="research", corpus=(f"/srv/{text.replace(chr(0), '')}",)),
        brief=brief,
        sources=(source, *kept),
        sections=(section,),
        searched=(Searched(question=f"What is {text}?", found=1),),
        notes=(f"- {text}", f"1. {text}"),
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("journey", ["write", "research"])
def test_every_claim_and_every_reference_stands_in_the_word_document_in_order(style: Style, journey: Any) -> None:
    make = made.written if journey == "write" else made.packed
    rendered, data = typeset(make(task=made.task(journey=journey, style=style)))
    document = opened(data)
    text, at = "\n".join(lines(document)), 0
    assert len(rendered.claims) >= 4
    for placed in rendered.claims:
        found = text.find(letters(placed.text), at)
        assert found >= at, placed.text
        at = found + len(letters(placed.text))
    shown = [paragraph.text for paragraph in document.paragraphs]
    listed = shown[shown.index("References") + 1 :]
    form = {"ieee": "[{n}]\t{entry}", "vancouver": "{n}.\t{entry}"}.get(style, "{entry}")
    works = rendered.bibliography.works
    assert listed == [form.format(n=n, entry=letters(rendered.bibliography.entry(work.id))) for n, work in enumerate(works, 1)]
    assert len(listed) == 3


@pytest.mark.parametrize("make", [made.written, made.packed])
def test_the_word_document_says_block_by_block_what_the_markdown_says(make: Any) -> None:
    rendered, data = typeset(make(task=made.task(style="mla")))
    wanted: list[str] = []
    for block in rendered.blocks:
        match block:
            case Heading(_, text) | Prose(text) | Quotation(text):
                wanted.append(letters(text))
            case Note(shown) | Items(shown):
                wanted += map(letters, shown)
            case TableBlock(_, head, rows):
                wanted += ["\t".join(letters(cell.replace("\\|", "|")) for cell in row) for row in (head, *rows)]
            case References(rows):
                wanted += [letters(entry) for _, entry in rows]
    assert list(lines(opened(data))) == wanted


def test_headings_quotations_lists_tables_and_references_are_what_word_calls_so() -> None:
    document = opened(typeset(made.written())[1])
    named = {paragraph.text: paragraph for paragraph in document.paragraphs}
    style = {text: paragraph.style.name for text, paragraph in named.items() if paragraph.style is not None}
    assert style["How tasks are cancelled"] == "Title"
    assert [text for text, name in style.items() if name == "Heading 1"] == [
        "Introduction", "Cancelling a task", "Timeouts", "Conclusion", "What was looked for and not found", "Notes",
        "References",
    ]  # fmt: skip
    (quoted,) = (paragraph for paragraph in document.paragraphs if paragraph.style and paragraph.style.name == "Quote")
    assert quoted.text.startswith("A cancelled task should release every lock that it holds before it returns.")
    left, right = quoted.paragraph_format.left_indent, quoted.paragraph_format.right_indent
    assert left is not None
    assert (left.pt, right.pt if right else None) == (36, 36)
    assert style["Two files could not be read."] == "List Bullet"
    entry = next(paragraph for paragraph in document.paragraphs if paragraph.text.startswith("Doe, J. Q."))
    assert entry.style is not None
    assert entry.style.name == "Bibliography"
    assert entry.style.paragraph_format.first_line_indent == -entry.style.paragraph_format.left_indent
    assert [run.text for run in entry.runs if run.italic] == ["Administration Handbook"]
    tables = opened(typeset(made.packed())[1]).tables
    assert [[cell.text for cell in table.rows[0].cells] for table in tables] == [
        ["Question", "Passages found", "Quotations kept", "Best passage covers"], ["Claim", "S1", "S3"],
    ]  # fmt: skip
    assert all(table.style is not None and table.style.name == "Table Grid" for table in tables)


def test_properties_stand_in_the_order_that_word_insists_on() -> None:
    orders = {
        "pPr": "pStyle keepNext keepLines numPr pBdr tabs spacing ind jc outlineLvl",
        "rPr": "rFonts b i sz szCs lang",
        "tblPr": "tblStyle tblW tblBorders tblLayout tblCellMar tblLook",
        "tcPr": "tcW shd",
        "style": "name basedOn next qFormat pPr rPr tblPr",
        "lvl": "start numFmt lvlText lvlJc pPr",
        "sectPr": "footerReference pgSz pgMar",
    }
    seen = set()
    for style in ("apa", "vancouver"):
        read = parts(typeset(made.packed(task=made.task(journey="research", style=style)))[1])
        for element in (each for part in read.values() for each in part.iter()):
            kind = etree.QName(element).localname
            if kind in orders:
                order = orders[kind].split()
                children = [etree.QName(child).localname for child in element]
                assert children == sorted(set(children), key=order.index)
                seen.add(kind)
    assert seen == set(orders)


def test_the_file_is_dated_by_the_day_of_its_run_names_no_person_and_counts_its_pages() -> None:
    data = typeset(made.written(created_at=NOON))[1]
    properties = opened(data).core_properties
    assert (properties.title, properties.language) == ("How tasks are cancelled", "en-US")
    assert str(properties.created) == str(properties.modified) == "2025-11-28 00:00:00+00:00"
    assert (properties.author, properties.last_modified_by) == ("", "")
    read = parts(data)
    fields = {name: part.findall(f".//{W}fldSimple") for name, part in read.items()}
    assert [field.get(f"{W}instr") for field in fields["word/footer.xml"]] == [" PAGE "]
    assert sum(map(len, fields.values())) == 1


def test_the_same_run_gives_the_same_bytes_and_so_does_another_of_the_same_day() -> None:
    first = typeset(made.packed(created_at=NOON))[1]
    assert typeset(Material.model_validate_json(made.packed(created_at=NOON).model_dump_json()))[1] == first
    assert typeset(made.packed(created_at=NOON + 3_600_000_000, run_id="another"))[1] == first
    assert typeset(made.packed(created_at=NOON + DAY_US))[1] != first
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in package.infolist()} == {zipfile.ZIP_STORED}
        assert package.namelist()[0] == "[Content_Types].xml"


def assert_harmless(material: Material) -> str:
    """The text of the document, once nothing but text has come of it."""
    rendered, data = typeset(material)
    read = parts(data)
    document = read["word/document.xml"]
    allowed = {
        "document", "body", "p", "pPr", "pStyle", "ind", "tabs", "tab", "r", "rPr", "b", "i", "t", "tbl", "tblPr", "tblStyle",
        "tblW", "tblLayout", "tblLook", "tblGrid", "gridCol", "tr", "trPr", "cantSplit", "tblHeader", "tc", "tcPr", "tcW",
        "shd", "jc", "sectPr", "footerReference", "pgSz", "pgMar",
    }  # fmt: skip
    assert {etree.QName(element).localname for element in document.iter()} <= allowed
    assert {style.get(f"{W}val") for style in document.iter(f"{W}pStyle")} <= {
        style.get(f"{W}styleId") for style in read["word/styles.xml"].iter(f"{W}style")
    }
    for name, part in read.items():
        if name.endswith(".rels"):
            assert all(each.get("TargetMode") is None and ":" not in each.get("Target", ":") for each in part)
    paragraphs = sum(
        len(block.lines) if isinstance(block, Note | Items) else len(block.rows) if isinstance(block, References) else 1
        for block in rendered.blocks
        if not isinstance(block, TableBlock)
    )
    found = opened(data)
    assert len(found.paragraphs) == paragraphs
    text = "\n".join(lines(found))
    assert all(letters(placed.text) in text for placed in rendered.claims)
    return text


@pytest.mark.parametrize("name", HOSTILE)
def test_text_from_outside_is_only_ever_letters(name: str) -> None:
    text = HOSTILE[name]
    shown = inert.plain(text)
    found = assert_harmless(hostile(text))
    assert f"About {shown}" in found
    for place in (f"What is {shown}?", f"- {shown}", f"1. {shown}", f"Part {shown}"):
        assert place.strip() in found, place
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", found)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_whatever_the_text_the_file_is_sound(text: str) -> None:
    assert inert.plain(f"What is {text}?") in assert_harmless(hostile(text))


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\\*_`<>[](){}#|~&!-+.1: \n"), max_size=40))
def test_what_was_made_inert_is_read_back_letter_by_letter(text: str) -> None:
    for made_inert in (inert.inline, inert.heading, lambda raw: inert.opening(inert.inline(raw)), inert.cell):
        spans = inert.spans(made_inert(text))
        assert "".join(span.text for span in spans) == inert.plain(text)
        assert not any(span.italic or span.bold for span in spans)


def test_a_letter_that_xml_cannot_carry_is_left_out() -> None:
    (only,) = opened(word.word((Prose("one \ud800half\x0c"),), title="\x00", language="en", created_at=0)).paragraphs
    assert only.text == "one half"


def test_titles_are_in_italics_and_a_star_between_spaces_is_a_star() -> None:
    spans = inert.spans(inert.prose("文字*題*と*名*、2 * 3"))
    assert [(span.text, span.italic) for span in spans] == [
        ("文字", False), ("題", True), ("と", False), ("名", True), ("、2 * 3", False),
    ]  # fmt: skip
    assert letters("文字*題*と") == "文字題と"
    for kept in ("2*3*4", "文字*「題」*と"):  # figures; and what CommonMark would not take for italics
        assert inert.spans(inert.prose(kept)) == (inert.Span(kept),)
    assert letters("文字*「題」*と") == "文字*「題」*と"
    assert [span.text for span in inert.spans("*one**two* **three** <https://a.example/b%20c>")] == [
        "onetwo", " ", "three", " https://a.example/b%20c",
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "tag", "font"), [("ja", "ja-JP", "Yu Mincho"), ("zh", "zh-CN", "SimSun")])
def test_han_and_kana_have_a_font_of_their_own(language: str, tag: str, font: str) -> None:
    styles = parts(typeset(made.written(brief=made.brief(language, "取り消し")))[1])["word/styles.xml"]
    defaults = styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
    assert defaults is not None
    fonts, spoken = defaults.find(f"{W}rFonts"), defaults.find(f"{W}lang")
    assert fonts is not None
    assert spoken is not None
    assert (fonts.get(f"{W}eastAsia"), spoken.get(f"{W}val"), spoken.get(f"{W}eastAsia")) == (font, tag, tag)


def test_french_marks_do_not_part_from_their_words_and_no_other_language_is_touched() -> None:
    blocks = (Prose("Il dit : « Un bail a un terme. » Oui !"),)
    french = opened(word.word(blocks, title="t", language="fr", created_at=0)).paragraphs[0].text
    assert french == "Il dit\u00a0: «\u00a0Un bail a un terme.\u00a0» Oui\u00a0!"
    assert opened(word.word(blocks, title="t", language="de", created_at=0)).paragraphs[0].text == blocks[0].text


def test_a_language_that_is_none_becomes_english_and_an_unknown_one_stays() -> None:
    for language, tag in (('x" onload="', "en-US"), ("de-AT", "de-AT"), ("sw", "sw")):
        data = word.word((), title="t", language=language, created_at=0)
        assert opened(data).core_properties.language == tag


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_a_report_marks_in_the_word_document_is_found_in_the_markdown(language: str) -> None:
    """Marks of italics, no-break spaces and typography are no hindrance."""
    said = [
        made.said("Le manuel dit : « Tasks can easily and safely be cancelled ; yes ! »", "c1", quoted=True),
        made.said("Under *Task * Cancellation_s* it says: “A [timeout](x) of 30 seconds is applied.”", "c3", quoted=True),
    ]
    sections = (*made.written().sections, made.section("Further", said))
    rendered, data = typeset(made.written(brief=made.brief(language), sections=sections))
    shown = [text for text in lines(opened(data)) if len(text.split()) >= 6]
    passages = tuple(Flagged(text=text) for text in shown)
    found = locate(Report(overall=34.0, layout="plain", flagged=passages), rendered.text).flagged
    assert len(found) >= 10
    assert [each.text for each in found if each.start is None] == []


def test_our_own_reader_takes_the_document_for_what_it_is() -> None:
    document = reader.read(typeset(made.written())[1], "deliverable.docx", Limits())
    assert document.title == "How tasks are cancelled"
    assert [heading for _, _, heading in document.headings][:4] == [
        "How tasks are cancelled", "Introduction", "Cancelling a task", "Timeouts",
    ]  # fmt: skip
    assert "When a task is cancelled, CancelledError will be raised at the next opportunity" in document.text
