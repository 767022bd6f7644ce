"""What a student learns with: its weights, what of them stays as it is, and a teacher's signal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from labelwise.distillation.families import Side
from labelwise.distillation.losses import hidden_state_loss, soft_label_loss
from labelwise.errors import InputError
from labelwise.models.pretrained import load_config, load_pretrained

__all__ = ["Signal", "Teacher", "freeze", "load_student", "load_teacher", "set_dropouts"]

_ATTENTION_DROPOUTS = ("attention_dropout", "attention_probs_dropout_prob")
_DROPOUTS = ("hidden_dropout_prob", "dropout", "embedding_dropout", "mlp_dropout")
_HIDDEN_STATES: dict[Side, tuple[str, ...]] = {
    "encoder": ("encoder_hidden_states", "hidden_states"),
    "decoder": ("decoder_hidden_states",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What is learnt from a teacher, on top of the hard labels.

    The loss is cross-entropy + ``soft_label_weight`` T^2 KL + ``hidden_state_weight`` MSE, with the
    ``temperature`` T.
    """

    soft_label_weight: float = 1.0
    hidden_state_weight: float = 0.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 < self.temperature < math.inf:
            raise InputError(f"the teacher's temperature must be above 0, got {self.temperature}")
        weights = (self.soft_label_weight, self.hidden_state_weight)
        if not all(0.0 <= weight < math.inf for weight in weights):
            raise InputError(
                f"the weights of soft labels and hidden states must not be below 0, got {weights[0]} and "
                f"{weights[1]}"
            )
        if not any(weights):
            raise InputError("both weights of the teacher are 0: nothing would be learnt from it")


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher and what is learnt from it.

    ``kept`` names the teacher's layers that the student was made from, by side (``StudentPlan.kept``).
    """

    model: PreTrainedModel
    kept: Mapping[Side, Sequence[int]]
    signal: Signal

    @property
    def shows_states(self) -> bool:
        """True when the student's outputs must hold its hidden states."""
        return self.signal.hidden_state_weight > 0.0

    def loss(self, outputs: Any, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return what a student's outputs lack to the teacher's, as a mean over rows.

        Args:
            outputs: the student's, with ``hidden_states`` where the teacher shows its own.
            features: what the student read: ids, mask and, where the family has them, type ids.
        """
        with torch.no_grad():
            taught = self.model(**features, output_hidden_states=self.shows_states)
        soft = soft_label_loss(outputs["logits"], taught["logits"], temperature=self.signal.temperature)
        loss = self.signal.soft_label_weight * soft
        if not self.shows_states:
            return loss
        for side, kept in self.kept.items():
            name = next(name for name in _HIDDEN_STATES[side] if name in outputs)
            distance = hidden_state_loss(
                outputs[name], taught[name], kept=kept, attention_mask=features["attention_mask"]
            )
            loss = loss + self.signal.hidden_state_weight * distance
        return loss


def load_student(
    folder: Path, *, dropout: float | None = None, attention: str | None = None
) -> PreTrainedModel:
    """Load a student in float32 for training, without dropout in its attention, as published.

    Args:
        folder: the student's.
        dropout: everywhere else; None leaves the teacher's.
        attention: transformers' implementation of attention, such as "eager"; None takes the model's default.

    Raises:
        CheckpointError: transformers cannot load it.
    """
    config = load_config(folder)
    set_dropouts(config, attention=0.0, elsewhere=dropout)
    return load_pretrained(AutoModelForSequenceClassification, folder, attention=attention, config=config)


def set_dropouts(config: Any, *, attention: float, elsewhere: float | None) -> None:
    """Set the dropouts of a configuration, under the names that its family has for them.

    Args:
        config: changed in place.
        attention: in the attention's probabilities.
        elsewhere: everywhere else; None leaves what is there.
    """
    for names, value in ((_ATTENTION_DROPOUTS, attention), (_DROPOUTS, elsewhere)):
        for name in names:
            if value is not None and hasattr(config, name):
                setattr(config, name, value)


def load_teacher(
    folder: Path,
    student: PreTrainedModel,
    *,
    kept: Mapping[Side, Sequence[int]],
    signal: Signal,
    attention: str | None = None,
) -> Teacher:
    """Load a teacher in float32, its weights fixed, and see that the student can listen to it.

    Raises:
        CheckpointError: transformers cannot load it.
        InputError: its classes, its tokens or, for hidden states, its layers are not the student's.
    """
    model = load_pretrained(AutoModelForSequenceClassification, folder, attention=attention)
    model.eval().requires_grad_(False)
    own, other = student.config, model.config
    if _names(own) != _names(other):
        raise InputError(
            f"the teacher {folder} has the classes {', '.join(_names(other))}, the student "
            f"{', '.join(_names(own))}: use a teacher with the same, in the same order"
        )
    if own.vocab_size != other.vocab_size:
        raise InputError(
            f"the teacher {folder} has {other.vocab_size} tokens, the student {own.vocab_size}: use a "
            "teacher with the student's tokenizer"
        )
    if signal.hidden_state_weight > 0.0:
        _check_layers(folder, student, model, kept)
    return Teacher(model, kept, signal)


def freeze(model: PreTrainedModel, *, encoder: bool = False, embeddings: bool = False) -> None:
    """Take a BART encoder, or a model's token, position and type tables, out of the training.

    Raises:
        InputError: the encoder is all there is, so that nothing but the head would learn.
    """
    base = model.base_model
    if encoder:
        if not hasattr(base, "decoder"):
            raise InputError("without a decoder the encoder cannot be frozen: freeze the embeddings instead")
        base.encoder.requires_grad_(False)
    if embeddings:
        if hasattr(base, "embeddings"):
            base.embeddings.requires_grad_(False)
            return
        model.get_input_embeddings().requires_grad_(False)
        base.encoder.embed_positions.requires_grad_(False)
        base.decoder.embed_positions.requires_grad_(False)


def _check_layers(
    folder: Path, student: PreTrainedModel, teacher: PreTrainedModel, kept: Mapping[Side, Sequence[int]]
) -> None:
    own, other = student.config, teacher.config
    depth = {"encoder": other.num_hidden_layers, "decoder": getattr(other, "decoder_layers", 0)}
    is_alike = (own.model_type, own.hidden_size) == (other.model_type, other.hidden_size)
    if not is_alike or any(max(layers) >= depth[side] for side, layers in kept.items()):
        raise InputError(
            f"the teacher {folder} lacks the layers that the student was made of: use the model that it was "
            "made from, or a hidden state weight of 0"
        )


def _names(config: Any) -> list[str]:
    return [str(name) for _, name in sorted(config.id2label.items())]
