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
        "Quoted here is {title}.",
        "This part quotes {title}.",
        "The quotations of this part come from {title}.",
        "What follows is taken from {title}.",
    ),
    opens_many=(
        "On this point {count} sources are quoted: {titles}.",
        "The quotations of this part come from {count} sources: {titles}.",
        "{Count} sources are quoted here: {titles}.",
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
        "There it also says:",
        "The same part adds:",
        "In the same place:",
        "There one also reads:",
        "And in the same part:",
        "It adds:",
    ),
    same_source=(
        "In it one also reads:",
        "The same document adds:",
        "It also says:",
        "Another passage in it:",
        "And in the same document:",
        "It adds:",
    ),
    differ=(
        "On this point {titles} do not agree in a figure or a negation; both are quoted here.",
        "The wording differs here between {titles}: a figure or a negation is not the same.",
        "Read together, {titles} differ in a figure or a negation.",
    ),
    annotation=(
        "{title} is a {kind} of about {words} words; among its headings: {headings}.",
        "{title}, a {kind} of about {words} words, has among its headings: {headings}.",
        "This {kind} has about {words} words; among its headings: {headings}.",
    ),
    annotation_bare=(
        "{title} is a {kind} of about {words} words.",
        "{title}, a {kind}, has about {words} words.",
    ),
    annotation_nearest=(
        "Of what is quoted from it, {claim} was rated closest to the question.",
        "Among its quotations, {claim} was rated closest to what was asked.",
    ),
    annotation_more=(
        "It is quoted in {count} of the claims above: {claims}.",
        "Of the claims above, {count} quote it: {claims}.",
    ),
    annotation_only="What is quoted from it stands word for word among the claims above, each with its place; the rest "
    "of it was either not found by the questions that were searched or not selected.",
    annotation_answers=(
        "Questions that quotations from it speak to: {digits} of {asked}.",
        "Of the questions that were asked, its quotations speak to {digits} of {asked}.",
    ),
    annotation_limit=(
        "Nothing was taken from it on the question: {question}",
        "It brought no passage on this question: {question}",
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
        "On {topic}, {title} is quoted here.",
        "For {topic}, the quotations here come from {title}.",
    ),
    synthesis_many=(
        "On {topic}, {count} sources are quoted: {titles}.",
        "For {topic}, {count} sources are quoted here: {titles}.",
        "For {topic}, there are passages in {titles}.",
    ),
    introduction=(
        "This document quotes {count} sources on {goal}. It was put together by rule, without a language "
        "model, and the sentences between the quotations were made by rule.",
        "Here {count} sources are quoted on {goal}. The text was put together by rule and without a language "
        "model; so were the sentences between the quotations.",
    ),
    introduction_one=(
        "This document quotes one source on {goal}. It was put together by rule, without a language model, "
        "and the sentences between the quotations were made by rule.",
        "Here one source is quoted on {goal}. The text was put together by rule and without a language "
        "model; so were the sentences between the quotations.",
    ),
    introduction_points=("The goal names these points: {points}.", "Asked for in particular: {points}."),
    introduction_sections=(
        "The text has {count} parts, headed {headings}.",
        "The headings of its {count} parts: {headings}.",
    ),
    conclusion=(
        "On {goal}, {count} passages are quoted above from {sources} sources, most of them from {titles}.",
        "The document quotes {count} passages on {goal} from {sources} sources; most come from {titles}.",
    ),
    conclusion_one=("What is quoted above on {goal} comes from {titles} (quotations: {digits}).",),
    conclusion_gaps=(
        "No quotation was found for: {gaps}.",
        "Looked for, without a quotation that could be given: {gaps}.",
    ),
    conclusion_little=("No passage of the sources covers half of any of these questions: {gaps}.",),
    conclusion_little_one=("No passage of the sources covers half of this question: {gaps}.",),
    dropped="A statement was left out because no passage carries it.",
    and_more=" and {count} more",
)
