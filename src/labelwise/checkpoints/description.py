"""Say what a checkpoint is and what it lacks, from its small files and the headers of its weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labelwise.checkpoints.checkpoint import Checkpoint
from labelwise.checkpoints.files import WEIGHTS_FILE
from labelwise.checkpoints.folder import list_files
from labelwise.checkpoints.heads import MultitaskHead, NliHead, ReaderHead
from labelwise.checkpoints.manifest import ExportProof, read_proofs
from labelwise.checkpoints.model_card import fetch_card, read_licence
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.checkpoints.settings import CALIBRATED_KEYS, CheckpointSettings
from labelwise.checkpoints.stored_weights import StoredWeights, read_stored_weights
from labelwise.checkpoints.widened import read_widened
from labelwise.errors import CheckpointError
from labelwise.graphs.families import has_builder
from labelwise.graphs.nested import JOINT_FAMILIES, encoder_config_of
from labelwise.text.files import read_published

__all__ = ["DescribedFile", "EncoderShape", "ModelDescription", "TokenizerDescription", "describe"]

_READ_BYTES = 1 << 20
_VARIANT = re.compile(r"model\.\w+\.safetensors")


@dataclass(frozen=True, slots=True)
class DescribedFile:
    """A file of the model; ``sha256`` is in hex, None when hashes were not asked for."""

    name: str
    num_bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The encoder as config.json tells it; None for what it does not tell.

    ``family`` differs from the model's own for a joint model, which has an encoder inside.
    """

    family: str
    num_layers: int | None
    num_decoder_layers: int | None
    width: int | None
    num_attention_heads: int | None


@dataclass(frozen=True, slots=True)
class TokenizerDescription:
    """``kind`` is the algorithm ("WordPiece", "Unigram", "BPE"), added tokens count in the vocabulary."""

    file: str
    kind: str
    vocabulary_size: int


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What `describe` found.

    Attributes:
        head: "entailment", "reader", "multitask", or the joint family's name.
        labels: the head's output names in output order; empty where labels come with each call.
        num_parameters: as stored in the safetensors, else in the first ONNX file; None when packed.
        max_tokens: the window, control tokens included.
        proofs: of an exported folder's weight files: how they were compared with the original.
        settings: labelwise.json, with the defaults of what it leaves out.
        missing: what is not there and what follows from it, one sentence each.
    """

    ref: str
    folder: Path
    family: str
    tasks: tuple[str, ...]
    head: str
    labels: tuple[str, ...]
    encoder: EncoderShape
    num_parameters: int | None
    max_tokens: int
    tokenizer: TokenizerDescription | None
    weights: tuple[StoredWeights, ...]
    files: tuple[DescribedFile, ...]
    settings: CheckpointSettings
    licence: str | None
    missing: tuple[str, ...]
    proofs: tuple[ExportProof, ...] = ()

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions in which the weights are there, each once."""
        return tuple(dict.fromkeys(stored.precision for stored in self.weights))

    @property
    def num_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.num_bytes for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        settings = asdict(self.settings)
        source = settings.pop("source")
        return {
            "ref": self.ref,
            "folder": str(self.folder),
            "family": self.family,
            "tasks": list(self.tasks),
            "head": self.head,
            "labels": list(self.labels),
            "encoder": asdict(self.encoder),
            "num_parameters": self.num_parameters,
            "max_tokens": self.max_tokens,
            "tokenizer": None if self.tokenizer is None else asdict(self.tokenizer),
            "precisions": list(self.precisions),
            "weights": [stored.to_dict() for stored in self.weights],
            "files": [asdict(file) for file in self.files],
            "num_bytes": self.num_bytes,
            "settings": settings,
            "source": source,
            "licence": self.licence,
            "missing": list(self.missing),
            "proofs": [asdict(proof) for proof in self.proofs],
        }


def describe(
    ref: str | Path = "bundled", *, revision: str | None = None, with_hashes: bool = True
) -> ModelDescription:
    """Describe a checkpoint without loading it.

    Args:
        ref: "bundled", a folder, or a hub id, which is fetched as for loading.
        revision: a branch, tag or commit; for hub ids only.
        with_hashes: False leaves out the SHA-256 of the files, for which each must be read whole.

    Raises:
        CheckpointError: there is no usable checkpoint at ``ref``, or a file of it is damaged.
        InputError: a revision was given for a folder.

    Example:
        >>> describe(with_hashes=False).ref
        'bundled'
    """
    checkpoint = open_checkpoint(ref, revision=revision)
    fetch_card(checkpoint)
    weights = tuple(
        read_stored_weights(checkpoint.folder, file)
        for file in (*checkpoint.weight_files, *checkpoint.onnx_files, *_variants(checkpoint.folder))
    )
    tokenizer, tokenizer_fault = _tokenizer(checkpoint.folder)
    licence = read_licence(checkpoint.folder)
    return ModelDescription(
        ref=checkpoint.ref,
        folder=checkpoint.folder,
        family=checkpoint.family,
        tasks=tuple(sorted(checkpoint.tasks)),
        head=_head_name(checkpoint),
        labels=_labels(checkpoint),
        encoder=_encoder_shape(checkpoint.config),
        num_parameters=_num_parameters(checkpoint, weights),
        max_tokens=checkpoint.max_tokens,
        tokenizer=tokenizer,
        weights=weights,
        files=tuple(
            _described_file(checkpoint.folder, name, with_hash=with_hashes)
            for name in list_files(checkpoint.folder)
        ),
        settings=checkpoint.settings,
        licence=licence,
        proofs=read_proofs(checkpoint.folder),
        missing=(*_missing_weights(checkpoint), *tokenizer_fault, *_missing_facts(checkpoint, licence)),
    )


def _variants(folder: Path) -> list[Path]:
    """Find what transformers calls variants, such as model.fp16.safetensors; they are read on demand only."""
    if not (folder / WEIGHTS_FILE).is_file():
        return []
    return [file for file in sorted(folder.glob("model.*.safetensors")) if _VARIANT.fullmatch(file.name)]


def _head_name(checkpoint: Checkpoint) -> str:
    names: dict[type, str] = {NliHead: "entailment", ReaderHead: "reader", MultitaskHead: "multitask"}
    return names.get(type(checkpoint.head), checkpoint.family)


def _labels(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Name the outputs of an entailment head as the config does, or by role where it has no names."""
    head = checkpoint.head.entail if isinstance(checkpoint.head, MultitaskHead) else checkpoint.head
    if not isinstance(head, NliHead):
        return ()
    named = checkpoint.config.get("id2label")
    names = {int(index): str(name) for index, name in named.items()} if isinstance(named, Mapping) else {}
    return tuple(
        names.get(index, role) for role, index in sorted(head.roles.items(), key=lambda entry: entry[1])
    )


def _encoder_shape(config: Mapping[str, Any]) -> EncoderShape:
    encoder = encoder_config_of(config)

    def number(*keys: str) -> int | None:
        return next((value for key in keys if isinstance(value := encoder.get(key), int)), None)

    return EncoderShape(
        family=str(encoder.get("model_type")),
        num_layers=number("encoder_layers", "num_hidden_layers", "n_layers", "num_layers"),
        num_decoder_layers=number("decoder_layers", "num_decoder_layers"),
        width=number("hidden_size", "d_model", "dim"),
        num_attention_heads=number("num_attention_heads", "encoder_attention_heads", "n_heads", "num_heads"),
    )


def _num_parameters(checkpoint: Checkpoint, weights: tuple[StoredWeights, ...]) -> int | None:
    num_shards = len(checkpoint.weight_files)
    counts = [stored.num_parameters for stored in (weights[:num_shards] or weights[:1])]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _tokenizer(folder: Path) -> tuple[TokenizerDescription | None, tuple[str, ...]]:
    try:
        published = read_published(folder)
    except CheckpointError as error:
        return None, (f"no usable tokenizer, so it cannot be loaded: {error}",)
    model = published.spec["model"]
    vocab = model["vocab"]
    pieces = set(vocab) if isinstance(vocab, Mapping) else {piece for piece, _ in vocab}
    pieces.update(token["content"] for token in published.spec["added_tokens"])
    kind = str(model.get("type") or "unknown")
    return TokenizerDescription(published.source.name, kind, len(pieces)), ()


def _described_file(folder: Path, name: str, *, with_hash: bool) -> DescribedFile:
    file = folder / name
    try:
        return DescribedFile(name, file.stat().st_size, _sha256(file) if with_hash else None)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}") from error


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _missing_weights(checkpoint: Checkpoint) -> list[str]:
    if not checkpoint.weight_files:
        return [_without_safetensors(checkpoint)]
    if checkpoint.onnx_files:
        return []
    if has_builder(checkpoint.config) or checkpoint.family in JOINT_FAMILIES:
        return ["no ONNX file: the graph is built from the weights at first load"]
    return ["no ONNX file: the first load exports one with torch, which needs 'labelwise[torch]'"]


def _missing_facts(checkpoint: Checkpoint, licence: str | None) -> list[str]:
    missing = []
    if checkpoint.settings == checkpoint.settings.without_calibration():
        missing.append(
            f"no calibration ({', '.join(CALIBRATED_KEYS[:3])}, ...): scores come as the model gives them"
        )
    if licence is None:
        missing.append("no licence stated: ask its makers before you pass it on")
    return missing


def _without_safetensors(checkpoint: Checkpoint) -> str:
    try:
        read_widened(checkpoint)
    except CheckpointError:
        return "no safetensors: it runs, but can be neither trained nor opened with the torch backend"
    return "no safetensors: it runs and is exported from its ONNX file, but cannot be trained"
