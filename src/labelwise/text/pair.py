"""Two texts in one row: ``[CLS] A [SEP] B [SEP]`` or ``<s> A </s></s> B </s>``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labelwise.errors import CheckpointError, InputError, TextTooLongError
from labelwise.text.control import ControlTokens
from labelwise.text.sequence import TokenSequence

__all__ = ["PairLayout"]

_ONE_SEPARATOR = frozenset(
    {
        "albert",
        "bert",
        "deberta",
        "deberta-v2",
        "distilbert",
        "electra",
        "labelwise-multitask",
        "mobilebert",
        "modernbert",
    }
)
_TWO_SEPARATORS = frozenset(
    {"bart", "camembert", "longformer", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl"}
)
# What transformers assumes when config.json does not say.
_DEFAULT_TOKEN_TYPES = {"albert": 2, "bert": 2, "electra": 2, "labelwise-multitask": 2, "mobilebert": 2}


@dataclass(frozen=True, slots=True)
class PairLayout:
    """The control ids around two texts, and the most tokens (control ids included) that the model reads."""

    prefix: tuple[int, ...]
    middle: tuple[int, ...]
    suffix: tuple[int, ...]
    has_token_types: bool
    max_tokens: int

    def __post_init__(self) -> None:
        if self.max_tokens <= self.num_control_tokens:
            raise InputError(
                f"max_tokens is {self.max_tokens}: the layout alone takes {self.num_control_tokens}"
            )

    @classmethod
    def for_model(cls, config: Mapping[str, Any], control: ControlTokens, *, max_tokens: int) -> PairLayout:
        """Choose the layout of a checkpoint's family (``config["model_type"]``).

        Raises:
            CheckpointError: the family's layout is not known, or the tokenizer lacks its control tokens.
        """
        family = config.get("model_type")
        if family not in _ONE_SEPARATOR | _TWO_SEPARATORS:
            known = ", ".join(sorted(_ONE_SEPARATOR | _TWO_SEPARATORS))
            raise CheckpointError(f"no pair layout for model_type {family!r}: use one of {known}")
        if control.cls is None or control.sep is None:
            raise CheckpointError(
                f"the tokenizer names no cls_token or no sep_token, which {family!r} needs: add them to "
                "tokenizer_config.json"
            )
        num_types = config.get("type_vocab_size", _DEFAULT_TOKEN_TYPES.get(str(family), 0))
        return cls(
            prefix=(control.cls,),
            middle=(control.sep,) * (2 if family in _TWO_SEPARATORS else 1),
            suffix=(control.sep,),
            has_token_types=num_types > 1,
            max_tokens=max_tokens,
        )

    @property
    def num_control_tokens(self) -> int:
        """How many ids of every row are not text."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)

    @property
    def first_start(self) -> int:
        """Where the first text's tokens begin."""
        return len(self.prefix)

    def second_start(self, first_len: int) -> int:
        """Where the second text's tokens begin, after a first text of ``first_len`` tokens."""
        return len(self.prefix) + first_len + len(self.middle)

    def assemble(self, first_ids: ArrayLike, second_ids: ArrayLike) -> TokenSequence:
        """Join two texts' ids into one row; token types are 0 up to the first separator, then 1.

        Raises:
            TextTooLongError: the row would pass ``max_tokens`` (cut or window the ids first).
        """
        first = np.asarray(first_ids, dtype=np.int64)
        second = np.asarray(second_ids, dtype=np.int64)
        ids = np.concatenate([_row(self.prefix), first, _row(self.middle), second, _row(self.suffix)])
        if len(ids) > self.max_tokens:
            raise TextTooLongError(
                f"the pair takes {len(ids)} tokens, the model reads {self.max_tokens}: shorten or window it"
            )
        if not self.has_token_types:
            return TokenSequence(ids)
        token_types = np.zeros(len(ids), dtype=np.int64)
        token_types[self.second_start(len(first)) :] = 1
        return TokenSequence(ids, token_types=token_types)


def _row(ids: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(ids, dtype=np.int64)
