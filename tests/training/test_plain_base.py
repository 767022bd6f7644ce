from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
import transformers

from labelwise.errors import CheckpointError
from labelwise.models.multitask import MultitaskConfig, MultitaskModel
from labelwise.training.base import base_folder
from labelwise.training.plain_base import plain_base
from labelwise.training.qa.recipe import QaHyperparameters
from labelwise.training.qa.start import start_reader

IDS = torch.tensor([[2, 4, 5, 3, 6, 7, 8, 3]])
TYPES = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1]])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABELWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def multitask(tiny_base: Path, tmp_path: Path) -> tuple[Path, MultitaskModel]:
    """Save a multi-task model whose every weight is drawn, beside the tiny base's tokenizer."""
    fields = transformers.BertConfig.from_pretrained(tiny_base).to_dict()
    for name in ("model_type", "id2label", "label2id", "architectures"):
        fields.pop(name, None)
    torch.manual_seed(0)
    model = MultitaskModel(MultitaskConfig(label_head_size=8, **fields)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.3)
    folder = tmp_path / "multitask"
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny_base / name, folder / name)
    return folder, model


def expected(model: MultitaskModel):
    with torch.inference_mode():
        return model(IDS, segment_ids=torch.zeros_like(IDS), token_type_ids=TYPES)


def test_a_reader_goes_on_from_the_answers_of_a_multitask_model(multitask):
    folder, model = multitask
    reader = start_reader(base_folder(str(folder)), QaHyperparameters()).eval()
    with torch.inference_mode():
        found = reader(input_ids=IDS, token_type_ids=TYPES)
    torch.testing.assert_close(found.start_logits, expected(model).start_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.end_logits, expected(model).end_logits, atol=1e-5, rtol=1e-5)


def test_an_entailment_model_goes_on_from_its_entailment(multitask):
    folder, model = multitask
    entail = transformers.AutoModelForSequenceClassification.from_pretrained(plain_base(folder)).eval()
    assert list(entail.config.id2label.values()) == ["entailment", "neutral", "contradiction"]
    with torch.inference_mode():
        found = entail(input_ids=IDS, token_type_ids=TYPES).logits
    torch.testing.assert_close(found, expected(model).entail_logits, atol=1e-5, rtol=1e-5)


def test_it_is_made_once_and_made_anew_for_other_weights(multitask):
    folder, model = multitask
    first = plain_base(folder)
    assert plain_base(folder) == first
    with torch.no_grad():
        model.answer_head.bias.add_(1)
    model.save_pretrained(folder)
    assert plain_base(folder) != first


def test_other_folders_are_a_base_as_they_are(tiny_base: Path, tmp_path: Path):
    assert plain_base(tiny_base) == tiny_base
    assert plain_base(tmp_path / "absent") == tmp_path / "absent"


def test_a_cache_that_cannot_be_written_is_named(multitask, own_cache: Path):
    own_cache.write_text("a file where the folder should be")
    with pytest.raises(CheckpointError, match="LABELWISE_CACHE"):
        plain_base(multitask[0])


def test_the_bundled_model_is_a_base_by_its_name():
    config = transformers.AutoConfig.from_pretrained(base_folder("bundled"))
    assert config.model_type == "bert"
