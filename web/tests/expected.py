"""Write what the Python package says to the cases, as JSON on stdout: the page must say the same.

``python tests/expected.py MODEL_DIR scores`` or ``tokens``. The torch backend widens the stored 8-bit weights
to float32 and rounds no activations, as the page does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cases import answer_cases, classify_cases, entail_cases, fuzzed_texts

import labelwise
from labelwise.model import Model
from labelwise.text.tokenizer import TextTokenizer


def main(folder: Path, what: str) -> None:
    """Write the expected scores or tokens."""
    found = tokens(folder) if what == "tokens" else scores(labelwise.load(folder, backend="torch", threads=2))
    json.dump(found, sys.stdout)


def scores(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Return the cases, each with its ``expected`` result."""
    cases: dict[str, list[dict[str, Any]]] = {
        "classify": [dict(case) for case in classify_cases()],
        "entail": [dict(case) for case in entail_cases()],
        "answer": [dict(case) for case in answer_cases()],
    }
    for is_multi_label in (False, True):
        chosen = [case for case in cases["classify"] if case["isMultiLabel"] == is_multi_label]
        found = model.classify(
            [case["text"] for case in chosen],
            labels=[case["labels"] for case in chosen],
            multi_label=is_multi_label,
        )
        for case, result in zip(chosen, found, strict=True):
            case["expected"] = {
                "scores": {label.label: label.score for label in result.labels},
                "accepted": [label.label for label in result.accepted],
                "windowsRead": result.windows_read,
                "numTokens": result.num_tokens,
            }
    pairs = [(case["premise"], case["hypothesis"]) for case in cases["entail"]]
    for case, entailment in zip(cases["entail"], model.entail(pairs=pairs), strict=True):
        case["expected"] = entailment.to_dict()
    pairs = [(case["question"], case["context"]) for case in cases["answer"]]
    for case, answer in zip(cases["answer"], model.answer(pairs=pairs), strict=True):
        case["expected"] = answer.to_dict()
    return cases


def tokens(folder: Path) -> list[dict[str, Any]]:
    """Return texts with their ids and character spans, all of Unicode's first two planes among them."""
    tokenizer = TextTokenizer.from_folder(folder)
    texts = [str(case["text"]) for case in classify_cases()]
    texts += fuzzed_texts(1500)
    # Between letters, so that what is dropped, what splits and what joins all look different.
    codes = [code for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    texts += [
        " ".join(f"a{chr(code)}b" for code in codes[first : first + 256])
        for first in range(0, len(codes), 256)
    ]
    return [
        {"text": text, "ids": encoded.ids.tolist(), "spans": encoded.offsets.tolist()}
        for text, encoded in zip(texts, tokenizer.encode_many(texts), strict=True)
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
