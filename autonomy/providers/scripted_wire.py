"""The bodies a scripted server sends, in the shapes of the chat completions and embeddings API."""

from __future__ import annotations

import hashlib
from typing import Any

from autonomy.providers.tokens import estimate

_PIECE = 24
_MOST_PIECES = 400
_DIMENSIONS = 64
_ID = "chatcmpl-scripted"


def usage_of(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Token counts of a request and its answer, by the same estimate that the ports use."""
    prompt = sum(estimate(str(message.get("content", ""))) for message in _messages(body))
    answered = estimate(text)
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered}
    wanted = body.get("usage")
    if isinstance(wanted, dict) and wanted.get("include"):
        usage["cost"] = round((prompt + 4 * answered) / 1_000_000, 9)
    return usage


def capped(body: dict[str, Any], text: str) -> str:
    """As much of an answer as the request's cap on tokens lets through: services hold to it, and budgets rely on that."""
    cap = body.get("max_tokens", body.get("max_completion_tokens"))
    while isinstance(cap, int) and (tokens := estimate(text)) > cap:
        text = text[: len(text) * cap // tokens]
    return text


def completion(body: dict[str, Any], text: str, kind: str) -> dict[str, Any]:
    """A whole answer; `kind` is the behaviour."""
    message: dict[str, Any] = {"role": "assistant", "content": None if kind == "refusal" else text}
    if kind == "refusal":
        message["refusal"] = "I cannot help with that."
    choices = (
        [] if kind in ("empty-choices", "usage-only") else [{"index": 0, "message": message, "finish_reason": _finish(kind)}]
    )
    answer = {"id": _ID, "object": "chat.completion", "created": 0, "model": body.get("model", ""), "choices": choices}
    return answer if kind == "empty-choices" else {**answer, "usage": usage_of(body, text)}


def stream_chunks(body: dict[str, Any], text: str, kind: str) -> list[dict[str, Any]]:
    """The same as a stream: pieces of text, the finish, and a last chunk that has the usage and no choices."""
    frame = {"id": _ID, "object": "chat.completion.chunk", "created": 0, "model": body.get("model", "")}
    usage = {**frame, "choices": [], "usage": usage_of(body, text)}
    if kind == "empty-choices":
        return [{**frame, "choices": []}]
    if kind == "usage-only":
        return [usage]
    if kind == "gateway-error":
        return [{**frame, "choices": []}, error_body("upstream is overloaded", "502")]
    chunks = [_delta(frame, {"role": "assistant", "content": ""}, None)]
    if kind == "refusal":
        chunks.append(_delta(frame, {"refusal": "I cannot help with that."}, None))
        text = ""
    size = max(_PIECE, -(-len(text) // _MOST_PIECES))
    chunks.extend(_delta(frame, {"content": text[at : at + size]}, None) for at in range(0, len(text), size))
    if kind == "unfinished":
        return chunks
    chunks.append(_delta(frame, {}, _finish(kind)))
    options = body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        chunks.append(usage)
    return chunks


def embedding_list(body: dict[str, Any]) -> dict[str, Any]:
    """A vector for each text: words hashed to places, so that equal words come near."""
    given = body.get("input", [])
    texts = [given] if isinstance(given, str) else [str(text) for text in given]
    rows = [{"object": "embedding", "index": place, "embedding": _vector(text)} for place, text in enumerate(texts)]
    tokens = sum(estimate(text) for text in texts)
    return {
        "object": "list",
        "model": body.get("model", ""),
        "data": rows,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def error_body(message: str, code: str | None) -> dict[str, Any]:
    """An error as these services write it."""
    return {"error": {"message": message, "type": "scripted", "param": None, "code": code}}


def _delta(frame: dict[str, Any], delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _finish(kind: str) -> str:
    return "length" if kind == "length" else "stop"


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def _vector(text: str) -> list[float]:
    places = [0.0] * _DIMENSIONS
    for word in text.casefold().split() or [""]:
        digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
        places[digest[0] % _DIMENSIONS] += 1.0 if digest[1] % 2 else -1.0
    length = sum(value * value for value in places) ** 0.5 or 1.0
    return [round(value / length, 6) for value in places]
