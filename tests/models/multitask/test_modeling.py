import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import AutoConfig, AutoModel

from labelwise.errors import InputError
from labelwise.models import MultitaskConfig, MultitaskModel
from labelwise.models.multitask.modeling import attention_bias


def tiny(**changes):
    torch.manual_seed(0)
    config = MultitaskConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        label_head_size=12,
        max_position_embeddings=32,
        **changes,
    )
    model = MultitaskModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(0.0, 0.3)
    return model


def row(text, labels):
    """One row, written out by hand."""
    ids = [2, *text, 3]
    start, segments, types = len(ids), [0] * len(ids), [0] * len(ids)
    places, positions = list(range(len(ids))), []
    for number, label in enumerate(labels, start=1):
        ids += [*label, 3]
        segments += [number] * (len(label) + 1)
        types += [1] * (len(label) + 1)
        places += range(start, start + len(label) + 1)
        positions.append(len(ids) - 1)
    batch = {"input_ids": ids, "segment_ids": segments, "token_type_ids": types, "position_ids": places}
    batch["label_positions"] = positions
    return {name: torch.tensor([values]) for name, values in batch.items()}


def test_a_token_sees_the_text_and_its_own_segment_alone():
    bias = attention_bias(torch.tensor([[0, 0, 1, 2, 2, -1]]))[0, 0]
    seen = (bias == 0).int().tolist()
    assert seen == [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 0, 1, 1, 0],
        [1, 1, 0, 1, 1, 0],
        [1, 1, 0, 0, 0, 0],
    ]


def test_a_labels_logit_does_not_depend_on_the_other_labels():
    model, text = tiny(), [7, 8, 9]
    labels = [[11], [12, 13], [14, 15, 16]]
    together = model(**row(text, labels)).label_logits[0]
    alone = torch.stack([model(**row(text, [label])).label_logits[0, 0] for label in labels])
    backwards = model(**row(text, labels[::-1])).label_logits[0].flip(0)
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together, backwards, atol=1e-6)
    assert together.std() > 1e-3


def test_padding_changes_nothing():
    model, batch = tiny(), row([7, 8], [[11], [12, 13]])
    padded = {name: torch.nn.functional.pad(values, (0, 3)) for name, values in batch.items()}
    padded["segment_ids"] = torch.nn.functional.pad(batch["segment_ids"], (0, 3), value=-1)
    padded["label_positions"] = torch.nn.functional.pad(batch["label_positions"], (0, 2), value=-1)
    plain, wide = model(**batch), model(**padded)
    assert torch.allclose(plain.label_logits, wide.label_logits[:, :2], atol=1e-6)
    assert torch.allclose(plain.entail_logits, wide.entail_logits, atol=1e-6)
    assert torch.allclose(plain.start_logits, wide.start_logits[:, : plain.start_logits.shape[1]], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_hides_what_is_not_seen_without_overflow(dtype):
    batch = row([7, 8, 9], [[11], [12, 13]])
    expected, found = tiny()(**batch), tiny().to(dtype)(**batch)
    for name in ("label_logits", "entail_logits", "start_logits", "end_logits"):
        assert torch.allclose(found[name].float(), expected[name], atol=0.1)


def test_only_the_heads_that_are_asked_for_run():
    outputs = tiny()(**row([7], [[11]]), heads=("entail",))
    assert outputs.entail_logits.shape == (1, 3)
    assert outputs.label_logits is None
    assert outputs.start_logits is None


def test_the_encoder_is_transformers_own_bert_on_a_plain_pair():
    model = tiny()
    ids = torch.tensor([[2, 7, 3, 8, 9, 3]])
    types = torch.tensor([[0, 0, 0, 1, 1, 1]])
    hidden = model.encoder(input_ids=ids, token_type_ids=types).last_hidden_state
    expected = model.answer_head(hidden)
    found = model(ids, segment_ids=torch.zeros_like(ids), token_type_ids=types)
    assert torch.allclose(found.start_logits, expected[..., 0], atol=1e-6)
    assert torch.allclose(found.end_logits, expected[..., 1], atol=1e-6)


def test_a_saved_model_is_read_back_by_the_auto_classes(tmp_path):
    model = tiny()
    model.save_pretrained(tmp_path)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), MultitaskConfig)
    again = AutoModel.from_pretrained(tmp_path)
    batch = row([7, 8], [[11]])
    assert torch.equal(again(**batch).label_logits, model(**batch).label_logits)


def test_a_label_head_without_width_is_refused():
    with pytest.raises(InputError, match="label_head_size must be at least 1, got 0"):
        MultitaskConfig(label_head_size=0)
