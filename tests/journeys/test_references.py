"""References and marks: golden texts for each style, written from the styles' published rules, and the rules between works."""

from __future__ import annotations

import pytest

from autonomy.core.types import Anchor, Source, Style
from autonomy.journeys.people import Name, name
from autonomy.journeys.references import bibliography
from tests.journeys import made

PAGE = Anchor(page=12, start=0, end=1)
SECTION = Anchor(section="Task Cancellation", start=0, end=1)
BOOK = made.source("handbook")
NAMELESS = made.source("manual")
WEB = made.source(
    "notes", id="web", title="Cancel a task", location="https://docs.example.org/cancel", media_type="text/html",
    authors=("Doe, Jane Q.",), year=2021,
)  # fmt: skip
BODY = made.source(
    "notes", id="body", title="What is a task?", location="https://example.org/task", media_type="text/html",
    authors=("Example Software Foundation",),
)  # fmt: skip
THREE = made.source(
    "notes", id="three", title="Three authors", location="three.pdf", media_type="application/pdf",
    authors=("Ana Ruiz", "Bo Li", "Cy van Dam"), year=2019,
)  # fmt: skip
ALL = (BOOK, NAMELESS, WEB, BODY, THREE)

GOLDEN: dict[Style, tuple[str, ...]] = {
    "apa": (
        "- Doe, J. Q. (2021). *Cancel a task*. <https://docs.example.org/cancel>",
        "- Doe, J. Q., & Mas, R. (2020). *Administration Handbook* [PDF]. handbook.pdf",
        "- Example Software Foundation. (n.d.). *What is a task?* Retrieved January 2, 2025, from <https://example.org/task>",
        "- *Python Manual* [HTML]. (n.d.). library/asyncio-task.html",
        "- Ruiz, A., Li, B., & van Dam, C. (2019). *Three authors* [PDF]. three.pdf",
    ),
    "harvard": (
        "- Doe, J.Q. (2021) *Cancel a task*. Available at: <https://docs.example.org/cancel> (Accessed: 2 January 2025).",
        "- Doe, J.Q. and Mas, R. (2020) *Administration Handbook* [PDF]. Available at: handbook.pdf "
        "(Accessed: 2 January 2025).",
        "- Example Software Foundation (no date) *What is a task?* Available at: <https://example.org/task> "
        "(Accessed: 2 January 2025).",
        "- *Python Manual* (no date) [HTML]. Available at: library/asyncio-task.html (Accessed: 2 January 2025).",
        "- Ruiz, A., Li, B. and van Dam, C. (2019) *Three authors* [PDF]. Available at: three.pdf (Accessed: 2 January 2025).",
    ),
    "mla": (
        '- Doe, Jane Q. "Cancel a task." 2021, <https://docs.example.org/cancel>. Accessed 2 Jan. 2025.',
        "- Doe, Jane Q., and Roland Mas. *Administration Handbook*. 2020, handbook.pdf. PDF.",
        '- Example Software Foundation. "What is a task?" <https://example.org/task>. Accessed 2 Jan. 2025.',
        "- *Python Manual*. library/asyncio-task.html. HTML.",
        "- Ruiz, Ana, et al. *Three authors*. 2019, three.pdf. PDF.",
    ),
    "chicago": (
        '- Doe, Jane Q. 2021. "Cancel a task." Accessed January 2, 2025. <https://docs.example.org/cancel>.',
        "- Doe, Jane Q., and Roland Mas. 2020. *Administration Handbook*. PDF. handbook.pdf.",
        '- Example Software Foundation. n.d. "What is a task?" Accessed January 2, 2025. <https://example.org/task>.',
        "- *Python Manual*. n.d. HTML. library/asyncio-task.html.",
        "- Ruiz, Ana, Bo Li, and Cy van Dam. 2019. *Three authors*. PDF. three.pdf.",
    ),
    "ieee": (
        "[1] J. Q. Doe and R. Mas, *Administration Handbook*, 2020. [PDF]. Available: handbook.pdf",
        "[2] *Python Manual*. [HTML]. Available: library/asyncio-task.html",
        '[3] J. Q. Doe. "Cancel a task." 2021. Accessed: Jan. 2, 2025. [Online]. Available: <https://docs.example.org/cancel>',
        '[4] Example Software Foundation. "What is a task?" Accessed: Jan. 2, 2025. [Online]. Available: <https://example.org/task>',
        "[5] A. Ruiz, B. Li, and C. van Dam, *Three authors*, 2019. [PDF]. Available: three.pdf",
    ),
    "vancouver": (
        "1. Doe JQ, Mas R. Administration Handbook [PDF]. 2020 [cited 2025 Jan 2]. Available from: handbook.pdf",
        "2. Python Manual [HTML]. [date unknown] [cited 2025 Jan 2]. Available from: library/asyncio-task.html",
        "3. Doe JQ. Cancel a task [Internet]. 2021 [cited 2025 Jan 2]. Available from: <https://docs.example.org/cancel>",
        "4. Example Software Foundation. What is a task? [Internet]. [date unknown] [cited 2025 Jan 2]. "
        "Available from: <https://example.org/task>",
        "5. Ruiz A, Li B, van Dam C. Three authors [PDF]. 2019 [cited 2025 Jan 2]. Available from: three.pdf",
    ),
}
MARKS: dict[Style, tuple[str, str, str, str]] = {
    "apa": (
        "(Doe & Mas, 2020, p. 12)", '(*Python Manual*, n.d., "Task Cancellation" section)', "(Ruiz et al., 2019, p. 12)",
        "(Doe & Mas, 2020, p. 12; Ruiz et al., 2019, pp. 12, 14)",
    ),
    "harvard": (
        "(Doe and Mas, 2020, p. 12)", '(*Python Manual*, no date, "Task Cancellation" section)',
        "(Ruiz, Li and van Dam, 2019, p. 12)", "(Doe and Mas, 2020, p. 12; Ruiz, Li and van Dam, 2019, pp. 12, 14)",
    ),
    "mla": (
        "(Doe and Mas 12)", '(*Python Manual*, sec. "Task Cancellation")', "(Ruiz et al. 12)",
        "(Doe and Mas 12; Ruiz et al. 12, 14)",
    ),
    "chicago": (
        "(Doe and Mas 2020, 12)", '(*Python Manual*, n.d., under "Task Cancellation")', "(Ruiz, Li, and van Dam 2019, 12)",
        "(Doe and Mas 2020, 12; Ruiz, Li, and van Dam 2019, 12, 14)",
    ),
    "ieee": ("[1, p. 12]", '[2, sec. "Task Cancellation"]', "[5, p. 12]", "[1, p. 12], [5, pp. 12, 14]"),
    "vancouver": ("[1, p. 12]", '[2, sec. "Task Cancellation"]', "[5, p. 12]", "[1, p. 12], [5, pp. 12, 14]"),
}  # fmt: skip


@pytest.mark.parametrize("style", GOLDEN)
def test_the_list_is_written_by_the_rules_of_its_style(style: Style) -> None:
    assert bibliography(style, "en", ALL, [each.id for each in ALL]).listing() == GOLDEN[style]


@pytest.mark.parametrize("style", MARKS)
def test_marks_are_written_by_the_rules_of_their_style(style: Style) -> None:
    made_list = bibliography(style, "en", ALL, [each.id for each in ALL])
    assert (
        made_list.mark([("handbook", PAGE)]),
        made_list.mark([("manual", SECTION)]),
        made_list.mark([("three", PAGE)]),
        made_list.mark([("three", PAGE), ("handbook", PAGE), ("three", Anchor(page=14, start=0, end=1))]),
    ) == MARKS[style]


def test_numbers_follow_the_first_citation_and_repeats_take_no_new_one() -> None:
    made_list = bibliography("ieee", "en", ALL, ["web", "handbook", "web", "three"])
    assert made_list.numbers == {"web": 1, "handbook": 2, "three": 3}


def test_only_cited_works_are_listed_and_an_unlisted_one_has_no_mark() -> None:
    made_list = bibliography("apa", "en", ALL, ["web"])
    assert len(made_list.listing()) == 1
    with pytest.raises(KeyError):
        made_list.mark([("handbook", PAGE)])


def _two(**change: object) -> tuple[Source, Source]:
    first = made.source("handbook", id="first", title="Alpha", location="a.pdf", **change)
    return first, made.source("handbook", id="second", title="Beta", location="b.pdf", **change)


@pytest.mark.parametrize(
    ("style", "marks"),
    [
        ("apa", ("(Doe & Mas, 2020a, p. 12)", "(Doe & Mas, 2020b, p. 12)")),
        ("harvard", ("(Doe and Mas, 2020a, p. 12)", "(Doe and Mas, 2020b, p. 12)")),
        ("chicago", ("(Doe and Mas 2020a, 12)", "(Doe and Mas 2020b, 12)")),
        ("mla", ("(Doe and Mas, *Alpha* 12)", "(Doe and Mas, *Beta* 12)")),
    ],
)
def test_works_of_the_same_authors_and_year_are_told_apart(style: Style, marks: tuple[str, str]) -> None:
    pair = _two()
    made_list = bibliography(style, "en", pair, ["second", "first"])
    assert (made_list.mark([("first", PAGE)]), made_list.mark([("second", PAGE)])) == marks
    if style != "mla":
        assert "(2020a)" in made_list.listing()[0].replace("2020a.", "(2020a)")


@pytest.mark.parametrize(
    ("style", "first", "second"),
    [
        ("apa", "(*Alpha*, n.d.-a)", "(*Alpha*, n.d.-b)"),
        ("harvard", "(*Alpha*, no date a)", "(*Alpha*, no date b)"),
        ("chicago", "(*Alpha*, n.d.-a)", "(*Alpha*, n.d.-b)"),
        ("mla", "(*Alpha* [a.pdf])", "(*Alpha* [b.pdf])"),
    ],
)
def test_works_without_author_and_year_of_the_same_title_are_told_apart(style: Style, first: str, second: str) -> None:
    pair = tuple(each.model_copy(update={"title": "Alpha"}) for each in _two(authors=(), year=None))
    made_list = bibliography(style, "en", pair, ["second", "first"])
    bare = Anchor(start=0, end=1)
    assert (made_list.mark([("first", bare)]), made_list.mark([("second", bare)])) == (first, second)


def test_no_two_of_sixty_twins_share_a_mark() -> None:
    many = [made.source("manual", id=f"s{n}", location=f"{n}.html") for n in range(60)]
    for style in ("apa", "harvard", "mla", "chicago", "ieee", "vancouver"):
        made_list = bibliography(style, "en", many, [each.id for each in many])
        assert len({made_list.mark([(each.id, SECTION)]) for each in many}) == 60


def test_german_and_spanish_documents_have_their_own_words() -> None:
    german = bibliography("apa", "de", ALL, [each.id for each in ALL])
    assert german.mark([("manual", SECTION), ("handbook", PAGE)]) == (
        '(Doe & Mas, 2020, S. 12; *Python Manual*, o. J., Abschnitt "Task Cancellation")'
    )
    assert "Abgerufen am 2. Januar 2025 von" in german.entry("body")
    spanish = bibliography("harvard", "es", ALL, [each.id for each in ALL])
    assert spanish.entry("three") == (
        "Ruiz, A., Li, B. y van Dam, C. (2019) *Three authors* [PDF]. Disponible en: three.pdf "
        "(Consultado el: 2 de enero de 2025)."
    )


def test_a_hostile_title_stays_letters_in_entry_and_mark() -> None:
    evil = made.source("manual", title="# <script>alert(1)</script> [x](javascript:y) *z*", location="a`b.html")
    for style in ("apa", "mla", "ieee"):
        made_list = bibliography(style, "en", [evil], ["manual"])
        shown = made_list.entry("manual") + made_list.mark([("manual", SECTION)])
        assert "\\<script>" in shown
        assert " <script>" not in shown
        assert "](javascript" not in shown.replace("\\](javascript", "")
        assert "a\\`b.html" in shown


def test_an_address_that_could_leave_its_brackets_is_not_made_a_link() -> None:
    evil = made.source("manual", location="https://example.org/> <b>bold</b>")
    assert "<https" not in bibliography("apa", "en", [evil], ["manual"]).entry("manual")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Jane Q. Doe", Name("Doe", "Jane Q.")),
        ("Ludwig van Beethoven", Name("van Beethoven", "Ludwig")),
        ("Doe, Jane, Jr.", Name("Doe", "Jane", "Jr.")),
        ("Python Software Foundation", Name("Python Software Foundation")),
        ("Acme, Inc.", Name("Acme, Inc.")),
        ("The Debian Project", Name("The Debian Project")),
        ("山田太郎", Name("山田太郎")),
        ("root", Name("root")),
    ],
)
def test_a_person_is_taken_apart_and_a_body_is_not(text: str, wanted: Name) -> None:
    assert name(text) == wanted


def test_initials_keep_their_hyphen() -> None:
    assert name("Jean-Paul Sartre").initials() == "J.-P."
