"""The embedded vectors: near for near spellings, the same in every process, stored and read without loss."""

from __future__ import annotations

import math
import subprocess
import sys
from operator import mul

import pytest

from autonomy.memory.embedding import HashEmbedder, from_bytes, to_bytes, to_text

EMBEDDER = HashEmbedder()


def near(one: str, other: str) -> float:
    left, right = EMBEDDER.embed([one, other])
    return float(sum(map(mul, left, right)))


def test_near_spellings_are_near_and_other_matters_are_far() -> None:
    assert near("cancelling tasks", "a task was cancelled") > 0.5
    assert near("Kündigung der Wohnung", "Kündigungen von Wohnungen") > 0.4
    assert near("タスクのキャンセル", "タスクをキャンセルする") > 0.4
    assert near("cancelling tasks", "the price of bread") < 0.2


@pytest.mark.parametrize("text", ["a pump moves water", "日本語の文章", "x"])
def test_vectors_have_length_one_and_survive_storing(text: str) -> None:
    (vector,) = EMBEDDER.embed([text])
    assert len(vector) == EMBEDDER.dim == 384
    assert math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-5)
    assert from_bytes(to_bytes(vector)) == vector
    assert to_text(vector).startswith("[")


def test_a_text_without_words_is_the_zero_vector() -> None:
    assert not any(EMBEDDER.embed(["", "?!", "the of"])[0])


def test_another_process_makes_the_same_vector() -> None:
    code = "from autonomy.memory.embedding import *; print(to_bytes(HashEmbedder().embed(['a pump'])[0]).hex())"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert there == to_bytes(EMBEDDER.embed(["a pump"])[0]).hex()
