"""A remote embedding service in the shape that memory asks for; the one retry layer of these calls stands here."""

from __future__ import annotations

from collections.abc import Sequence

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from autonomy.core.errors import ProviderUnavailable
from autonomy.providers.embeddings import RemoteEmbedder


class ServiceEmbedder:
    """Vectors from a service; `name` keeps them apart from others in the index."""

    def __init__(self, remote: RemoteEmbedder) -> None:
        self._remote = remote

    @property
    def name(self) -> str:
        """The service's model and host."""
        return self._remote.name

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector per text, in order. At most four requests per batch, with backoff."""
        retrying = Retrying(
            stop=stop_after_attempt(4),
            wait=wait_exponential_jitter(initial=1, max=30),
            retry=retry_if_exception_type(ProviderUnavailable),
            reraise=True,
        )
        return retrying(self._remote.embed_sync, texts)
