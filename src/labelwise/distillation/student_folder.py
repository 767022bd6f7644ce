"""A folder that appears whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labelwise.errors import DataError

__all__ = ["TOKENIZER_FILES", "appearing_whole", "copy_files", "name_of_model", "write_json"]

# fmt: off
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
    "vocab.json", "merges.txt", "spm.model", "spiece.model", "sentencepiece.bpe.model",
)
# fmt: on
_FOLDER_MODE = 0o755
# Where huggingface_hub keeps what it has fetched.
_HUB_SNAPSHOT = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/[^/]+")


@contextmanager
def appearing_whole(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write into, renamed to ``folder`` at the end and removed after an error.

    Raises:
        DataError: ``folder`` exists already, or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise DataError(f"{folder} exists already: remove it or choose another output")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error
    try:
        yield draft
        draft.chmod(_FOLDER_MODE)
        draft.rename(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def name_of_model(folder: Path) -> str:
    """Return what to call a model's folder: its hub id where it lies in the hub's cache, else its last name.

    >>> name_of_model(Path("hub/models--facebook--bart-large-mnli/snapshots/d7645e1"))
    'facebook/bart-large-mnli'
    """
    found = _HUB_SNAPSHOT.search(folder.absolute().as_posix())
    return f"{found[1]}/{found[2]}" if found else folder.absolute().name


def copy_files(source: Path, target: Path, names: tuple[str, ...]) -> None:
    """Copy those of the files that are there."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object for people and machines."""
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
