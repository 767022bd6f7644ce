import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from labelwise import errors
from labelwise.backends import open_backend
from labelwise.backends.heads import HeadOutputs
from labelwise.backends.torch import TorchBackend
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import CheckpointError, InputError, MissingExtraError

torch = pytest.importorskip("torch")


def test_half_precision_gives_float32_logits_near_the_full_ones(tiny, rows):
    checkpoint = tiny("bert")
    batch = rows((12, 5), types=True)
    (full,) = open_backend(checkpoint, backend="torch").run(batch)
    (half,) = open_backend(checkpoint, backend="torch", dtype="bfloat16").run(batch)
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, full, atol=0.1)
    assert not np.array_equal(half, full)


def test_a_device_that_is_not_there_is_refused(tiny):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match="not on this machine"):
        open_backend(tiny("bert"), backend="torch", device="cuda")


def test_a_missing_tensor_is_refused_and_not_made_up(save_tiny):
    folder = save_tiny("bert")
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("classifier.bias")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"classifier\.bias"):
        open_backend(open_checkpoint(folder), backend="torch")


def test_a_checkpoint_with_onnx_alone_is_refused(save_tiny):
    folder = save_tiny("bert")
    (folder / "model.safetensors").rename(folder / "model.onnx")
    with pytest.raises(CheckpointError, match="backend='onnx'"):
        open_backend(open_checkpoint(folder), backend="torch")


def test_without_the_extra_the_error_says_what_to_install(tiny, monkeypatch):
    checkpoint = tiny("bert")

    def missing(module, *, extra):
        raise MissingExtraError(
            f"this needs {module!r}, which is not installed: pip install 'labelwise[{extra}]'"
        )

    monkeypatch.setattr("labelwise.backends.torch.require", missing)
    with pytest.raises(errors.MissingExtraError, match=r"labelwise\[torch\]"):
        open_backend(checkpoint, backend="torch")


def test_threads_are_set_on_request(tiny):
    before = torch.get_num_threads()
    try:
        open_backend(tiny("bert"), backend="torch", threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_a_head_of_the_multitask_model_that_nobody_asked_for_does_not_run(rows):
    from labelwise.models import MultitaskConfig, MultitaskModel

    torch.manual_seed(1)
    sizes = {"vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = MultitaskModel(MultitaskConfig(intermediate_size=24, label_head_size=8, **sizes)).eval()
    ran = []
    for name in ("classify_head", "entail_head", "answer_head"):
        getattr(model, name).register_forward_hook(lambda *_, name=name: ran.append(name))
    backend = TorchBackend(model, head=HeadOutputs("multitask", 3), pad_id=0)
    batch = rows((9, 4))
    _, entail, start, end = backend.run(batch)
    assert ran == ["classify_head", "entail_head", "answer_head"]
    ran.clear()
    np.testing.assert_array_equal(backend.run(batch, outputs=["entail_logits"])[0], entail)
    assert ran == ["entail_head"]
    found = backend.run(batch, outputs=["end_logits", "start_logits"])
    assert ran == ["entail_head", "answer_head"]
    for mine, expected in zip(found, (end, start), strict=True):
        np.testing.assert_array_equal(mine, expected)
