"""Trim a model's vocabulary to what a corpus needs: most of a compact encoder is its embedding table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from labelwise.checkpoints.files import CONFIG_FILE, WEIGHTS_FILE
from labelwise.checkpoints.json_file import read_json_object
from labelwise.checkpoints.settings import read_settings
from labelwise.distillation.parameter_counts import count_parameters
from labelwise.distillation.plan import StudentPlan, plan_student
from labelwise.distillation.shrink import copy_settings, read_config, student_tensors
from labelwise.distillation.student_folder import appearing_whole, copy_files, name_of_model, write_json
from labelwise.distillation.tensor_file import PickedTensor, stored_tensors, write_picked
from labelwise.distillation.tokenizer_rows import always_kept, check_kind, renumbered
from labelwise.errors import CheckpointError, DataError
from labelwise.template import DEFAULT_TEMPLATE
from labelwise.text.tokenizer import TextTokenizer

__all__ = ["TrimReport", "read_texts", "trim_vocabulary"]

_TABLE = re.compile(r"(.+\.)?(word_embeddings|tok_embeddings|shared|embed_tokens)\.weight")
_TOKENIZER = "tokenizer.json"
# Their positions are counted from the padding id, which therefore must not move.
_COUNTS_FROM_PADDING = frozenset({"roberta", "xlm-roberta"})


@dataclass(frozen=True, slots=True)
class TrimReport:
    """What trimming saved and cost; bytes are those of the weights and tokenizer.json.

    ``changed_share`` is the share of the corpus's texts that are now read as other tokens,
    ``held_out_changed_share`` that of other texts.
    """

    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int
    parameters_after: int
    changed_share: float
    held_out_changed_share: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


def read_texts(file: Path) -> list[str]:
    """Read the lines of a UTF-8 text file, without the blank ones.

    Raises:
        DataError: it cannot be read or has no text.
    """
    try:
        texts = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: save it as UTF-8") from error
    if not texts:
        raise DataError(f"{file} has no text: give one text a line")
    return texts


def trim_vocabulary(
    folder: Path,
    texts: Sequence[str],
    *,
    output: Path,
    plan: StudentPlan | None = None,
    held_out: Sequence[str] = (),
) -> TrimReport:
    """Write a copy of a model that knows only the tokens that texts need, and say what changes.

    Labels and hypotheses should be among the texts. Control tokens, single characters and bytes stay, so
    that every text can still be read, in more tokens if need be. ``plan`` drops layers in the same step.

    Raises:
        CheckpointError: the tokenizer is not WordPiece or Unigram, or does not fit the weights.
        DataError: ``output`` exists or cannot be written.
    """
    if not (folder / _TOKENIZER).is_file():
        raise CheckpointError(f"{folder} has no tokenizer.json: save the tokenizer in that form first")
    plan = plan or plan_student(read_config(folder))
    spec = read_json_object(folder / _TOKENIZER)
    check_kind(spec)
    tokenizer = TextTokenizer.from_folder(folder)
    rows_before = int(plan.config["vocab_size"])
    kept = _kept_rows(folder, tokenizer, spec, plan.config, texts)
    new_ids = {old: new for new, old in enumerate(kept)}
    config = _config(plan.config, new_ids)
    tensors = _trimmed_tensors(student_tensors(stored_tensors(folder), plan), kept, rows_before)
    with appearing_whole(output) as draft:
        write_picked(draft / WEIGHTS_FILE, tensors)
        _write_tokenizer(folder, draft, spec, new_ids)
        copy_settings(folder, draft)
        trimmed = TextTokenizer.from_folder(draft)
        report = TrimReport(
            rows_before=rows_before,
            rows_after=len(kept),
            bytes_before=_size_bytes(folder),
            bytes_after=_size_bytes(draft),
            parameters_after=count_parameters(config).total,
            changed_share=_changed_share(tokenizer, trimmed, texts, new_ids),
            held_out_changed_share=_changed_share(tokenizer, trimmed, held_out, new_ids)
            if held_out
            else None,
        )
        teacher = {"teacher_folder": name_of_model(folder)}
        write_json(draft / "distillation.json", {**teacher, **plan.to_dict(), "vocabulary": report.to_dict()})
        write_json(draft / CONFIG_FILE, config)
    return report


def _kept_rows(
    folder: Path,
    tokenizer: TextTokenizer,
    spec: Mapping[str, Any],
    config: Mapping[str, Any],
    texts: Sequence[str],
) -> list[int]:
    rows = int(config["vocab_size"])
    template = read_settings(folder).hypothesis_template or DEFAULT_TEMPLATE
    seen = {int(row) for encoded in tokenizer.encode_many([*texts, template]) for row in encoded.ids}
    named = {row for key, row in config.items() if _is_token_id(key, row) and row < rows}
    kept = sorted(seen | named | always_kept(spec))
    if kept[-1] >= rows:
        raise CheckpointError(
            f"tokenizer.json has the id {kept[-1]}, the embedding table {rows} rows: they do not fit together"
        )
    return kept


def _is_token_id(key: str, value: Any) -> bool:
    return key.endswith("_token_id") and type(value) is int and value >= 0


def _config(config: Mapping[str, Any], new_ids: Mapping[int, int]) -> dict[str, Any]:
    trimmed = {
        key: new_ids.get(value) if _is_token_id(key, value) else value for key, value in config.items()
    }
    trimmed["vocab_size"] = len(new_ids)
    pad = "pad_token_id"
    if config.get("model_type") in _COUNTS_FROM_PADDING and trimmed.get(pad) != config.get(pad):
        raise CheckpointError(f"the padding id {config.get(pad)} would move, and with it all positions")
    return trimmed


def _trimmed_tensors(tensors: Iterable[PickedTensor], kept: Sequence[int], rows: int) -> list[PickedTensor]:
    picked = np.array(kept, dtype=np.int64)
    trimmed = []
    for tensor in tensors:
        is_table = _TABLE.fullmatch(tensor.name) is not None
        if is_table and tensor.shape[0] != rows:
            raise CheckpointError(
                f"tensor {tensor.name!r} has {tensor.shape[0]} rows, config.json says {rows}"
            )
        trimmed.append(replace(tensor, rows=picked) if is_table else tensor)
    if all(tensor.rows is None for tensor in trimmed):
        raise CheckpointError("the weights have no table of token embeddings under a known name")
    return trimmed


def _write_tokenizer(folder: Path, draft: Path, spec: Mapping[str, Any], new_ids: Mapping[int, int]) -> None:
    # The other vocabulary files (spm.model, vocab.txt) would bring the old ids back: they stay behind.
    write_json(draft / _TOKENIZER, renumbered(spec, new_ids))
    copy_files(folder, draft, ("special_tokens_map.json",))
    settings_file = folder / "tokenizer_config.json"
    if settings_file.is_file():
        settings = read_json_object(settings_file)
        decoder = settings.get("added_tokens_decoder")
        if isinstance(decoder, dict):
            settings["added_tokens_decoder"] = {
                str(new_ids[int(row)]): token for row, token in decoder.items() if int(row) in new_ids
            }
        write_json(draft / settings_file.name, settings)


def _size_bytes(folder: Path) -> int:
    weights = {tensor.file for tensor in stored_tensors(folder).values()}
    return sum(file.stat().st_size for file in (*weights, folder / _TOKENIZER))


def _changed_share(
    before: TextTokenizer, after: TextTokenizer, texts: Sequence[str], new_ids: Mapping[int, int]
) -> float:
    changed = 0
    for old, new in zip(before.encode_many(texts), after.encode_many(texts), strict=True):
        changed += [new_ids.get(row) for row in old.ids.tolist()] != new.ids.tolist()
    return changed / len(texts)
