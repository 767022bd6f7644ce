"""Tiny random transformers models and a way to run the graphs built from their weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto

Outputs = dict[str, np.ndarray]


def _open_session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


class Runner:
    """One session; feeds only the inputs that the graph has."""

    def __init__(self, model: ModelProto) -> None:
        self.session = _open_session(model)
        self.input_names = [value.name for value in self.session.get_inputs()]
        self.output_names = [value.name for value in self.session.get_outputs()]

    def __call__(self, feed: Outputs) -> Outputs:
        given = {name: feed[name] for name in self.input_names}
        return dict(zip(self.output_names, self.session.run(None, given), strict=True))


@pytest.fixture(scope="session")
def runner() -> type[Runner]:
    return Runner


@pytest.fixture(scope="session")
def torch_model() -> Callable[..., Any]:
    """Build a tiny transformers model whose attention is far from uniform."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def build(model_class: type, config: Any, *, seed: int = 0) -> Any:
        torch.manual_seed(seed)
        model = model_class(config).eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "LayerNorm.weight" in name:
                    parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
                else:
                    parameter.copy_((0.2 if parameter.dim() > 1 else 0.1) * torch.randn_like(parameter))
        return model

    return build


@pytest.fixture(scope="session")
def weights_of() -> Callable[[Any], dict[str, np.ndarray]]:
    return lambda model: {name: tensor.numpy() for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="session")
def peer_outputs() -> Callable[[Any, Outputs], Outputs]:
    """Run the torch model on the same arrays."""
    torch = pytest.importorskip("torch")

    def run(model: Any, feed: Outputs) -> Outputs:
        with torch.inference_mode():
            result = model(**{name: torch.from_numpy(array) for name, array in feed.items()})
        names = [name for name in ("logits", "start_logits", "end_logits") if name in result]
        return {name: result[name].numpy() for name in names}

    return run


@pytest.fixture(scope="session")
def token_batch() -> Callable[..., Outputs]:
    """Random tokens: the first row is full, the others end earlier and are padded."""

    def make(*, batch: int, tokens: int, vocab_size: int, pad_id: int = 0, num_types: int = 0) -> Outputs:
        random = np.random.default_rng(1000 * batch + tokens)
        ids = random.integers(5, vocab_size, (batch, tokens))
        mask = np.ones((batch, tokens), np.int64)
        for row in range(1, batch):
            length = max(1, tokens - 1 - row * tokens // (batch + 1))
            mask[row, length:] = 0
            ids[row, length:] = pad_id
        feed = {"input_ids": ids, "attention_mask": mask}
        if num_types > 1:
            feed["token_type_ids"] = random.integers(0, num_types, (batch, tokens)) * mask
        return feed

    return make
