"""What may be measured, and how a system is named: ``KIND[:VARIANT...][=MODEL]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from labelwise.errors import InputError
from labelwise.template import HypothesisTemplate

__all__ = ["KINDS", "AskSettings", "SystemSpec", "parse_specs", "public_model_name"]

_DTYPES: Final = ("float32", "bfloat16", "float16", "int8")
# Each kind's backends, the usual one first, and its usual batch size: None plans batches by tokens.
_BACKENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "labelwise": ("auto", "onnx", "openvino", "torch", "engine"),
    "pipeline": ("torch",),
    "cross-encoder": ("torch", "onnx", "openvino"),
    "gliclass": ("torch",),
    "onnxruntime": ("onnx",),
}
_BATCH_SIZES: Final[Mapping[str, int | None]] = {
    "labelwise": None,
    "pipeline": 1,
    "cross-encoder": 32,
    "gliclass": 8,
    "onnxruntime": 32,
}
KINDS: Final = tuple(_BACKENDS)


@dataclass(frozen=True, slots=True)
class SystemSpec:
    """One system to measure.

    Attributes:
        typed: as it was typed.
        kind: one of ``KINDS``.
        backend: the runtime under it.
        batch_size: rows in one forward pass; None where batches are planned by tokens.
        dtype: "auto", or a precision.
        model: a checkpoint of its own; None takes the one that all share.
    """

    typed: str
    kind: str
    backend: str
    batch_size: int | None
    dtype: str = "auto"
    model: str | None = None

    @classmethod
    def parse(cls, text: str) -> SystemSpec:
        """Read a system's name.

        Raises:
            InputError: the kind or a variant is unknown.

        >>> SystemSpec.parse("pipeline:32").batch_size
        32
        >>> SystemSpec.parse("labelwise:onnx=bundled").model
        'bundled'
        """
        words, has_model, model = text.partition("=")
        kind, *variants = words.split(":")
        if kind not in KINDS:
            raise InputError(f"system {text!r} is not known: use one of {', '.join(KINDS)}")
        if has_model and not model:
            raise InputError(f"system {text!r} names no model behind '=': give a folder or a hub id")
        found: dict[str, Any] = {"backend": _BACKENDS[kind][0], "batch_size": _BATCH_SIZES[kind]}
        for variant in variants:
            found[_what_is(variant, kind, text)] = int(variant) if variant.isdecimal() else variant
        if found["batch_size"] == 0:
            raise InputError(f"system {text!r}: a batch holds at least 1 row")
        return cls(typed=text, kind=kind, model=model or None, **found)

    @property
    def name(self) -> str:
        """What tables call it: as it was typed, but of a path the last part alone: paths name people."""
        words, _, model = self.typed.partition("=")
        return f"{words}={public_model_name(model)}" if model else words


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSettings:
    """What all systems share; plain values, so that they travel to another process.

    Attributes:
        model: "bundled", a folder or a hub id.
        revision: of a hub id.
        device: "auto", "cpu", "cuda", ... for the systems on torch.
        threads: of every runtime; None leaves the choice to it.
        batch_tokens: the most tokens in one padded batch, where batches are planned by tokens.
        hypothesis_template: None takes the checkpoint's own or each system's usual one.
    """

    model: str
    revision: str | None = None
    device: str = "cpu"
    threads: int | None = None
    batch_tokens: int = 2048
    hypothesis_template: str | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads must be at least 1, got {self.threads}")
        if self.hypothesis_template is not None:
            HypothesisTemplate(self.hypothesis_template)  # refuses a wrong one before any model is loaded


def parse_specs(texts: Sequence[str]) -> list[SystemSpec]:
    """Read the names of systems.

    Raises:
        InputError: one is unknown, or there twice.
    """
    specs = [SystemSpec.parse(text) for text in texts]
    names = [spec.name for spec in specs]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise InputError(f"system {doubled!r} is there twice: name each once")
    return specs


def public_model_name(model: str) -> str:
    """Return a hub id as it is, and the last part of a path.

    >>> public_model_name("/home/ada/models/nli")
    'nli'
    """
    is_path = model.startswith((".", "~")) or PurePath(model).is_absolute()
    return PurePath(model).name if is_path else model


def _what_is(variant: str, kind: str, text: str) -> str:
    takes_batch_size = _BATCH_SIZES[kind] is not None
    if variant.isdecimal() and takes_batch_size:
        return "batch_size"
    if variant in _BACKENDS[kind]:
        return "backend"
    if variant in _DTYPES and kind != "onnxruntime":
        return "dtype"
    known = [*_BACKENDS[kind], *(() if kind == "onnxruntime" else _DTYPES)]
    known += ["a batch size"] if takes_batch_size else []
    raise InputError(f"system {text!r}: {variant!r} is not one of {', '.join(known)}")
