"""Turn a trained run into the folder that ships in the package: one 8-bit ONNX file, no weights beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labelwise.backends.heads import HeadOutputs
from labelwise.checkpoints import open_checkpoint, read_tensors
from labelwise.checkpoints.settings import SETTINGS_FILE
from labelwise.errors import InputError, require
from labelwise.graphs import build_graph

__all__ = ["MAX_BUNDLE_BYTES", "bundle"]

MAX_BUNDLE_BYTES = 25 * 1024 * 1024
_TOKENIZER = "tokenizer.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_COPIED = ("config.json", _TOKENIZER_CONFIG)


def bundle(
    model_dir: Path, output_dir: Path, *, settings: Mapping[str, Any], window_tokens: int | None = None
) -> int:
    """Write the bundled form of a trained entailment or multi-task model and return its bytes.

    Args:
        model_dir: a folder with config.json, model.safetensors and tokenizer files.
        output_dir: the folder to fill; files of the same names are replaced.
        settings: what goes into labelwise.json.
        window_tokens: how many tokens the shipped form reads at once; None leaves it.

    Raises:
        InputError: the result is larger than ``MAX_BUNDLE_BYTES``; the graph is not kept.
    """
    onnx = require("onnx", extra="train")
    checkpoint = open_checkpoint(model_dir)
    head = HeadOutputs.of(checkpoint).kind
    graph = build_graph(checkpoint.config, read_tensors(checkpoint), head=head, weights="int8")
    output_dir.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        if (model_dir / name).exists():
            shutil.copyfile(model_dir / name, output_dir / name)
    if window_tokens is not None:
        _set_window(output_dir / _TOKENIZER_CONFIG, window_tokens)
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


def _set_window(path: Path, window_tokens: int) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    values["model_max_length"] = window_tokens
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
