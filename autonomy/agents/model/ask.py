"""One question to the model, one checked answer: chat, validate, one repair turn, then BadAnswer.

Every turn is a journaled call of its own. The order matters for replay: the repair turn's request is made from the
first answer's text alone, so a resumed run asks the same and reads the answer instead of paying for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from autonomy.agents.model.shape import answer_schema, faults, read_json
from autonomy.core.errors import BadAnswer
from autonomy.core.llm import ChatMessage, ChatRequest, ChatResponse

M = TypeVar("M", bound=BaseModel)
_SHOWN_BACK = 6_000


class Chat(Protocol):
    """The journaled door to a model."""

    async def chat(
        self,
        request: ChatRequest,
        *,
        check: Callable[[ChatResponse], None] | None = None,
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked. `name` names the answer's schema; `cap` is the most output tokens."""

    role: str
    name: str
    system: str
    user: str
    cap: int


@dataclass(frozen=True, slots=True)
class Reply(Generic[M]):
    """One turn's outcome: `value` when the shape is right, `problems` when it is not or does not serve."""

    value: M | None
    problems: tuple[str, ...]
    text: str
    finish: str

    @property
    def good(self) -> bool:
        """Nothing to complain of."""
        return self.value is not None and not self.problems


Check = Callable[[M], tuple[str, ...]]
"""What is wrong with an answer of the right shape, a line each; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks over one door. `seed` is the run's; `on_token` hears streamed text (streaming also bounds a silent stall)."""

    calls: Chat
    seed: int | None
    on_token: Callable[[str], None]

    async def ask(self, prompt: Prompt, model: type[M], check: Check[M] | None = None) -> M:
        """The answer, after at most one repair turn. Raises BadAnswer when there is none of the right shape.

        An answer of the right shape that still has problems after the repair turn is returned all the same: the
        caller's code removes what does not serve.
        """
        return await self.repaired(prompt, await self.once(prompt, model, check), model, check)

    async def once(
        self, prompt: Prompt, model: type[M], check: Check[M] | None = None, turns: tuple[ChatMessage, ...] = ()
    ) -> Reply[M]:
        """One turn without repair."""
        request = ChatRequest(
            role=prompt.role,
            messages=(ChatMessage("system", prompt.system), ChatMessage("user", prompt.user), *turns),
            max_output_tokens=prompt.cap,
            schema=answer_schema(model),
            schema_name=prompt.name,
            seed=self.seed,
        )
        try:
            response = await self.calls.chat(request, on_token=self.on_token)
        except BadAnswer as error:
            if turns:
                raise
            return Reply(None, (error.message,), "", "unknown")
        return _read(response, model, check)

    async def repaired(self, prompt: Prompt, first: Reply[M], model: type[M], check: Check[M] | None = None) -> M:
        """The first reply if it is good, else the better one of it and a second turn that is shown what was wrong."""
        if first.good and first.value is not None:
            return first.value
        if first.finish == "content_filter":
            raise _unusable(prompt, ("the service withheld the answer",))
        said = (ChatMessage("assistant", first.text[:_SHOWN_BACK]),) if first.text.strip() else ()
        turns = (*said, ChatMessage("user", _complaint(first)))
        second = await self.once(prompt, model, check, turns)
        value = second.value if second.value is not None else first.value
        if value is None:
            raise _unusable(prompt, second.problems)
        return value


def _read(response: ChatResponse, model: type[M], check: Check[M] | None) -> Reply[M]:
    text, finish = response.text, response.finish
    if finish == "length":
        return Reply(None, ("the answer was cut off before its end",), text, finish)
    if not text.strip():
        return Reply(None, ("the answer was empty",), text, finish)
    try:
        value = model.model_validate(read_json(text))
    except ValidationError as error:
        return Reply(None, faults(error), text, finish)
    except ValueError as error:
        return Reply(None, (str(error),), text, finish)
    return Reply(value, check(value) if check else (), text, finish)


def _complaint(reply: Reply[M]) -> str:
    lines = "\n".join(f"- {problem}" for problem in reply.problems)
    shorter = " Be much shorter: fewer and shorter entries." if reply.finish == "length" else ""
    return f"That answer cannot be used:\n{lines}\nAnswer again, whole, in the form asked for.{shorter}"


def _unusable(prompt: Prompt, problems: tuple[str, ...]) -> BadAnswer:
    return BadAnswer(
        f"the model's answer for {prompt.role} cannot be used ({'; '.join(problems[:2])})",
        "Try again, or name another model or provider.",
    )
