from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import transformers

from labelwise.checkpoints import hub
from labelwise.errors import CheckpointError, InputError
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.base import (
    base_folder,
    check_base,
    load_base,
    load_tokenizer,
    read_vocabulary,
    save_tokenizer,
)
from labelwise.training.recipe import Hyperparameters, NliRecipe, Source

RECIPE = NliRecipe(
    name="tiny",
    base="not used",
    classes=("entailment", "not_entailment"),
    sources=(Source("pairs.jsonl", "pairs", "own"),),
    validation="validation.jsonl",
    validation_rows=4,
    seed=7,
    hyperparameters=Hyperparameters(dropout=0.3),
)


def test_a_base_that_the_hub_does_not_give_is_named_in_one_line(monkeypatch):
    def model_info(self, *_, **__):
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr(hub.huggingface_hub.HfApi, "model_info", model_info)
    with pytest.raises(CheckpointError, match="nobody/no-such-base") as caught:
        base_folder("nobody/no-such-base")
    assert "\n" not in str(caught.value)


def test_a_base_of_the_hub_is_fetched_with_safetensors_at_its_revision(tiny_base: Path, monkeypatch):
    asked = []

    def download(name, **wanted):
        asked.append((name, wanted))
        return tiny_base

    monkeypatch.setattr(hub, "download", download)
    assert base_folder("owner/base", revision="refs/pr/1") == tiny_base
    assert asked == [("owner/base", {"revision": "refs/pr/1", "needs_safetensors": True})]


def test_a_base_in_a_package_or_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match="pip install no-such-package"):
        base_folder("package:no_such_package/model")
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        base_folder(str(tmp_path))


def test_a_base_with_pickled_weights_alone_is_refused_with_what_writes_others(tiny_base: Path):
    (tiny_base / "model.safetensors").rename(tiny_base / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"no safetensors.*save_pretrained\(FOLDER\)"):
        base_folder(str(tiny_base))


def test_older_tokenizer_files_do_unless_the_kind_of_training_needs_tokenizer_json(tiny_base: Path):
    (tiny_base / "tokenizer.json").unlink()
    assert base_folder(str(tiny_base)) == tiny_base
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
        base_folder(str(tiny_base), needs_tokenizer_file=True)


def test_weights_that_transformers_cannot_read_are_named_in_one_line(tiny_base: Path):
    (tiny_base / "model.safetensors").write_bytes(b"\0" * 16)
    with pytest.raises(CheckpointError, match=f"cannot load {tiny_base}") as caught:
        load_base(tiny_base, RECIPE)
    assert "\n" not in str(caught.value)


def test_a_window_or_a_precision_that_the_base_does_not_bear_is_refused_by_its_config(tmp_path: Path):
    config = {"model_type": "roberta", "max_position_embeddings": 66, "pad_token_id": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    check_base(tmp_path, precision="auto", max_tokens=64)
    with pytest.raises(InputError, match=r"max_tokens is 65, and the base .* reads 64: lower it"):
        check_base(tmp_path, precision="auto", max_tokens=65)
    (tmp_path / "config.json").write_text('{"model_type": "deberta-v2"}')
    with pytest.raises(InputError, match="fp16 does not work for deberta-v2"):
        check_base(tmp_path, precision="fp16")


@pytest.mark.parametrize("family", ["bart", "deberta-v2"])
def test_dropout_is_set_under_the_names_of_the_family(tiny_classifier, family: str):
    config = load_base(tiny_classifier(family), RECIPE).config
    names = {
        "bart": ("dropout", "attention_dropout"),
        "deberta-v2": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    }[family]
    assert [getattr(config, name) for name in names] == [0.3, 0.3]


def test_attention_is_the_models_own_unless_chosen(tiny_classifier):
    deberta = tiny_classifier("deberta-v2")
    assert load_base(deberta, RECIPE).config._attn_implementation == "eager"
    wanted = replace(RECIPE, hyperparameters=Hyperparameters(attention="sdpa"))
    with pytest.raises(CheckpointError, match="transformers cannot load"):
        load_base(deberta, wanted)


def test_a_sentencepiece_file_is_read_and_saved_as_it_is(tiny_classifier, write_spm, tmp_path: Path):
    base = tiny_classifier("deberta-v2")
    expected = load_tokenizer(base).text.encode("the red boat").ids.tolist()
    (base / "tokenizer.json").unlink()
    write_spm(base)
    assert load_tokenizer(base).text.encode("the red boat").ids.tolist() == expected
    assert read_vocabulary(base)["[SEP]"] == 3
    (tmp_path / "saved").mkdir()
    save_tokenizer(base, tmp_path / "saved", max_tokens=24)
    assert TextTokenizer.from_folder(tmp_path / "saved").encode("the red boat").ids.tolist() == expected
    settings = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text())
    assert settings["model_max_length"] == 24


def test_the_real_vocabulary_of_deberta_v3_is_read(tmp_path: Path):
    file = Path(__file__).parents[3] / "shared" / "data" / "tokenizers" / "deberta-v3" / "spm.model"
    if not file.is_file():
        pytest.skip("the data are not here")
    (tmp_path / "spm.model").symlink_to(file)
    transformers.DebertaV2Config().save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).text.encode("Hello world").ids.tolist() == [5365, 447]
