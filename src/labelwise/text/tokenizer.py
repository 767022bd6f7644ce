"""User text -> ids, safe to share between threads, with no way from text to a control id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelwise.errors import CheckpointError
from labelwise.text.building import build_tokenizer
from labelwise.text.control import ControlTokens, find_control_names
from labelwise.text.files import read_published
from labelwise.text.offsets import readable_spans
from labelwise.text.pipeline import Pipeline
from labelwise.text.shield import make_encodable

__all__ = ["EncodedText", "TextTokenizer"]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One text's ids, shape (n,), never a control id; and where each came from.

    ``offsets``, shape (n, 2), are character spans of the original string, end exclusive, without white space
    around. Bytes of one character share its span; a word mark that stands alone has an empty one.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.ids.shape[0])


class TextTokenizer:
    """A checkpoint's tokenizer with fixed settings: nothing is cut, padded, or parsed as a control token.

    ``[CLS]``, ``</s>`` or ``<<LABEL>>`` in a text are read as the characters they are. One object serves any
    number of threads.
    """

    def __init__(
        self, pipeline: Pipeline, *, control_ids: Mapping[str, int], control: ControlTokens, vocab_size: int
    ) -> None:
        self._pipeline = pipeline
        self._control_ids = dict(control_ids)
        self._forbidden_ids = control.forbidden_ids
        self.control = control
        self.vocab_size = vocab_size

    @classmethod
    def from_folder(cls, folder: Path, *, extra_control: Sequence[str] = ()) -> TextTokenizer:
        """Read a checkpoint's tokenizer.

        The first of: ``tokenizer.json``; ``spm.model`` or ``spiece.model`` (DeBERTa-v2 and v3);
        ``sentencepiece.bpe.model`` (XLM-RoBERTa); ``vocab.txt`` (BERT); ``vocab.json`` + ``merges.txt``.

        Args:
            folder: the checkpoint.
            extra_control: names of more control tokens, such as ``[LAB]``, however the files mark them.

        Raises:
            CheckpointError: no such file is there, or it cannot be used.
        """
        try:
            published = read_published(Path(folder))
            names = find_control_names(published.spec, published.settings, extra=extra_control)
            built = build_tokenizer(published, names.all)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # The wrong shape somewhere in the JSON: a missing key, a number where a list should be.
            raise CheckpointError(
                f"damaged tokenizer files in {folder}: {error!r}; save them again"
            ) from error
        return cls(
            built.pipeline,
            control_ids=built.control_ids,
            control=names.ids(built.control_ids.get),
            vocab_size=built.vocab_size,
        )

    def control_id(self, name: str) -> int:
        """Return the id of a control token by its name, such as ``[LAB]``.

        Raises:
            CheckpointError: the vocabulary has no control token of that name.
        """
        try:
            return self._control_ids[name]
        except KeyError:
            known = ", ".join(sorted(self._control_ids))
            raise CheckpointError(f"the tokenizer has no control token {name!r}; it has {known}") from None

    def encode(self, text: str) -> EncodedText:
        """Encode one text, whole."""
        return self.encode_many([text])[0]

    def encode_many(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts, each alone, in order; the library may use several cores."""
        encodable = [make_encodable(text) for text in texts]
        encoded = self._pipeline.encode_many(encodable)
        return [self._checked(text, *pair) for text, pair in zip(encodable, encoded, strict=True)]

    def _checked(self, text: str, ids: NDArray[np.int64], spans: NDArray[np.int64]) -> EncodedText:
        forbidden = self._forbidden_ids.intersection(ids.tolist())
        if forbidden:
            raise CheckpointError(
                f"the tokenizer made control ids {sorted(forbidden)} from plain text: use another checkpoint"
            )
        return EncodedText(ids, readable_spans(text, spans))
