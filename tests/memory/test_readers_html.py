"""HTML: the page's own text, with its headings, and nothing of what surrounds it."""

from __future__ import annotations

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers import html
from autonomy.memory.readers.document import Limits, ReadDocument
from tests.memory import made

LIMITS = Limits()


def read(markup: str, name: str = "page.html") -> ReadDocument:
    return html.read(markup.encode("utf-8"), name, LIMITS)


def kinds(document: ReadDocument) -> list[tuple[str, str]]:
    return [(kind, document.text[start:end]) for start, end, kind in document.blocks]


def test_what_surrounds_the_text_is_left_out() -> None:
    document = read(
        """<html><head><title>Pumps — Manual</title><style>p {}</style></head><body><nav>Home Next</nav>
        <div class="sphinxsidebar"><p>Sidebar words</p></div>
        <main><h1>Pumps</h1><p>A pump moves <b>wa</b>ter.</p><div class="versionadded"><p>New in version 3.</p></div>
        <form><p>Your name</p></form><script>alert(1)</script><p hidden>Not shown</p><aside>Advert</aside></main>
        <footer>All rights</footer></body></html>"""
    )
    assert document.text == "Pumps\n\nA pump moves water."
    assert document.title == "Pumps"


def test_without_a_main_element_the_densest_block_is_the_text() -> None:
    links = "".join(f"<li><a href='{n}'>Chapter {n} of the manual</a></li>" for n in range(40))
    document = read(f"<body><div><ul>{links}</ul></div><div id='x'><h2>Valves</h2><p>{made.prose('valve', 8)}</p></div></body>")
    assert "Chapter 7" not in document.text
    assert document.text.startswith("Valves\n\nThe garden number 0")


def test_each_block_keeps_its_kind_and_offsets_count_in_the_text() -> None:
    document = read(
        """<main><h2 id="a">Use<a class="headerlink" href="#a">¶</a></h2><p>First open
        the valve.</p><ul><li><p>Slowly, by hand.</p></li></ul><blockquote>Never in winter.</blockquote>
        <pre>open( valve )
  wait()</pre><table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>
        <dl><dt class="sig">open(valve)</dt><dd><p>Opens the valve.</p></dd></dl>
        <ul><li><a href="1">All about the valve</a></li></ul></main>"""
    )
    assert document.headings == ((0, 2, "Use"),)
    assert kinds(document) == [
        ("p", "First open the valve."),
        ("li", "Slowly, by hand."),
        ("quote", "Never in winter."),
        ("code", "open( valve )\n  wait()"),
        ("table", "a | 1\nb | 2"),
        ("code", "open(valve)"),
        ("p", "Opens the valve."),
        ("contents", "All about the valve"),
    ]


def test_an_index_page_is_all_contents() -> None:
    document = read(
        "<title>Index — Manual</title><main><h1>Index</h1><p>valve, opening of, 12; closing of, 14</p></main>", "genindex.html"
    )
    assert {kind for kind, _ in kinds(document)} == {"contents"}


def test_references_are_set_apart_until_the_next_section() -> None:
    document = read("<main><h1>Pumps</h1><h2>References</h2><p>Doe 2001.</p><h2>Use</h2><p>Open it.</p></main>")
    assert kinds(document) == [("reference", "Doe 2001."), ("p", "Open it.")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("<meta charset='iso-8859-1'><p>Größe".encode("latin-1"), "Größe"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=Shift_JIS'><p>取り消し".encode("shift_jis"), "取り消し"),
        ("<p>Größe".encode("utf-16"), "Größe"),
        ("<meta charset='zip'><p>Größe".encode(), "Größe"),
        ("<p>Größe".encode("cp1252"), "Größe"),
    ],
)
def test_the_encoding_is_the_mark_the_declared_one_or_the_likely_one(data: bytes, words: str) -> None:
    assert html.read(data, "page.html", LIMITS).text == words


def test_entities_and_outside_files_are_never_followed() -> None:
    document = read(
        """<!DOCTYPE html [<!ENTITY secret SYSTEM "file:///etc/passwd"><!ENTITY a "aaaaaaaaaa">]>
        <main><p>Before &secret;&a; after.</p></main>"""
    )
    assert "root:" not in document.text
    assert "aaaaaaaaaa" not in document.text


def test_a_hundred_thousand_nested_elements_neither_crash_nor_stall() -> None:
    try:
        document = read("<div>" * 100_000 + "<p>Deep words.</p>")
    except InvalidInput:
        return
    assert len(document.text) < 100


def test_what_a_page_says_of_itself_is_kept() -> None:
    document = read(
        """<head><title>x</title><meta name="author" content="Ada Moor">
        <meta name="citation_publication_date" content="2019/05/01">
        <meta property="og:title" content="On pumps"></head><body><p>A pump.</p></body>"""
    )
    assert (document.title, document.authors, document.year) == ("On pumps", ("Ada Moor",), 2019)


@pytest.mark.parametrize(
    ("window", "headings", "title"),
    [
        ("Pumps — Manual", "<h1>Pumps</h1>", "Pumps"),
        ("Plant manual | Pumps and their care", "<h1>The care of pumps</h1>", "The care of pumps"),
        ("Care: pumps (plant manual)", "<h1>Pumps care</h1>", "Pumps care"),
        ("Pumps in the plant", "<h1>Notes</h1>", "Pumps in the plant"),
        ("Pumps | Manual", "<h1>Wear</h1><h1>Repair</h1>", "Pumps | Manual"),
        ("Pumps | Manual", "", "Pumps | Manual"),
    ],
)
def test_the_only_heading_is_the_title_rather_than_one_with_the_name_of_its_site(
    window: str, headings: str, title: str
) -> None:
    document = read(f"<title>{window}</title><main>{headings}<p>A pump moves water through the plant.</p></main>")
    assert document.title == title


def test_characters_that_deceive_or_cannot_be_stored_are_gone() -> None:
    assert read("<p>a\x00b&#0;c\u202ed\u200be\ufefff&#xD800;g</p>").text.replace("\ufffd", "") == "abcdefg"
