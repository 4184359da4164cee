"""The child that reads documents for the memory: a file in, its text and its chunks out."""

from __future__ import annotations

import hashlib
from typing import Any

from autonomy.memory import chunks
from autonomy.memory.child import file_bytes, serve
from autonomy.memory.readers import choose
from autonomy.memory.readers.document import Limits


def answer(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Read the file that the request names: {status: ok | unchanged, ...}. Raises InvalidInput with what is wrong with it."""
    data = file_bytes(request["path"], limits)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == request["sha256"]:
        return {"status": "unchanged", "sha256": sha256}
    document = choose.read(data, request["name"], limits)
    found = chunks.chunk(document)
    return {
        "status": "ok",
        "sha256": sha256,
        "document": {name: getattr(document, name) for name in document.__slots__},
        "chunks": [[getattr(one, name) for name in one.__slots__] for one in found],
        "words": chunks.count_words(document.text),
    }


if __name__ == "__main__":
    serve(answer)
