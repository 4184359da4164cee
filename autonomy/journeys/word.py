"""The deliverable as a Word document (Office Open XML, ECMA-376, transitional), from the blocks that the Markdown is made of.

Invariants: text from outside is only ever the text of a run: no field, link, picture or style comes from it, and nothing
refers to anything outside the file; the same blocks, title, language and day give the same bytes on every machine (parts in
one order, no compression, no clock). The styles have the names that Word and LibreOffice know, so that outline, templates
and similarity services (which pass over indented quotations) see what each paragraph is. It is written as text: that takes
about a millisecond, and no library's clock, template or release gets into the bytes.
"""

from __future__ import annotations

import datetime
import html
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from autonomy.journeys import inert
from autonomy.journeys.blocks import Align, Block, Heading, Items, Note, Prose, Quotation, References, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT_WIDTH = 9026
"""Twips (twentieths of a point) between the margins: A4, with 2.54 cm on each side."""
INDENT, NUMBER_INDENT = 720, 567
_WIDTHS: dict[Align, int] = {"center": 560, "right": 1500}
_DAY = datetime.timedelta(days=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_REGIONS = {"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "ja": "ja-JP", "zh": "zh-CN", "ko": "ko-KR"}
_EAST_ASIAN = {"ja": ("Yu Mincho", "Yu Gothic"), "zh": ("SimSun", "Microsoft YaHei"), "ko": ("Batang", "Malgun Gothic")}
_OWN = ("Note", "TableText", "TableHead")
"""Styles that Word does not bring itself."""
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NARROWED = re.compile("(?<=«) | (?=[»;:!?])")
"""The spaces that French sets before and after its marks: no line may break there."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"


def word(blocks: Sequence[Block], *, title: str, language: str, created_at: int) -> bytes:
    """The whole file. `created_at` in microseconds since 1970; the document is dated by that day alone."""
    parts = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _relations(
            (f"{_OFFICE}/relationships/officeDocument", "word/document.xml"),
            (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _properties(title, language, created_at),
        "word/document.xml": _document(blocks, language),
        "word/_rels/document.xml.rels": _relations(
            *((f"{_OFFICE}/relationships/{kind}", f"{kind}.xml") for kind in ("styles", "numbering", "settings", "footer"))
        ),
        "word/styles.xml": _styles(language),
        "word/numbering.xml": _NUMBERING,
        "word/settings.xml": _SETTINGS,
        "word/footer.xml": _FOOTER,
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as package:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01, as every such file
            entry.create_system = 3  # the same on Windows
            package.writestr(entry, (_HEAD + text).encode("utf-8"))
    return made.getvalue()


def _document(blocks: Iterable[Block], language: str) -> str:
    body = "".join(piece for block in blocks for piece in _block(block))
    if language.lower().startswith("fr"):
        body = _NARROWED.sub("\u00a0", body)
    page = (
        '<w:sectPr><w:footerReference w:type="default" r:id="r4"/><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="709" w:footer="709" w:gutter="0"/>'
        "</w:sectPr>"
    )
    return f'<w:document {_W} xmlns:r="{_OFFICE}/relationships"><w:body>{body}{page}</w:body></w:document>'


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield _paragraph("Title" if level == 1 else f"Heading{level - 1}", text)
        case Prose(text, kind):
            yield _paragraph({"text": "", "reference": "Bibliography", "key": "Caption"}[kind], text)
        case Quotation(text):  # the indent stands here too, for readers that look up no style
            yield _paragraph("Quote", text, f'<w:ind w:left="{INDENT}" w:right="{INDENT}"/>')
        case Note(lines):
            yield from (_paragraph("Note", line) for line in lines)
        case Items(lines):
            yield from (_paragraph("ListBullet", line) for line in lines)
        case Table():
            yield _table(block)
        case References(rows):
            yield from (_reference(label, entry) for label, entry in rows)


def _paragraph(style: str, text: str, properties: str = "", label: str = "") -> str:
    """One paragraph; `properties` are direct ones in the order of the schema, `label` stands before a tab."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    held = f"<w:pPr>{named}{properties}</w:pPr>" if named or properties else ""
    lead = f"<w:r>{_text(label)}<w:tab/></w:r>" if label else ""
    return f"<w:p>{held}{lead}{_runs(text)}</w:p>"


def _runs(text: str) -> str:
    shown = []
    for span in inert.spans(text):
        marks = ("<w:b/>" if span.bold else "") + ("<w:i/>" if span.italic else "")
        shown.append(f"<w:r>{f'<w:rPr>{marks}</w:rPr>' if marks else ''}{_text(span.text)}</w:r>")
    return "".join(shown)


def _text(text: str) -> str:
    return f'<w:t xml:space="preserve">{_letters(text)}</w:t>'


def _letters(text: str) -> str:
    """Text as XML can carry it: what XML 1.0 has no place for is left out."""
    return html.escape(_NO_XML.sub("", text), quote=False)


def _reference(label: str, entry: str) -> str:
    if not label:
        return _paragraph("Bibliography", entry)
    tab = f'<w:tabs><w:tab w:val="left" w:pos="{NUMBER_INDENT}"/></w:tabs>'
    indent = f'<w:ind w:left="{NUMBER_INDENT}" w:hanging="{NUMBER_INDENT}"/>'
    return _paragraph("Bibliography", entry, tab + indent, label)


def _table(table: Table) -> str:
    widths = _widths(table.aligns)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    rows = [_row(table.head, table.aligns, widths, head=True), *(_row(row, table.aligns, widths) for row in table.rows)]
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="0020" w:firstRow="1"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _row(cells: Sequence[str], aligns: Sequence[Align], widths: Sequence[int], *, head: bool = False) -> str:
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="EDEDED"/>' if head else ""
    style = "TableHead" if head else "TableText"
    made = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>'
        + _paragraph(style, text, f'<w:jc w:val="{align}"/>')
        + "</w:tc>"
        for text, align, width in zip(cells, aligns, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{made}</w:tr>"


def _widths(aligns: Sequence[Align]) -> tuple[int, ...]:
    """Marks and figures take what they need; the first column has twice the share of any other column of text."""
    left = TEXT_WIDTH - sum(_WIDTHS.get(align, 0) for align in aligns)
    share = left // (1 + aligns.count("left"))
    return tuple(_WIDTHS.get(align, share * (1 if number else 2)) for number, align in enumerate(aligns))


def _properties(title: str, language: str, created_at: int) -> str:
    """Title, language and day; a person's name stands nowhere."""
    day = (_EPOCH + created_at // int(_DAY.total_seconds() * 1e6) * _DAY).strftime("%Y-%m-%dT00:00:00Z")
    dates = "".join(f'<dcterms:{name} xsi:type="dcterms:W3CDTF">{day}</dcterms:{name}>' for name in ("created", "modified"))
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_letters(inert.plain(title))}</dc:title><dc:language>{_tag(language)}</dc:language>{dates}"
        "</cp:coreProperties>"
    )


def _tag(language: str) -> str:
    """The language as Word knows it, with a region; English for what is no language tag."""
    found = language if _TAG.fullmatch(language) else "en"
    return _REGIONS.get(found.lower(), found)


def _types() -> str:
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    named = {"document": "document.main", **{name: name for name in ("styles", "numbering", "settings", "footer")}}
    parts = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{main}.{kind}+xml"/>' for name, kind in named.items())
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        f"{parts}</Types>"
    )


def _relations(*targets: tuple[str, str]) -> str:
    """Relationships r1, r2 … to parts of this file; there are no others."""
    rows = "".join(f'<Relationship Id="r{n}" Type="{kind}" Target="{to}"/>' for n, (kind, to) in enumerate(targets, 1))
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'


def _styles(language: str) -> str:
    tag = _tag(language)
    serif, sans = _EAST_ASIAN.get(tag[:2].lower(), ("SimSun", "SimHei"))
    asian = tag if tag[:2].lower() in _EAST_ASIAN else "zh-CN"
    body = f'<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="{serif}" w:cs="Times New Roman"/>'
    head = f'<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="{sans}" w:cs="Arial"/>'
    defaults = (
        f'<w:docDefaults><w:rPrDefault><w:rPr>{body}<w:sz w:val="24"/><w:szCs w:val="24"/>'
        f'<w:lang w:val="{tag}" w:eastAsia="{asian}" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:after="160" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
    )
    kept = "<w:keepNext/><w:keepLines/>"
    sizes = ((1, 32, 360), (2, 26, 240), (3, 24, 200), (4, 24, 200), (5, 24, 200))
    headings = "".join(
        _style(
            f"Heading{level}",
            f"heading {level}",
            f'{kept}<w:spacing w:before="{before}" w:after="120" w:line="240" w:lineRule="auto"/>'
            f'<w:outlineLvl w:val="{level - 1}"/>',
            f'{head}<w:b/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/>',
            follow="Normal",
        )
        for level, size, before in sizes
    )
    small = '<w:sz w:val="20"/><w:szCs w:val="20"/>'
    tight = '<w:spacing w:before="40" w:after="40" w:line="240" w:lineRule="auto"/>'
    bar = '<w:pBdr><w:left w:val="single" w:sz="18" w:space="10" w:color="9A9A9A"/></w:pBdr>'
    listed = f'<w:spacing w:after="120" w:line="264" w:lineRule="auto"/><w:ind w:left="{INDENT}" w:hanging="{INDENT}"/>'
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="9A9A9A"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    return (
        f"<w:styles {_W}>{defaults}"
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
        + _style(
            "Title",
            "Title",
            f'{kept}<w:spacing w:before="0" w:after="280" w:line="240" w:lineRule="auto"/>',
            f'{head}<w:b/><w:sz w:val="40"/><w:szCs w:val="40"/>',
            follow="Normal",
        )
        + headings
        + _style("Quote", "Quote", f'<w:ind w:left="{INDENT}" w:right="{INDENT}"/>')
        + _style("Note", "Note", f'{bar}{tight}<w:ind w:left="284"/>', small)
        + _style(
            "ListBullet",
            "List Bullet",
            '<w:numPr><w:numId w:val="1"/></w:numPr><w:spacing w:after="80"/><w:ind w:left="425" w:hanging="283"/>',
        )
        + _style("Bibliography", "Bibliography", listed)
        + _style("Caption", "caption", '<w:spacing w:before="80" w:after="120" w:line="240" w:lineRule="auto"/>', small)
        + _style("TableText", "Table Text", tight, small)
        + _style("TableHead", "Table Head", "<w:keepNext/>", "<w:b/>", based="TableText")
        + _style("Footer", "footer", '<w:spacing w:after="0"/><w:jc w:val="center"/>', small)
        + '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr>'
        '<w:tblCellMar><w:left w:w="100" w:type="dxa"/><w:right w:w="100" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
        '<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:basedOn w:val="TableNormal"/>'
        f"<w:tblPr><w:tblBorders>{edges}</w:tblBorders></w:tblPr></w:style></w:styles>"
    )


def _style(name: str, shown: str, paragraph: str, run: str = "", *, based: str = "Normal", follow: str = "") -> str:
    own = ' w:customStyle="1"' if name in _OWN else ""
    after = f'<w:next w:val="{follow}"/>' if follow else ""
    return (
        f'<w:style w:type="paragraph"{own} w:styleId="{name}"><w:name w:val="{shown}"/><w:basedOn w:val="{based}"/>{after}'
        f"<w:qFormat/><w:pPr>{paragraph}</w:pPr>{f'<w:rPr>{run}</w:rPr>' if run else ''}</w:style>"
    )


_NUMBERING = (
    f'<w:numbering {_W}><w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="singleLevel"/>'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="•"/><w:lvlJc w:val="left"/>'
    '<w:pPr><w:ind w:left="425" w:hanging="283"/></w:pPr></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
_SETTINGS = (
    f'<w:settings {_W}><w:defaultTabStop w:val="720"/><w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>'
)
_FOOTER = (
    f'<w:ftr {_W}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>'
    '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>'
)
