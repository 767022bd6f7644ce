from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelwise.errors import InputError  # noqa: E402
from labelwise.models.multitask import MultitaskConfig, MultitaskModel  # noqa: E402
from labelwise.training.multitask.averaging import average_with_earlier  # noqa: E402


def tiny(hidden_size=8):
    return MultitaskModel(
        MultitaskConfig(
            hidden_size=hidden_size,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            vocab_size=20,
        )
    )


def test_weights_lie_between_the_two_runs_and_buffers_stay(tmp_path):
    earlier, model = tiny(), tiny()
    earlier.save_pretrained(tmp_path)
    model.similarity.scale.fill_(4.0)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    average_with_earlier(model, tmp_path, share=0.25)
    starts = dict(earlier.named_parameters())
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight, 0.75 * before[name] + 0.25 * starts[name], rtol=0, atol=1e-6)
    assert model.similarity.scale == 4.0


def test_a_share_of_nothing_changes_nothing(tmp_path):
    tiny().save_pretrained(tmp_path)
    model = tiny()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    average_with_earlier(model, tmp_path, share=0.0)
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name])


def test_another_geometry_is_refused(tmp_path):
    tiny(16).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"has no weight 'encoder\.embeddings"):
        average_with_earlier(tiny(8), tmp_path, share=0.5)
