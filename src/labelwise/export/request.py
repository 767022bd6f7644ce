"""What is asked for: formats, precisions, and the files that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, cast, get_args

from labelwise.errors import InputError

__all__ = ["Artefact", "ArtefactKind", "Format", "Precision", "plan_artefacts"]

Format = Literal["safetensors", "onnx", "openvino", "transformersjs", "sentence-transformers"]
Precision = Literal["fp32", "fp16", "bf16", "int8", "q4", "q4f16"]
ArtefactKind = Literal["safetensors", "onnx", "openvino"]

# Which files a format is made of.
_KINDS: Final[Mapping[Format, tuple[ArtefactKind, ...]]] = {
    "safetensors": ("safetensors",),
    "onnx": ("onnx",),
    "openvino": ("openvino",),
    "transformersjs": ("onnx",),
    "sentence-transformers": ("safetensors", "onnx", "openvino"),
}
_SAFETENSORS: Final[tuple[Precision, ...]] = ("fp32", "fp16", "bf16")
_PRECISIONS: Final[Mapping[Format, tuple[Precision, ...]]] = {
    "safetensors": _SAFETENSORS,
    "onnx": ("fp32", "fp16", "bf16", "int8", "q4", "q4f16"),
    "openvino": ("fp32", "fp16", "int8"),
    # transformers.js has no name for bfloat16.
    "transformersjs": ("fp32", "fp16", "int8", "q4", "q4f16"),
    "sentence-transformers": ("fp32", "fp16"),
}
# The endings of transformers.js, which plain onnxruntime and sentence-transformers take by name.
_ONNX_ENDINGS: Final[Mapping[Precision, str]] = {
    "fp32": "", "fp16": "_fp16", "bf16": "_bf16", "int8": "_quantized", "q4": "_q4", "q4f16": "_q4f16",
}  # fmt: skip
_OPENVINO_ENDINGS: Final[Mapping[Precision, str]] = {"fp32": "", "fp16": "_fp16", "int8": "_qint8_quantized"}


@dataclass(frozen=True, slots=True)
class Artefact:
    """One weight file to make; ``name`` is its path in the folder, with forward slashes.

    Attributes:
        is_variant: for safetensors beside others of a wider precision, which have the plain name.
    """

    kind: ArtefactKind
    precision: Precision
    is_variant: bool = False

    @property
    def name(self) -> str:
        """Where the ecosystems look for it."""
        if self.kind == "safetensors":
            return f"model.{self.precision}.safetensors" if self.is_variant else "model.safetensors"
        if self.kind == "onnx":
            return f"onnx/model{_ONNX_ENDINGS[self.precision]}.onnx"
        return f"openvino/openvino_model{_OPENVINO_ENDINGS[self.precision]}.xml"


def plan_artefacts(formats: Sequence[str], precisions: Sequence[str]) -> tuple[Artefact, ...]:
    """Return the files to make for formats and precisions, each once.

    Of safetensors in several precisions the first of fp32, fp16, bf16 is ``model.safetensors``, the
    others are what transformers calls variants: ``from_pretrained(folder, variant="fp16")``.

    Raises:
        InputError: a name is not known, or a format has no such precision.

    Example:
        >>> [artefact.name for artefact in plan_artefacts(["transformersjs"], ["fp32", "int8"])]
        ['onnx/model.onnx', 'onnx/model_quantized.onnx']
        >>> [artefact.name for artefact in plan_artefacts(["safetensors"], ["fp16", "fp32"])]
        ['model.fp16.safetensors', 'model.safetensors']
    """
    artefacts: dict[Artefact, None] = {}
    for name in formats:
        for precision in precisions:
            _check("format", name, get_args(Format))
            _check("precision", precision, get_args(Precision))
            artefacts.update(dict.fromkeys(_files(cast(Format, name), cast(Precision, precision))))
    if not artefacts:
        raise InputError("nothing to export: give at least one format and one precision")
    return tuple(_with_variants(list(artefacts)))


def _check(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{what} {value!r} is not known: use one of {', '.join(choices)}")


def _files(name: Format, precision: Precision) -> list[Artefact]:
    if precision not in _PRECISIONS[name]:
        raise InputError(
            f"format {name!r} has no precision {precision!r}: it has {', '.join(_PRECISIONS[name])}"
        )
    return [Artefact(kind, precision) for kind in _KINDS[name]]


def _with_variants(artefacts: Sequence[Artefact]) -> Iterator[Artefact]:
    stored = {artefact.precision for artefact in artefacts if artefact.kind == "safetensors"}
    plain = next((precision for precision in _SAFETENSORS if precision in stored), None)
    for artefact in artefacts:
        is_variant = artefact.kind == "safetensors" and artefact.precision != plain
        yield replace(artefact, is_variant=is_variant)
