"""What a multi-task checkpoint's config.json says."""

from __future__ import annotations

from typing import Any

from transformers import BertConfig

from labelwise.errors import InputError

__all__ = ["ENTAIL_CLASSES", "MultitaskConfig"]

ENTAIL_CLASSES = ("entailment", "neutral", "contradiction")


class MultitaskConfig(BertConfig):  # type: ignore[misc]  # transformers has no types
    """A BERT encoder's configuration, and the width of the head that judges labels.

    Args:
        label_head_size: inner width of that head.
        **kwargs: the fields of ``BertConfig``.

    Raises:
        InputError: the width is not a positive number.
    """

    model_type = "labelwise-multitask"

    def __init__(self, *, label_head_size: int = 192, **kwargs: Any) -> None:
        if label_head_size < 1:
            raise InputError(f"label_head_size must be at least 1, got {label_head_size}")
        kwargs.setdefault("id2label", dict(enumerate(ENTAIL_CLASSES)))
        kwargs.setdefault("label2id", {name: index for index, name in enumerate(ENTAIL_CLASSES)})
        super().__init__(**kwargs)
        self.label_head_size = label_head_size
