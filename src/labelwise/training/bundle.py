"""Turn a trained run into the folder that ships in the package: one 8-bit ONNX file, no weights beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelwise.checkpoints import open_checkpoint, read_tensors
from labelwise.checkpoints.settings import SETTINGS_FILE
from labelwise.errors import InputError, require
from labelwise.graphs import build_graph
from labelwise.loading import load

__all__ = ["MAX_BUNDLE_BYTES", "GateReport", "bundle", "gate"]

MAX_BUNDLE_BYTES = 25 * 1024 * 1024
MIN_AGREEMENT = 0.99
MAX_ACCURACY_DROP = 0.005
_COPIED = ("config.json", "tokenizer_config.json")
_TOKENIZER = "tokenizer.json"


def bundle(model_dir: Path, output_dir: Path, *, settings: Mapping[str, Any]) -> int:
    """Write the bundled form of a trained entailment model and return its bytes.

    Args:
        model_dir: a folder with config.json, model.safetensors and tokenizer files.
        output_dir: the folder to fill; files of the same names are replaced.
        settings: what goes into labelwise.json.

    Raises:
        InputError: the result is larger than ``MAX_BUNDLE_BYTES``; the graph is not kept.
    """
    onnx = require("onnx", extra="train")
    checkpoint = open_checkpoint(model_dir)
    graph = build_graph(
        checkpoint.config, read_tensors(checkpoint), head="sequence-classification", weights="int8"
    )
    output_dir.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        if (model_dir / name).exists():
            shutil.copyfile(model_dir / name, output_dir / name)
    # Without its indentation the vocabulary takes a third less.
    vocabulary = json.loads((model_dir / _TOKENIZER).read_text(encoding="utf-8"))
    packed = json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":"))
    (output_dir / _TOKENIZER).write_text(packed, encoding="utf-8")
    (output_dir / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    path = output_dir / "model.onnx"
    onnx.save_model(graph, path)
    total = sum(file.stat().st_size for file in output_dir.iterdir() if file.is_file())
    if total > MAX_BUNDLE_BYTES:
        path.unlink()
        raise InputError(f"the bundle takes {total:,} bytes, at most {MAX_BUNDLE_BYTES:,} may ship")
    return total


@dataclass(frozen=True, slots=True)
class GateReport:
    """How the bundled form answers beside the float32 model that it was made from.

    Attributes:
        agreement: share of pairs with the same label.
        accuracy: of the bundled form.
        float_accuracy: of the float32 model.
        num_pairs: labelled pairs compared.
    """

    agreement: float
    accuracy: float
    float_accuracy: float
    num_pairs: int

    @property
    def is_passed(self) -> bool:
        """True when the bundled form may ship."""
        is_close = self.agreement >= MIN_AGREEMENT
        return is_close and self.float_accuracy - self.accuracy <= MAX_ACCURACY_DROP


def gate(
    model_dir: Path, bundle_dir: Path, pairs: Sequence[tuple[str, str]], gold: Sequence[str]
) -> GateReport:
    """Compare the bundled form with its float32 model on labelled pairs; a form that fails is removed.

    Raises:
        InputError: less than 99 % of the labels agree, or accuracy falls by more than half a point.
    """
    expected = [found.label for found in load(model_dir).entail(pairs=pairs)]
    shipped = [found.label for found in load(bundle_dir).entail(pairs=pairs)]
    report = GateReport(
        agreement=_share_equal(expected, shipped),
        accuracy=_share_equal(shipped, gold),
        float_accuracy=_share_equal(expected, gold),
        num_pairs=len(pairs),
    )
    if not report.is_passed:
        (bundle_dir / "model.onnx").unlink()
        raise InputError(
            f"the 8-bit form agrees on {report.agreement:.2%} of {report.num_pairs:,} pairs and its accuracy "
            f"is {report.accuracy:.4f} against {report.float_accuracy:.4f}; it is not kept"
        )
    return report


def _share_equal(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(left == right for left, right in zip(one, other, strict=True)) / len(one)
