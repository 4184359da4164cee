"""The document as people and programs read it: golden renders, inert text, marks in their place, and nothing left to chance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from autonomy.agents.material import Annotation, Material, Searched, SectionDraft
from autonomy.journeys import inert
from autonomy.journeys.matrix import matrix
from autonomy.journeys.render import render, with_mark
from tests.journeys import made

WRITTEN = """\
# How tasks are cancelled

> **Put together from quotations, without a language model.** Every quoted statement is a source's own \
words, found again in it; the mark behind it names the page or section where there is one. The sentences between the \
quotations were put together by rule.\x20\x20
> Sources: 3 from *manuals*; read on 2025-01-02.

## Introduction

Three sources speak to this question.

## Cancelling a task

The manual is plain: “Tasks can easily and safely be cancelled” [1, sec. "Task Cancellation"]. When a task is cancelled, \
CancelledError will be raised at the next opportunity [1, sec. "Task Cancellation"].

> A cancelled task should release every lock that it holds before it returns. [2]

## Timeouts

“A timeout of 30 seconds is applied when no other value is given” [1, sec. "Timeouts"]. The handbook disagrees: \
“A timeout of 60 seconds is applied when no other value is given” [3, p. 2]. After 90 seconds the service manager kills \
services that do not stop [3, p. 1].

## Conclusion

What the sources leave open stands below.

## What was looked for and not found

These questions brought too little:

- What do zebras eat? – nothing was found

## Notes

- Two files could not be read.

## References

[1] *Python Manual*. [HTML]. Available: library/asyncio-task.html

[2] *Operations notes*. [Markdown]. Available: notes.md

[3] J. Q. Doe and R. Mas, *Administration Handbook*, 2020. [PDF]. Available: handbook.pdf
"""
MATRIX = """\
## Claims matrix

| Claim | S1 | S3 |
| :--- | :---: | :---: |
| **C1** Tasks can easily and safely be cancelled. | – | ✓ |
| **C2** A timeout of 30 seconds is applied when no other value is… | ≠ | ✓ |

*✓ supports · ≠ differs (a number, a negation) · ✗ opposes · – is silent. The marks say where wordings differ; \
they are no verdict on who is right.*

S1 *Administration Handbook* · S3 *Python Manual*

### Claims and their quotations

**C1.** “Tasks can easily and safely be cancelled” (*Python Manual*, n.d., "Task Cancellation" section).

**C2.** “A timeout of 30 seconds is applied when no other value is given” (*Python Manual*, n.d., "Timeouts" section).

- S1 differs: “A timeout of 60 seconds is applied when no other value is given” (Doe & Mas, 2020, p. 2).
"""
EVIL = "<script>alert(1)</script> [click](javascript:alert(2)) ![x](http://evil/a.png) **bold** `code` | pipe &amp; <b>hi</b>"


def inline_tokens(text: str) -> list[Token]:
    """All inline tokens of a Markdown text, tables included."""
    parsed = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text)
    return [child for token in parsed for child in token.children or ()]


def shown(text: str) -> str:
    """What a reader sees of a Markdown text without any markup in it; raises if there is some."""
    tokens = inline_tokens(text)
    assert {token.type for token in tokens} <= {"text"}, [token.type for token in tokens]
    return "".join(token.content for token in tokens)


def test_a_written_document_reads_like_this() -> None:
    assert render(made.written(task=made.task(style="ieee"))).text == WRITTEN


def test_the_sources_on_top_are_those_of_the_reference_list() -> None:
    kept = [section for section in made.written().sections if section.heading != "Timeouts"]
    rendered = render(made.written(sections=tuple(kept)))
    assert len(rendered.references) == 2
    assert "> Sources: 2 from *manuals*" in rendered.text


def test_a_part_without_a_sentence_has_no_heading() -> None:
    empty = SectionDraft(heading="Introduction", part="introduction", paragraphs=())
    text = render(made.written(sections=(empty,), cards=(), sources=())).text
    assert "## Introduction" not in text
    assert "nothing quotable" in text


@pytest.mark.parametrize(
    ("language", "found", "said"),
    [("en", 0, "nothing was found"), ("en", 9, "no sentence of them could be quoted"), ("de", 9, "kein Satz daraus"),
     ("es", 9, "ninguna frase de ellos"), ("ja", 9, "引用できる文はなし")],
)  # fmt: skip
def test_what_was_found_and_could_not_be_quoted_is_told_apart_from_nothing(language: str, found: int, said: str) -> None:
    question = made.brief().questions[0]
    row = Searched(question=question, found=found, kept=0, coverage=1.0)
    text = render(made.written(brief=made.brief(language), searched=(row,))).text
    (line,) = [line for line in text.split("\n") if line.startswith(f"- {question}")]
    assert said in line


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "did not answer"), ("de", "nicht geantwortet"), ("es", "no respondió"), ("ja", "応答しませんでした")],
)
def test_a_model_that_never_answered_is_named_on_top(language: str, said: str) -> None:
    text = render(made.written(brief=made.brief(language), provider="openai", unanswered=True)).text
    (line,) = [line for line in text.split("\n") if said in line]
    assert line.startswith("> ")
    assert "openai" in line
    assert said not in render(made.written(brief=made.brief(language))).text


def test_a_lone_quotation_of_a_pack_stands_once_without_a_table() -> None:
    rows = made.packed().matrix[:1]
    alone = made.packed(matrix=rows, sections=(), annotations=(), cards=made.cards()[:1])
    text = render(alone).text
    assert text.count("Tasks can easily and safely be cancelled") == 1
    assert "**C1.**" in text
    assert "| Claim |" not in text
    assert "## Claims matrix" not in text
    assert "\n## Claims and their quotations\n" in text
    assert "| Claim |" in render(made.packed()).text


def test_the_matrix_of_a_pack_reads_like_this() -> None:
    text = render(made.packed()).text
    assert MATRIX in text
    assert [line for line in text.split("\n") if line.startswith("## ")] == [
        "## Synthesis", "## Questions searched", "## Claims matrix", "## Annotated bibliography",
        "## What was looked for and not found", "## Notes", "## References",
    ]  # fmt: skip


def test_the_tables_of_a_pack_are_tables() -> None:
    parsed = MarkdownIt("commonmark").enable("table").parse(render(made.packed()).text)
    assert sum(token.type == "table_open" for token in parsed) == 2


def test_the_same_material_gives_the_same_bytes() -> None:
    assert render(made.packed()) == render(Material.model_validate_json(made.packed().model_dump_json()))


def test_free_sections_are_the_headings_below_which_nothing_is_claimed() -> None:
    rendered = render(made.written())
    assert rendered.free_sections == (
        "How tasks are cancelled", "Introduction", "Conclusion", "What was looked for and not found", "Notes", "References",
    )  # fmt: skip
    assert {placed.section for placed in rendered.claims} == {"Cancelling a task", "Timeouts"}


def test_a_title_with_quotation_marks_stands_in_italics_and_a_quotation_never_does() -> None:
    assert inert.prose('*The "return" statement* says: “a *b* c”') == '*The "return" statement* says: “a \\*b\\* c”'
    assert inert.prose("2 *3 “four* five”") == "2 \\*3 “four\\* five”"
    assert inert.prose("“two *x” and *y*") == "“two \\*x” and *y*"


@pytest.mark.parametrize(
    ("text", "bare", "whole"),
    [
        ("It stops.", "It stops", "It stops [1]."),
        ("“It stops.”", "“It stops”", "“It stops” [1]."),
        ("„Es hält.“", "„Es hält“", "„Es hält“ [1]."),
        ("止まります。", "止まります", "止まります [1]。"),
        ("「止まります。」", "「止まります」", "「止まります」 [1]。"),
        ("Does it stop?", "Does it stop?", "Does it stop? [1]"),
        ("“Does it stop?”", "“Does it stop?”", "“Does it stop?” [1]."),
        ("It stops, waits, etc.", "It stops, waits, etc.", "It stops, waits, etc. [1]."),
        ("It stops...", "It stops...", "It stops... [1]."),
        ("No stop", "No stop", "No stop [1]."),
    ],
)
def test_the_mark_stands_before_the_final_stop_and_the_claim_stays_in_one_piece(text: str, bare: str, whole: str) -> None:
    assert with_mark(text, "[1]") == (bare, whole)
    assert bare in whole


def test_a_model_written_document_carries_no_box_and_one_cut_short_says_why() -> None:
    assert "> " not in render(made.written(player="model", provider="openai")).text.split("## Introduction")[0]
    cut = render(made.written(player="model", outcome="budget_exceeded")).text
    assert "> **The best draft, not a finished one:** budget exceeded." in cut


def test_a_run_cut_short_says_nothing_about_what_the_corpus_holds() -> None:
    def text(outcome: str) -> str:
        return render(made.written(sections=(), cards=(), maps=(), searched=(), thin=(), outcome=outcome)).text

    assert "The corpus holds nothing quotable" in text("target_not_reached")
    assert "The corpus" not in text("budget_exceeded")


def test_the_furniture_speaks_the_language_of_the_document() -> None:
    german = render(made.packed(brief=made.brief("de", "Abbruch"))).text
    for words in (
        "Aus Zitaten zusammengestellt",
        "## Aussagenmatrix",
        "## Kommentierte Bibliografie",
        "## Hinweise",
        "## References",
    ):
        assert words in german
    spanish = render(made.packed(brief=made.brief("es", "Cancelación"))).text
    for words in ("Compuesto de citas", "## Matriz de afirmaciones", "«A timeout of 60 seconds"):
        assert words in spanish
    japanese = render(made.packed(brief=made.brief("ja", "取り消し"))).text
    for words in ("引用だけで構成", "## 主張の対照表", "「A timeout of 60 seconds"):
        assert words in japanese


def test_a_corpus_is_named_by_its_folder_and_never_by_its_path() -> None:
    assert "/srv" not in render(made.written()).text


def evil_material() -> Material:
    """A pack in which every text that comes from outside tries to be markup."""
    sentence = made.said(f"“{EVIL}”", "c1", quoted=True)
    lined = [
        made.said(f"{opener} {EVIL} and more of it.", "c1") for opener in ("#", ">", "- ", "1.", "+", "===", "```", "[a]:")
    ]
    sound = made.packed()
    card = sound.cards[0].model_copy(
        update={"quote": EVIL, "anchor": sound.cards[0].anchor.model_copy(update={"section": EVIL})}
    )
    row = sound.matrix[0].model_copy(update={"claim": EVIL, "question": EVIL})
    paragraphs = tuple((each,) for each in (sentence, *lined))
    return sound.model_copy(
        update={
            "brief": made.brief(title=EVIL).model_copy(update={"questions": (EVIL,)}),
            "cards": (card, *sound.cards[1:]),
            "sources": (made.source("manual", title=EVIL, location=EVIL, authors=(EVIL,)), *sound.sources[1:]),
            "sections": (SectionDraft(heading=EVIL, part="synthesis", paragraphs=paragraphs),),
            "annotations": (Annotation(source="manual", paragraphs=paragraphs),),
            "matrix": (row, *sound.matrix[1:]),
            "searched": (sound.searched[2].model_copy(update={"question": EVIL}),),
            "notes": (EVIL, f"# {EVIL}"),
            "thin": (EVIL,),
        }
    )


@pytest.mark.parametrize("style", ["apa", "harvard", "mla", "chicago", "ieee", "vancouver"])
def test_what_a_source_says_never_becomes_markup(style: str) -> None:
    material = evil_material()
    rendered = render(material.model_copy(update={"task": made.task(journey="research", style=style)}))
    parsed = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(rendered.text)
    assert not {"html_block", "code_block", "fence", "hr", "lheading_open"} & {token.type for token in parsed}
    opened = [token.type for token in parsed if token.nesting == 1]
    assert opened.count("heading_open") == len(rendered.headings)
    assert opened.count("blockquote_open") == 1
    assert opened.count("ordered_list_open") == (style == "vancouver")
    inside = inline_tokens(rendered.text)
    assert not {"html_inline", "image", "code_inline", "s_open", "link_open"} & {token.type for token in inside}
    assert "bold" not in [after.content for before, after in pairwise(inside) if before.type == "strong_open"]
    rows = [token for token in parsed if token.type == "th_open"]
    assert len(rows) == 4 + 1 + len({cell.source for row in material.matrix for cell in row.cells if cell.stance != "silent"})


def test_hostile_claims_still_stand_in_the_text_word_for_word() -> None:
    rendered = render(evil_material())
    assert rendered.claims
    for placed in rendered.claims:
        assert placed.text in rendered.text
        assert f" {placed.section}\n" in rendered.text


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from(list("ab1 .*_~`<>[]()!#|\\&;:+-=\"'/x\t\n\u202e\u00ad")), min_size=1, max_size=40))
def test_any_text_is_shown_as_its_letters(text: str) -> None:
    wanted = inert.plain(text)
    if wanted:
        assert shown(inert.opening(inert.inline(text))) == wanted
        assert shown(f"# {inert.heading(text)}") == wanted
        assert shown(f"- {inert.opening(inert.inline(text))}") == wanted
        table = MarkdownIt("commonmark").enable("table").parse(f"| a | b |\n|---|---|\n| {inert.cell(text)} | c |")
        cells = [token for token in table if token.type == "inline"]
        assert len(cells) == 4
        assert "".join(child.content for child in cells[2].children or ()) == wanted


def test_what_looks_like_an_entity_stays_as_it_is_written() -> None:
    text = "&lt;script&gt; &copy; &#35; &#x41; AT&T; R&D"
    assert shown(inert.inline(text)) == text


def test_titles_in_italics_stay_italic_outside_quotations_and_nowhere_else() -> None:
    lead = made.said("*Python Manual* says under *Task *args*: “Use *this* or **that**.”", "c1", quoted=True)
    material = made.written(sections=(made.section("Only", [lead]),))
    rendered = render(material)
    assert "*Python Manual* says under" in rendered.text
    assert rendered.claims[0].text == "“Use \\*this\\* or \\*\\*that\\*\\*”"
    inside = inline_tokens(rendered.text.split("## Only")[1].split("## What")[0])
    first = next(i for i, token in enumerate(inside) if token.type == "em_open")
    assert inside[first + 1].content == "Python Manual"
    assert "“Use *this* or **that**”" in "".join(token.content for token in inside)


def test_of_a_quotation_behind_its_lead_in_only_the_quotation_is_the_claim() -> None:
    texts = [placed.text for placed in render(made.written()).claims]
    assert texts[0] == "“Tasks can easily and safely be cancelled”"
    assert texts[1] == "When a task is cancelled, CancelledError will be raised at the next opportunity"


def test_plain_prose_takes_no_backslash() -> None:
    prose = "A task's snake_case name (see p. 3; 2 * 3 = 6 & more) costs < 5 €, i.e. #1 of [n] – «ja», “so”: 50% ~ half."
    assert inert.inline(prose) == prose


def test_text_that_is_invisible_or_turns_direction_is_left_out() -> None:
    assert inert.plain("a\u202eb\u00ad\u200bc\x07 \n d") == "abc d"


def test_like_claims_of_several_sources_are_one_row_and_a_number_makes_the_difference() -> None:
    rows = matrix(made.cards(), (made.source("manual"), made.source("handbook"), made.source("notes")), "en")
    timeouts = next(row for row in rows if "c3" in row.cards)
    assert timeouts.cards == ("c3", "c4")
    assert [(cell.source, cell.stance, cell.card) for cell in timeouts.cells] == [
        ("manual", "supports", "c3"), ("handbook", "differs", "c4"), ("notes", "silent", None),
    ]  # fmt: skip
    assert sorted(name for row in rows for name in row.cards) == ["c1", "c2", "c3", "c4", "c5", "c6"]


def test_nearly_the_same_words_of_two_sources_are_one_claim_that_both_support() -> None:
    text = "Tasks can easily and safely be cancelled at any moment."
    other = made.cards()[0].model_copy(update={"id": "c9", "source": "notes", "quote": text})
    rows = matrix((made.cards()[0], other), (made.source("manual"), made.source("notes")), "en")
    assert [[cell.stance for cell in row.cells] for row in rows] == [["supports", "supports"]]


def test_a_denial_makes_the_difference_too() -> None:
    text = "Tasks can not easily and safely be cancelled."
    other = made.cards()[0].model_copy(update={"id": "c9", "source": "notes", "quote": text})
    rows = matrix((made.cards()[0], other), (made.source("manual"), made.source("notes")), "en")
    assert [cell.stance for cell in rows[0].cells] == ["supports", "differs"]


def test_a_row_says_the_gist_only_if_it_is_a_sentence_that_its_quote_carries() -> None:
    def claim(gist: str) -> str:
        return matrix((made.cards()[0].model_copy(update={"gist": gist}),), (made.source("manual"),), "en")[0].claim

    quote = made.cards()[0].quote
    assert claim("Tasks can safely be cancelled.") == "Tasks can safely be cancelled."
    assert claim("Tasks can never be cancelled.") == quote
    assert claim("Task Cancellation") == quote


def test_a_matrix_of_many_sources_names_them_in_cells() -> None:
    sources = tuple(made.source("manual", id=f"s{n}", location=f"{n}.html") for n in range(12))
    cards = tuple(
        made.cards()[0].model_copy(update={"id": f"c{n}", "source": f"s{n}", "quote": made.cards()[0].quote}) for n in range(12)
    )
    rows = matrix(cards, sources, "en")
    text = render(made.packed(sources=sources, cards=cards, matrix=rows, annotations=(), sections=())).text
    assert "| Claim | Supported by | Differs or opposes |" in text
    assert "S1, S2, S3" in text
