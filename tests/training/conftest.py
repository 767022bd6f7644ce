"""A tiny base and a tiny data folder, made here, so that a whole run takes a second."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORDS = [
    "the",
    "shop",
    "sold",
    "bread",
    "boat",
    "sank",
    "open",
    "closed",
    "red",
    "blue",
    "is",
    "about",
    "this",
]


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[[str, list[Any]], Path]:
    def write(name: str, rows: list[Any]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def run_in_two_processes(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Start ``labelwise`` with the given arguments by torchrun; ``before`` is Python that both run first."""

    def run(*arguments: object, before: str = "") -> subprocess.CompletedProcess[str]:
        script = tmp_path / "start.py"
        script.write_text(f"{before}\nfrom labelwise.cli.main import run\nrun()\n")
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
        return subprocess.run(
            [*launch, str(script), *map(str, arguments)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def tiny_tokenizer() -> Any:
    return _tokenizer()


@pytest.fixture
def tiny_base(tmp_path: Path) -> Path:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path / "base"
    folder.mkdir()
    tokenizer = _tokenizer()
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
        initializer_range=0.2,
    )
    transformers.set_seed(1)  # how much such a small model learns hangs on where it starts
    transformers.BertModel(config).save_pretrained(folder)
    # As published sentence encoders do: a tokenizer file that pads and cuts by itself.
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(16)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "BertTokenizer", "model_max_length": 64}'
    )
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {piece: index for index, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer
