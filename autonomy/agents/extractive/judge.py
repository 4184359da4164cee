"""Does each quote carry its sentence? By the countable things; what stays unsure is said to be."""

from __future__ import annotations

from typing import Literal

from autonomy.agents.roles import Judgement, JudgeRequest, Pair
from autonomy.text.language import detect
from autonomy.text.support import DOUBTFUL, support

Answer = Literal["yes", "partly", "no"]


def judge(request: JudgeRequest) -> Judgement:
    """One answer per pair, in order."""
    fallback = request.task.language or detect(request.task.goal)
    return Judgement(answers=tuple(_answer(pair, fallback) for pair in request.pairs))


def _answer(pair: Pair, fallback: str) -> tuple[str, Answer, str]:
    language = detect(pair.text, default=fallback)
    found = support(pair.text, pair.quotes, language)
    if found.carried:
        return pair.id, "yes", found.reason
    agrees = not found.missing and found.parity and not found.stronger
    verdict: Answer = "partly" if agrees and found.recall >= DOUBTFUL else "no"
    return pair.id, verdict, found.reason
