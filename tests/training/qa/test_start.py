from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labelwise.errors import CheckpointError

pytest.importorskip("torch")

from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.base import save_checkpoint
from labelwise.training.qa.recipe import QaHyperparameters
from labelwise.training.qa.start import open_base, start_reader


def test_a_base_whose_tokenizer_is_no_tokenizer_json_is_saved_with_its_own_files(recipe, tmp_path: Path):
    base = Path(recipe.base)
    vocabulary = json.loads((base / "tokenizer.json").read_text())["model"]["vocab"]
    (base / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)))
    (base / "tokenizer.json").unlink()
    opened = open_base(recipe)
    model = start_reader(opened.folder, QaHyperparameters(freezes_word_embeddings=True))
    assert not model.get_input_embeddings().weight.requires_grad
    save_checkpoint(model, opened.folder, tmp_path / "model", max_tokens=48)
    saved = TextTokenizer.from_folder(tmp_path / "model")
    text = "the shop sold bread"
    assert saved.encode(text).ids.tolist() == opened.tokenizer.encode(text).ids.tolist()
    assert json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())["model_max_length"] == 48


def test_a_base_without_weights_or_config_is_named(recipe, tmp_path: Path):
    (Path(recipe.base) / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=f"cannot load {recipe.base}"):
        start_reader(Path(recipe.base), recipe.hyperparameters)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CheckpointError, match=r"config\.json"):
        open_base(replace(recipe, base=str(empty)))
