"""Which files of a checkpoint matter, judged by their names alone (a folder's or a hub listing's)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from labelwise.errors import CheckpointError

__all__ = [
    "CONFIG_FILE",
    "INDEX_FILE",
    "WEIGHTS_FILE",
    "lone_weight_files",
    "onnx_by_preference",
    "refuse_without_weights",
    "wanted_from_hub",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
# fmt: off
_SMALL_FILES = frozenset({
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", "spm.model", "spiece.model", "sentencepiece.bpe.model",
    "labelwise.json",
})
# fmt: on
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".joblib", ".msgpack", ".h5")
# The first of these names wins, in the root before onnx/; any other ONNX file comes after, by name.
_ONNX_NAMES = ("model.onnx", "model_quantized.onnx")


def lone_weight_files(names: Iterable[str]) -> list[str]:
    """Return the safetensors files in the root that are whole models: neither shards nor adapters."""
    roots = [name for name in names if name.endswith(".safetensors") and "/" not in name]
    if WEIGHTS_FILE in roots:
        return [WEIGHTS_FILE]
    return sorted(name for name in roots if not name.startswith("adapter_") and not _SHARD.fullmatch(name))


def onnx_by_preference(names: Iterable[str]) -> list[str]:
    """Return the ONNX files in the root and in ``onnx/``, the one to prefer first."""
    found = [name for name in names if name.endswith(".onnx") and name.rpartition("/")[0] in ("", "onnx")]

    def preference(name: str) -> tuple[int, bool, str]:
        base = name.rpartition("/")[2]
        rank = _ONNX_NAMES.index(base) if base in _ONNX_NAMES else len(_ONNX_NAMES)
        return rank, "/" in name, name

    return sorted(found, key=preference)


def wanted_from_hub(names: Sequence[str], *, has_own_graph: bool, needs_safetensors: bool) -> list[str]:
    """Choose what to download: the small files, and weights or one ONNX file, never both.

    Safetensors come first where they are needed or where our own graph is built from them; elsewhere an ONNX
    file saves the export.

    Raises:
        CheckpointError: there are no weights in a form that is read here.
    """
    refuse_without_weights(names)
    weights = _hub_weights(names)
    onnx = onnx_by_preference(names)
    chosen = (
        weights
        if weights and (has_own_graph or needs_safetensors or not onnx)
        else _with_data(onnx[0], names)
    )
    return [*sorted(_SMALL_FILES.intersection(names)), *chosen]


def refuse_without_weights(names: Iterable[str]) -> None:
    """Raise when a listing has neither safetensors nor ONNX, and say what to do.

    Raises:
        CheckpointError: see above.
    """
    names = list(names)
    if _hub_weights(names) or onnx_by_preference(names):
        return
    pickled = sorted(name for name in names if name.endswith(_PICKLED))
    if pickled:
        raise CheckpointError(
            f"it has only pickled or foreign weights ({pickled[0]}), and pickles run code when read: "
            "safetensors are needed; in transformers, from_pretrained(...).save_pretrained(folder) "
            "writes model.safetensors"
        )
    if any(name.startswith("adapter_") for name in names):
        raise CheckpointError("it holds an adapter, not a model: merge it into its base model and save that")
    raise CheckpointError("it has no weights: neither model.safetensors nor an ONNX file")


def _hub_weights(names: Sequence[str]) -> list[str]:
    if WEIGHTS_FILE in names:
        return [WEIGHTS_FILE]
    if INDEX_FILE in names:
        return [INDEX_FILE, *sorted(name for name in names if _SHARD.fullmatch(name))]
    return lone_weight_files(names)


def _with_data(onnx_name: str, names: Iterable[str]) -> list[str]:
    """Add the external data files that stand beside an ONNX file under its name."""
    return [
        onnx_name,
        *sorted(name for name in names if name.startswith((f"{onnx_name}_data", f"{onnx_name}.data"))),
    ]
