"""Embeddings over real HTTP: order, batches, errors, and nothing but finite numbers of one length."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.core.errors import BadAnswer, ProviderRefused, ProviderUnavailable
from autonomy.providers import scripted
from autonomy.providers.embeddings import RemoteEmbedder
from autonomy.providers.scripted import ScriptedServer
from autonomy.providers.scripted_wire import embedding_list
from autonomy.providers.settings import Secret

Serve = Callable[..., ScriptedServer]


def embedder(server: ScriptedServer, **options: Any) -> RemoteEmbedder:
    return RemoteEmbedder("", "text-embedding-scripted", server.base_url, Secret("sk-embed-123456"), **options)


async def test_every_text_gets_its_vector_in_order_and_in_batches(serve: Serve) -> None:
    server = serve()
    texts = [f"word{number} tide" for number in range(130)] + ["", "word0 tide"]
    made = embedder(server)
    vectors = await made.embed(texts)
    assert len(vectors) == len(texts)
    assert vectors[0] == vectors[-1] != vectors[1]
    assert {len(vector) for vector in vectors} == {64}
    assert all(math.isfinite(value) for vector in vectors for value in vector)
    assert [len(record.body["input"]) for record in server.requests] == [64, 64, 4]
    assert made.name == f"text-embedding-scripted@{server.base_url.split('/')[2]}"
    assert embedder(server).embed_sync(texts) == vectors


async def test_no_texts_are_no_request(serve: Serve) -> None:
    server = serve()
    assert await embedder(server).embed([]) == []
    assert server.requests == ()


@pytest.mark.parametrize(
    ("script", "kind"),
    [("429*", ProviderUnavailable), ("500*", ProviderUnavailable), ("401*", ProviderRefused), ("not-json*", BadAnswer)],
)
async def test_errors_are_mapped_as_for_chat_after_one_request(serve: Serve, script: str, kind: type[Exception]) -> None:
    server = serve(script)
    with pytest.raises(kind) as caught:
        await embedder(server).embed(["one"])
    assert "sk-embed" not in str(caught.value)
    assert len(server.requests) == 1
    with pytest.raises(kind):
        embedder(server).embed_sync(["one"])


async def test_a_silent_service_is_left(serve: Serve) -> None:
    with pytest.raises(ProviderUnavailable):
        await embedder(serve("stall:60"), timeout=0.2).embed(["one"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows[:-1],
        lambda rows: [{**row, "embedding": []} for row in rows],
        lambda rows: [{**row, "embedding": [math.nan]} for row in rows],
        lambda rows: [{**row, "embedding": ["a"]} for row in rows],
        lambda rows: [{**row, "index": 0} for row in rows],
        lambda rows: [rows[0], {**rows[1], "embedding": [1.0]}],
        lambda rows: None,
    ],
)
async def test_vectors_that_are_none_are_a_bad_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Any], Any]
) -> None:
    def spoilt(body: dict[str, Any]) -> dict[str, Any]:
        made = embedding_list(body)
        return {**made, "data": spoil(made["data"])}

    monkeypatch.setattr(scripted, "embedding_list", spoilt)
    with pytest.raises(BadAnswer):
        await embedder(serve()).embed(["one", "two"])


async def test_vectors_come_back_in_the_order_asked_whatever_the_order_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = await embedder(serve()).embed(["one", "two"])

    def turned(body: dict[str, Any]) -> dict[str, Any]:
        made = embedding_list(body)
        return json.loads(json.dumps({**made, "data": made["data"][::-1]}))  # type: ignore[no-any-return]

    monkeypatch.setattr(scripted, "embedding_list", turned)
    assert await embedder(serve()).embed(["one", "two"]) == straight
