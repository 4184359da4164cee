"""Embeddings from any OpenAI-compatible `/embeddings`: one request per batch, errors mapped as for chat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from autonomy.core.errors import BadAnswer
from autonomy.providers import openai_errors as errors
from autonomy.providers.openai_client import async_client, host_of, sync_client
from autonomy.providers.profiles import provider_settings
from autonomy.providers.settings import ProviderSettings, Secret

_BATCH = 64


class RemoteEmbedder:
    """A named embedder. `name` goes into the index, so that vectors of two embedders never meet.

    `embed` and `embed_sync` give one vector (a list of finite floats, all of one length) per text, in order. They raise
    ProviderUnavailable, ProviderRefused or BadAnswer; retries are the caller's business.
    """

    def __init__(self, name: str, model: str, base_url: str, api_key: Secret | None = None, *, timeout: float = 60.0) -> None:
        self.name = name or f"{model}@{host_of(base_url)}"
        self._timeout = timeout
        self._settings: ProviderSettings = provider_settings(
            self.name, "compatible", model=model, base_url=base_url, api_key=api_key
        )

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of the texts, from within an event loop."""
        vectors: list[list[float]] = []
        async with async_client(self._settings) as client:
            for batch in _batches(texts):
                with self._mapped():
                    answer = await client.embeddings.create(
                        model=self._settings.model, input=batch, encoding_format="float", timeout=self._timeout
                    )
                vectors.extend(self._checked(answer, batch))
        return self._even(vectors)

    def embed_sync(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of the texts, from a thread without a loop."""
        vectors: list[list[float]] = []
        with sync_client(self._settings) as client:
            for batch in _batches(texts):
                with self._mapped():
                    answer = client.embeddings.create(
                        model=self._settings.model, input=batch, encoding_format="float", timeout=self._timeout
                    )
                vectors.extend(self._checked(answer, batch))
        return self._even(vectors)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise errors.status_error(error, self._settings) from None
        except openai.APITimeoutError:
            raise errors.stalled(self._settings, self._timeout) from None
        except openai.APIConnectionError as error:
            raise errors.unreachable(self._settings, error) from None
        except (openai.OpenAIError, ValueError):
            raise self._bad("something that is no list of embeddings") from None

    def _checked(self, answer: object, batch: list[str]) -> list[list[float]]:
        rows = getattr(answer, "data", None)
        if not isinstance(rows, list) or len(rows) != len(batch):
            raise self._bad(f"not one vector for each of {len(batch)} texts")
        vectors: dict[int, list[float]] = {}
        for place, row in enumerate(rows):
            index, values = getattr(row, "index", None), getattr(row, "embedding", None)
            if not isinstance(values, list) or not values or not all(_is_number(value) for value in values):
                raise self._bad("a vector that is not made of finite numbers")
            vectors[index if isinstance(index, int) else place] = [float(value) for value in values]
        if sorted(vectors) != list(range(len(batch))):
            raise self._bad("vectors whose places do not match the texts")
        return [vectors[place] for place in range(len(batch))]

    def _even(self, vectors: list[list[float]]) -> list[list[float]]:
        if len({len(vector) for vector in vectors}) > 1:
            raise self._bad("vectors of different lengths")
        return vectors

    def _bad(self, what: str) -> BadAnswer:
        return BadAnswer(f"{errors.who(self._settings)} answered with {what}", "Check the embedding model and base_url.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _BATCH):
        # An empty string is refused by several services; a space has a vector everywhere.
        yield [text or " " for text in texts[start : start + _BATCH]]
