"""The start of a GliZNet run, a pretrained encoder with ``[LAB]``, and its finished checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from tokenizers import Tokenizer
from transformers import AutoModel, PreTrainedModel

from labelwise.errors import CheckpointError
from labelwise.models import GliZNetModel
from labelwise.text.label_list import LabelBudget, LabelListLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.base import write_json
from labelwise.training.labels.encoding import ExampleEncoder
from labelwise.training.labels.recipe import ExampleSettings, LabelRecipe

__all__ = ["LAB_TOKEN", "open_encoder", "save_tokenizer", "start_model"]

LAB_TOKEN = "[LAB]"
_SETTING_FILES = ("tokenizer_config.json", "special_tokens_map.json")


def save_tokenizer(base: Path, folder: Path, *, settings: ExampleSettings) -> None:
    """Write the base's tokenizer with ``[LAB]`` and the limits of the training, as published.

    The padding and truncation that a base's authors left in the file are taken out.
    """
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.add_special_tokens([LAB_TOKEN])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    limits = {
        "lab_token": LAB_TOKEN,
        "model_max_length": settings.max_tokens,
        "max_tokens_per_span": settings.max_tokens_per_span,
        "min_text_tokens": settings.min_text_tokens,
        "min_label_tokens": settings.min_label_tokens,
    }
    for name, added in zip(_SETTING_FILES, (limits, {}), strict=True):
        path = base / name
        values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        listed = [token for token in values.get("additional_special_tokens", []) if token != LAB_TOKEN]
        write_json(folder / name, {**values, "additional_special_tokens": [*listed, LAB_TOKEN], **added})


def open_encoder(base: Path, *, settings: ExampleSettings) -> ExampleEncoder:
    """Return what encodes examples with the tokenizer that ``save_tokenizer`` makes of the base's.

    Raises:
        CheckpointError: the tokenizer has no token that opens a row or ends a text.
    """
    with TemporaryDirectory() as scratch:
        save_tokenizer(base, Path(scratch), settings=settings)
        tokenizer = TextTokenizer.from_folder(Path(scratch), extra_control=[LAB_TOKEN])
    cls, sep = tokenizer.control.cls, tokenizer.control.sep
    if cls is None or sep is None:
        raise CheckpointError(f"the tokenizer in {base} has no [CLS] or [SEP]: use an encoder's folder")
    layout = LabelListLayout(
        cls=cls,
        sep=sep,
        lab=tokenizer.control_id(LAB_TOKEN),
        max_tokens=settings.max_tokens,
        max_labels=settings.max_labels,
        min_text_tokens=settings.min_text_tokens,
    )
    budget = LabelBudget(
        max_tokens=settings.max_tokens,
        max_tokens_per_span=settings.max_tokens_per_span,
        min_text_tokens=settings.min_text_tokens,
        min_label_tokens=settings.min_label_tokens,
    )
    return ExampleEncoder(tokenizer, layout, budget)


def start_model(base: Path, recipe: LabelRecipe, *, lab_token_id: int) -> GliZNetModel:
    """Return the base's encoder under a fresh GliZNet head.

    The word table grows only where ``[LAB]`` has no row in it: DeBERTa-v3's has spare ones.

    Raises:
        CheckpointError: the encoder's position table is smaller than ``max_tokens``.
    """
    encoder: PreTrainedModel = AutoModel.from_pretrained(base, dtype="float32", use_safetensors=True)
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if positions is not None and recipe.examples.max_tokens > positions:
        raise CheckpointError(
            f"max_tokens is {recipe.examples.max_tokens}, but {base} has {positions} positions: lower it"
        )
    if lab_token_id >= encoder.get_input_embeddings().num_embeddings:
        encoder.resize_token_embeddings(lab_token_id + 1)
    chosen = recipe.model
    return GliZNetModel.from_backbone(
        encoder,
        backbone_model=recipe.base,
        lab_token_id=lab_token_id,
        max_labels=recipe.examples.max_labels,
        scoring_method=chosen.scoring_method,
        dropout_rate=chosen.dropout_rate,
        losses=chosen.losses,
        supcon_loss_weight=chosen.supcon_loss_weight,
        supcon_margin=chosen.supcon_margin,
        bce_loss_weight=chosen.bce_loss_weight,
        label_repulsion_weight=chosen.label_repulsion_weight,
        focal_gamma=chosen.focal_gamma,
    )
