"""Heads that read a text and all its labels in one row: GliZNet and GLiClass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from labelwise.errors import CheckpointError
from labelwise.graphs.nested import encoder_config_of

__all__ = ["GliclassHead", "GliznetHead", "JointHead", "joint_head_of"]


@dataclass(frozen=True, slots=True)
class JointHead:
    """One logit per label that stands in the row.

    Attributes:
        max_labels: The most labels in one row, as in training; more are read in several passes.
    """

    max_labels: int

    def __post_init__(self) -> None:
        if self.max_labels < 1:
            raise CheckpointError(f"config.json allows {self.max_labels} labels: at least 1 is needed")

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of control tokens that the tokenizer's files may not mark as such."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class GliznetHead(JointHead):
    """``[CLS] text [SEP] label [LAB] ...``; each label scored against its own reading of the text.

    Attributes:
        lab_token: Name of the token that ends a label, where its vector stands.
        lab_token_id: Its id; None leaves it to the tokenizer.
        max_tokens_per_span: Label tokens that the published tokenizer keeps.
        min_text_tokens: Text tokens that it keeps in any case.
        min_label_tokens: Tokens of each label that it keeps in any case.
    """

    max_labels: int = 20
    lab_token: str = "[LAB]"
    lab_token_id: int | None = None
    max_tokens_per_span: int = 64
    min_text_tokens: int = 10
    min_label_tokens: int = 2

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of control tokens that the tokenizer's files may not mark as such."""
        return (self.lab_token,)


@dataclass(frozen=True, slots=True)
class GliclassHead(JointHead):
    """``<<LABEL>>label ... <<SEP>>text`` or the text first.

    Attributes:
        prompt_first: Whether the labels stand before the text.
        label_token_id: The id of ``<<LABEL>>``, where a label's vector stands.
        text_token_id: The id of ``<<SEP>>``.
    """

    LABEL_TOKEN: ClassVar[str] = "<<LABEL>>"
    TEXT_TOKEN: ClassVar[str] = "<<SEP>>"
    EXAMPLE_TOKEN: ClassVar[str] = "<<EXAMPLE>>"

    max_labels: int = 25
    prompt_first: bool = False
    label_token_id: int = -1
    text_token_id: int = -1

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of control tokens that the tokenizer's files may not mark as such."""
        return (self.LABEL_TOKEN, self.TEXT_TOKEN, self.EXAMPLE_TOKEN)


def joint_head_of(config: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> JointHead | None:
    """Read a joint model's head; None for other models.

    Raises:
        CheckpointError: a number is missing or has no meaning.
    """
    family = config.get("model_type")
    if family == "gliznet":
        return _gliznet(config, tokenizer_config)
    if family == "GLiClass":
        return _gliclass(config)
    return None


def _gliznet(config: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> GliznetHead:
    if not isinstance(config.get("backbone_config"), Mapping):
        raise CheckpointError("config.json has no backbone_config, so the encoder is not known")
    lab_token = tokenizer_config.get("lab_token", "[LAB]")
    if isinstance(lab_token, Mapping):
        lab_token = lab_token.get("content")
    lab_token_id = config.get("lab_token_id")
    return GliznetHead(
        max_labels=_whole_number(config, "max_labels", 20),
        lab_token=str(lab_token),
        lab_token_id=None if lab_token_id is None else _whole_number(config, "lab_token_id", 0),
        max_tokens_per_span=_whole_number(tokenizer_config, "max_tokens_per_span", 64),
        min_text_tokens=_whole_number(tokenizer_config, "min_text_tokens", 10),
        min_label_tokens=_whole_number(tokenizer_config, "min_label_tokens", 2),
    )


def _gliclass(config: Mapping[str, Any]) -> GliclassHead:
    architecture = config.get("architecture_type", "uni-encoder")
    if architecture != "uni-encoder":
        raise CheckpointError(
            f"its architecture_type is {architecture!r}: only GLiClass uni-encoders are read, such as "
            "knowledgator/gliclass-base-v3.0"
        )
    # -1 stands for the first id after the vocabulary, and the next one.
    vocab_size = _whole_number(encoder_config_of(config), "vocab_size", 0)
    label_token_id = _whole_number(config, "class_token_index", -1)
    text_token_id = _whole_number(config, "text_token_index", -1)
    return GliclassHead(
        max_labels=_whole_number(config, "max_num_classes", 25),
        prompt_first=bool(config.get("prompt_first", False)),
        label_token_id=vocab_size if label_token_id == -1 else label_token_id,
        text_token_id=vocab_size + 1 if text_token_id == -1 else text_token_id,
    )


def _whole_number(values: Mapping[str, Any], key: str, default: int) -> int:
    value = values.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool):
        raise CheckpointError(f"{key} must be a whole number, got {value!r}")
    return value
