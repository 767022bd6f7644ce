"""One tokenizer, many threads, the same results."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

PARTS = ("the fox", "Refund me!", "[SEP]", "é", "e\u0301", "中文", " ", "\n", "𓀀", "😀", "zebras", "</s>")


@pytest.mark.parametrize("kind_name", ["wordpiece", "byte-bpe", "spm"])
def test_sixteen_threads_get_what_one_gets(tokenizer_of, kind_name):
    tokenizer, rng = tokenizer_of(kind_name), random.Random(3)
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(1, 30))) for _ in range(1_000)]
    alone = [tokenizer.encode(text) for text in texts]
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(tokenizer.encode, texts))
    assert [each.ids.tolist() for each in together] == [each.ids.tolist() for each in alone]
    assert [each.offsets.tolist() for each in together] == [each.offsets.tolist() for each in alone]
