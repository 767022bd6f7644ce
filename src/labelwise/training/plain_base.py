"""A multi-task model as the base of another run: its encoder and heads in a plain BERT's layout."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor
from transformers import BertConfig

from labelwise.backends.torch import load_model
from labelwise.checkpoints.cache import find_entry, store_entry
from labelwise.checkpoints.files import CONFIG_FILE, WEIGHTS_FILE
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.errors import CheckpointError
from labelwise.models.multitask import MultitaskConfig

__all__ = ["plain_base"]

# A multi-task model's weights and where BERT's classes of transformers look for them; the head that judges
# labels has no place there.
_NAMES = {
    "encoder.": "bert.",
    "entail_head.dense.": "bert.pooler.dense.",
    "entail_head.out.": "classifier.",
    "answer_head.": "qa_outputs.",
}
_OWN_FIELDS = ("label_head_size", "model_type", "architectures")


def plain_base(folder: Path) -> Path:
    """Return a BERT checkpoint of a multi-task model, kept in the cache; any other folder as it is.

    ``AutoModel``, ``AutoModelForSequenceClassification`` and ``AutoModelForQuestionAnswering`` read it, the
    latter two with the trained head.

    Raises:
        CheckpointError: the weights cannot be read, or the cache cannot be written.
    """
    if not _is_multitask(folder):
        return folder
    name = f"plain-base-{_fingerprint(folder):08x}"
    found = find_entry(name) or store_entry(name, lambda target: _write(folder, target))
    if found is None:
        raise CheckpointError(
            f"the cache cannot be written, where {folder} is turned into a base for training: set "
            "LABELWISE_CACHE to a folder that can"
        )
    return found


def _is_multitask(folder: Path) -> bool:
    config = folder / CONFIG_FILE
    return config.is_file() and read_json_object(config).get("model_type") == MultitaskConfig.model_type


def _write(folder: Path, target: Path) -> None:
    model = load_model(open_checkpoint(folder))
    fields = {name: value for name, value in model.config.to_dict().items() if name not in _OWN_FIELDS}
    BertConfig(**fields).save_pretrained(target)
    save_file(dict(_renamed(model.state_dict())), target / WEIGHTS_FILE, metadata={"format": "pt"})
    for file in folder.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "added_tokens", "vocab")):
            shutil.copyfile(file, target / file.name)


def _renamed(weights: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, weight in weights.items():
        for own, plain in _NAMES.items():
            if name.startswith(own):
                yield plain + name.removeprefix(own), weight.contiguous()


def _fingerprint(folder: Path) -> int:
    value = zlib.crc32(Path(__file__).read_bytes())
    for file in sorted(folder.iterdir()):
        if file.is_file():
            value = zlib.crc32(file.read_bytes(), value)
    return value
