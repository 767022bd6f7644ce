"""The engine's library: one that is named or installed and newer than its sources, else one compiled here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelwise.checkpoints import Checkpoint, open_checkpoint
from labelwise.engine import compiling
from labelwise.text.sequence import TokenSequence

SETS = ("plain", "avx2", "avx512", "avx512_vnni")


@pytest.fixture(scope="session")
def library_file(request: pytest.FixtureRequest) -> Path:
    sources = sorted((Path(compiling.__file__).parent / "csrc").iterdir())
    beside = Path(compiling.__file__).parent / compiling.LIBRARY_NAME
    installed = Path(os.environ.get("LABELWISE_ENGINE_LIBRARY") or beside)
    if installed.is_file() and installed.stat().st_mtime > max(file.stat().st_mtime for file in sources):
        return installed
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    cache: Any = request.config.cache
    compiled = Path(cache.mkdir(f"engine-{digest}")) / compiling.LIBRARY_NAME
    if not compiled.is_file() and compiling.compile_library(compiled.parent) is None:
        pytest.skip("no C++ compiler")
    return compiled


@pytest.fixture
def engine(library_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the library the one that is loaded."""
    monkeypatch.setenv("LABELWISE_ENGINE_LIBRARY", str(library_file))
    monkeypatch.delenv("LABELWISE_NO_ENGINE", raising=False)
    monkeypatch.delenv("LABELWISE_ENGINE_ISA", raising=False)


@pytest.fixture(params=SETS)
def each_set(request: pytest.FixtureRequest, engine: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run with each instruction set that this processor has."""
    from labelwise.engine.library import load_library

    library = load_library()
    assert library is not None
    if library.lw_instruction_set(request.param.encode()) is None:
        pytest.skip(f"this processor has no {request.param}")
    monkeypatch.setenv("LABELWISE_ENGINE_ISA", request.param)
    return str(request.param)


@pytest.fixture
def tiny(save_tiny: Callable[..., Path]) -> Callable[..., Checkpoint]:
    return lambda family, **settings: open_checkpoint(save_tiny(family, **settings))


def make_rows(lengths: tuple[int, ...], *, types: bool = False) -> list[TokenSequence]:
    random = np.random.default_rng(sum(lengths))
    rows = []
    for length in lengths:
        token_types = (np.arange(length) > length // 2).astype(np.int64) if types else None
        rows.append(TokenSequence(random.integers(5, 90, length), token_types=token_types))
    return rows


@pytest.fixture
def rows() -> Callable[..., list[TokenSequence]]:
    return make_rows


@pytest.fixture
def multitask(tmp_path: Path) -> Checkpoint:
    """A tiny multi-task model with weights that make logits differ."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from labelwise.models import MultitaskConfig, MultitaskModel

    sizes = {"vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 48, "max_position_embeddings": 96, "pad_token_id": 0}
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(4)
    model = MultitaskModel(MultitaskConfig(label_head_size=24, **sizes)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.2)
            elif "norm" not in name.lower():
                parameter.normal_(0.0, 0.1)
    model.similarity.token_weights[3:] = 1.0
    model.similarity.scale.fill_(2.0)
    model.save_pretrained(tmp_path / "multitask")
    return open_checkpoint(tmp_path / "multitask")
