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

from labelwise.training.settings import TrainerSettings

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
def settings() -> Callable[..., TrainerSettings]:
    """Make settings of a plain run, changed as a test needs."""

    def make(**changes: Any) -> TrainerSettings:
        values: dict[str, Any] = {
            "learning_rate": 2e-5,
            "batch_size": 8,
            "warmup_ratio": 0.1,
            "weight_decay": 0.01,
            "max_grad_norm": 1.0,
            "log_every_steps": 10,
            "evaluate_every_steps": 100,
            "save_every_steps": 50,
            "seed": 3,
        }
        return TrainerSettings(**{**values, **changes})

    return make


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


@pytest.fixture
def tiny_classifier(tmp_path: Path) -> Callable[..., Path]:
    """Save an entailment model of another family than BERT, which reads the same words."""

    def save(family: str, name: str = "classifier", **changes: Any) -> Path:
        pytest.importorskip("torch")
        transformers = pytest.importorskip("transformers")
        ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
        sizes = {"vocab_size": 4 + len(WORDS), "max_position_embeddings": 64, **_SIZES[family]}
        config = transformers.AutoConfig.for_model(family, **{**ids, **sizes, **changes})
        transformers.set_seed(1)
        folder = tmp_path / name
        transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        _tokenizer().save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text('{"model_max_length": 64}')
        return folder

    return save


@pytest.fixture
def write_spm() -> Callable[[Path], None]:
    """Write the tiny vocabulary into a folder as DeBERTa's spm.model, a protobuf message."""

    def message(*fields: tuple[int, bytes | int]) -> bytes:
        written = b""
        for number, value in fields:
            if isinstance(value, int):
                written += bytes([number << 3, value])
            else:
                written += bytes([number << 3 | 2, len(value)]) + value
        return written

    def write(folder: Path) -> None:
        control = [("[PAD]", 3), ("[UNK]", 2), ("[CLS]", 3), ("[SEP]", 3)]
        pieces = [*control, *((f"\u2581{word}", 1) for word in WORDS)]
        entries = [(1, message((1, piece.encode()), (3, kind))) for piece, kind in pieces]
        (folder / "spm.model").write_bytes(message(*entries, (2, message((3, 1)))))

    return write


_SIZES: dict[str, dict[str, Any]] = {
    "bart": {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "decoder_start_token_id": 3,
        "init_std": 0.2,
    },
    "deberta-v2": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
        "pooler_hidden_size": 32,
        "initializer_range": 0.2,
    },
}


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
