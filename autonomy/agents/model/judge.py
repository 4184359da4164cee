"""Judge: does each quote carry its sentence? Yes, partly or no. What the model does not answer counts as no."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import field_validator

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.prompting import joined, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.roles import Judgement, JudgeRequest, Pair
from autonomy.core.prompts import Exhibit, fence, one_line

_BATCH = 12
_TOKENS_PER_PAIR = 90
Verdict = Literal["yes", "partly", "no"]

_SYSTEM = system(
    "You check whether quotations carry the sentences that cite them.",
    "yes: everything the sentence says stands in its quotes. partly: some of it does. no: it does not, or the quotes say "
    "otherwise. A changed number, name, date or negation, or a stronger 'must', is no.",
    "Judge by the quotes alone, not by what you know. Give the reason in a line first, then the verdict.",
)


class Answered(Answer):
    """One pair's verdict."""

    pair: str
    reason: str = ""
    verdict: Verdict

    @field_validator("verdict", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value


class JudgeAnswer(Answer):
    """What judge answers."""

    answers: list[Answered]


async def judge(asker: Asker, request: JudgeRequest) -> Judgement:
    """One answer per pair, in order."""
    answers: list[tuple[str, Verdict, str]] = []
    for start in range(0, len(request.pairs), _BATCH):
        answers.extend(await _judged(asker, request.pairs[start : start + _BATCH]))
    return Judgement(answers=tuple(answers))


async def _judged(asker: Asker, pairs: tuple[Pair, ...]) -> list[tuple[str, Verdict, str]]:
    named = {f"s{number}": pair for number, pair in enumerate(pairs, 1)}
    exhibits = [
        Exhibit(
            name, f"Sentence: {one_line(pair.text)}", "Quotes: " + " / ".join(f'"{one_line(quote)}"' for quote in pair.quotes)
        )
        for name, pair in named.items()
    ]
    user = joined(fence("pairs", exhibits), f"Judge each of the {len(named)} sentences ({', '.join(named)}) by its quotes.")
    prompt = Prompt("judge", "judgement", _SYSTEM, user, 200 + _TOKENS_PER_PAIR * len(named))
    answer = await asker.ask(prompt, JudgeAnswer, partial(_check, names=tuple(named)))
    said = {answered.pair.strip().strip("[]"): answered for answered in answer.answers}
    rows: list[tuple[str, Verdict, str]] = []
    for name, pair in named.items():
        found = said.get(name)
        if found is None:
            rows.append((pair.id, "no", "the model gave no verdict"))
        else:
            rows.append((pair.id, found.verdict, one_line(found.reason, 200)))
    return rows


def _check(answer: JudgeAnswer, names: tuple[str, ...]) -> tuple[str, ...]:
    said = {answered.pair.strip().strip("[]") for answered in answer.answers}
    missing = [name for name in names if name not in said]
    return (f"no verdict for {', '.join(missing)}",) if missing else ()
