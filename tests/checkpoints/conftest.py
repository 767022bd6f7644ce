"""Small folders in the published layout, made without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"},
    "max_position_embeddings": 64,
    "vocab_size": 10,
}


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write config.json (with changes; None removes a key) and model.safetensors into a new folder."""

    def make(name: str = "model", *, weights: bool = True, **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        config = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        if weights:
            save_file({"classifier.weight": np.ones((3, 4), np.float32)}, folder / "model.safetensors")
        return folder

    return make
