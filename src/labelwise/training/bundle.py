"""Turn a trained run into the folder that ships in the package: one 8-bit ONNX file, no weights beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelwise.checkpoints import open_checkpoint, read_tensors
from labelwise.checkpoints.settings import SETTINGS_FILE
from labelwise.errors import InputError, require
from labelwise.graphs import build_graph

__all__ = ["MAX_BUNDLE_BYTES", "bundle"]

MAX_BUNDLE_BYTES = 25 * 1024 * 1024
_COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "MODEL_CARD.md", "metrics.json")


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
    (output_dir / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    path = output_dir / "model.onnx"
    onnx.save_model(graph, path)
    total = sum(file.stat().st_size for file in output_dir.iterdir() if file.is_file())
    if total > MAX_BUNDLE_BYTES:
        path.unlink()
        raise InputError(f"the bundle takes {total:,} bytes, at most {MAX_BUNDLE_BYTES:,} may ship")
    return total
