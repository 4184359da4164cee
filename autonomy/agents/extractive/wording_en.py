"""The player's own words in English; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

ENGLISH = Wording(
    quotes=("“", "”"),
    joint=" and ",
    thousands=",",
    numerals=("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    kinds={
        "text/html": "web page",
        "application/pdf": "PDF document",
        "text/markdown": "Markdown document",
        "text/plain": "plain text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
        "": "document",
    },
    section_claim="{count} passages from {sources} sources on {heading}",
    opens_one=(
        "One source speaks to this point: {title}.",
        "Only {title} has something to say here.",
        "All that was found on this point stands in {title}.",
        "A single source, {title}, treats this.",
        "For this point the evidence comes from {title} alone.",
        "This part rests on one source, {title}.",
    ),
    opens_many=(
        "{Count} sources treat this point: {titles}.",
        "The evidence for this part comes from {count} sources: {titles}.",
        "On this point {count} sources are quoted: {titles}.",
        "{Count} documents have something to say here: {titles}.",
        "This part draws on {titles}.",
        "What follows is taken from {titles}.",
        "Passages on this point stand in {titles}.",
    ),
    plain=("It says:", "There one reads:", "It puts it so:", "This is what it says:"),
    new_source=(
        "{title} says under {section}:",
        "Under {section}, {title} puts it so:",
        "In {title}, under {section}, one reads:",
        "According to {title}, in the part {section}:",
        "{title}, in its part {section}, has this:",
        "From {title}, under {section}:",
        "In the words of {title} ({section}):",
        "Under {section}, {title} states:",
    ),
    new_source_bare=(
        "{title} says:",
        "{title} puts it so:",
        "In {title} one reads:",
        "In the words of {title}:",
        "From {title}:",
        "{title} states:",
    ),
    other_section=(
        "Under {section} it says:",
        "The part {section} has this:",
        "In the same document, under {section}:",
        "Its part {section} puts it so:",
        "Elsewhere in it, under {section}:",
    ),
    same_section=(
        "It goes on:",
        "The same part adds:",
        "In the same place:",
        "There it also says:",
        "And in the same part:",
        "It adds:",
    ),
    same_source=(
        "It goes on:",
        "The same document adds:",
        "It also says:",
        "Further on in it:",
        "And in the same document:",
        "It adds:",
    ),
    differ=(
        "On this point {titles} do not agree in a figure or a negation; both are quoted here.",
        "The wording differs here between {titles}: a figure or a negation is not the same.",
        "Read together, {titles} differ in a figure or a negation.",
    ),
    annotation=(
        "{title} is a {kind} of about {words} words; its main parts are {headings}.",
        "This {kind} of about {words} words covers {headings}.",
        "In about {words} words this {kind} treats {headings}.",
        "A {kind} of about {words} words, with {headings} as its main parts.",
    ),
    annotation_bare=(
        "{title} is a {kind} of about {words} words.",
        "{title}, a {kind}, has about {words} words.",
    ),
    annotation_nearest=(
        "The passage closest to the question is {claim}.",
        "Closest to what was asked comes {claim}.",
        "What was asked is met most closely by {claim}.",
    ),
    annotation_more=(
        "In all, {count} of its passages are quoted above: {claims}.",
        "Of its passages {count} are quoted above: {claims}.",
    ),
    annotation_only="Nothing else in it both spoke to what was asked and could be quoted by itself:"
    " the rest repeats, leans on its place or treats of something else.",
    annotation_found=(
        "It came up only when the question was put in other words: {question}",
        "Only another wording of the question led to it: {question}",
    ),
    annotation_answers=(
        "It was searched for {asked} questions and brought evidence on {count} of them.",
        "It gave evidence on {count} of the {asked} questions that were asked.",
    ),
    annotation_limit=(
        "Nothing was taken from it on the question: {question}",
        "It brought no passage on this question: {question}",
    ),
    annotation_full=(
        "It brought evidence on every question that was asked.",
        "No question that was asked went without a passage from it.",
    ),
    shared=(
        "{Count} sources carry this point: {titles}.",
        "Here {count} sources agree: {titles}.",
        "The same point stands in {count} sources: {titles}.",
        "This is carried by {titles}.",
    ),
    shared_differ=(
        "Here {titles} speak of the same thing but differ in a figure or a negation.",
        "{titles} treat the same point and do not agree in a figure or a negation.",
    ),
    question_topic="the question {question}",
    synthesis_one=(
        "On {topic}, one source speaks: {title}.",
        "For {topic}, everything that was found stands in {title}.",
        "{title} is the only source found on {topic}.",
        "On {topic}, only {title} has something to say.",
    ),
    synthesis_many=(
        "On {topic}, {count} sources are quoted: {titles}.",
        "{Count} sources speak to {topic}: {titles}.",
        "For {topic}, there are passages in {titles}.",
    ),
    introduction=(
        "This document gathers what {count} sources say on {goal}. It was put together by rule from quotations, without a "
        "language model: every statement on the matter is quoted, with its source.",
        "What {count} sources say on {goal} is put together here, by rule and without a language model: all statements on "
        "the matter are quotations, each with its source.",
    ),
    introduction_one=(
        "This document gathers what one source says on {goal}. It was put together by rule from quotations, without a "
        "language model: every statement on the matter is quoted.",
        "What one source says on {goal} is put together here, by rule and without a language model: all statements on the "
        "matter are quotations from it.",
    ),
    introduction_points=("The goal names these points: {points}.", "Asked for in particular: {points}."),
    introduction_sections=("The parts in order: {headings}.", "It has {count} parts: {headings}.", "The parts are {headings}."),
    conclusion=(
        "On {goal}, {count} passages were selected from {sources} sources, most of them from {titles}.",
        "The search on {goal} ended with {count} selected passages from {sources} sources; most come from {titles}.",
    ),
    conclusion_one=(
        "On {goal}, all selected passages ({digits}) come from one source, {titles}.",
        "The search on {goal} ended with {digits} selected passages, all from {titles}.",
    ),
    conclusion_gaps=(
        "Looked for, without a passage beyond those above: {gaps}.",
        "The sources hold no further quotable answer to these questions: {gaps}.",
    ),
    conclusion_little=(
        "The sources speak only in part to: {gaps}.",
        "Only part of what these questions ask is in the sources: {gaps}.",
    ),
    conclusion_none=(
        "Every question that was put to the sources brought at least one passage.",
        "No question that was put to the sources stayed without a passage.",
    ),
    dropped="A statement was left out because no passage carries it.",
    and_more=" and {count} more",
)
