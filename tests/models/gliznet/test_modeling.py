from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    DebertaV2Config,
    ModernBertConfig,
    Trainer,
    TrainingArguments,
)

from labelwise.errors import CheckpointError, InputError
from labelwise.models import GliZNetConfig, GliZNetModel
from labelwise.models.loading import load_joint_model
from labelwise.models.losses import weighted_total

NUM_LABELS = [2, 3, 1]
LAB_TOKEN_ID = 13


def reference_logits(states, batch, tensors, row):
    """Cross-attention and score of one row, label by label, in float64 numpy."""
    states = states[row].double().numpy()
    ids, mask, lmask = (batch[name][row].numpy() for name in ("input_ids", "attention_mask", "lmask"))
    text = [i for i in range(len(ids)) if mask[i] and lmask[i] == 0 and ids[i] != LAB_TOKEN_ID]
    assert ids[text[0]] == 1 and ids[text[-1]] == 2, "[CLS] and [SEP] are read as text"
    logits = []
    for place in [i for i in range(len(ids)) if ids[i] == LAB_TOKEN_ID]:
        label = states[place]
        attention = np.array([label @ states[i] for i in text]) / np.sqrt(states.shape[-1])
        weights = np.exp(attention - attention.max())
        weights /= weights.sum()
        read = sum(weight * states[i] for weight, i in zip(weights, text, strict=True))
        if "aggregator.scoring.logit_scale" in tensors:
            scale = min(np.exp(float(tensors["aggregator.scoring.logit_scale"])), 100.0)
            logits.append(read @ label / np.linalg.norm(read) / np.linalg.norm(label) * scale)
        else:
            matrix = tensors["aggregator.scoring.bilinear.weight"][0].double().numpy()
            logits.append(read @ matrix @ label + float(tensors["aggregator.scoring.bilinear.bias"]))
    return logits


def test_the_checkpoint_reads_back_through_automodel_with_every_weight(checkpoint, tensors):
    model, report = AutoModel.from_pretrained(checkpoint, output_loading_info=True)
    assert isinstance(model, GliZNetModel)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    state = model.state_dict()
    assert state.keys() == tensors.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(state[name], tensor, rtol=0, atol=0)


def test_the_tokenizer_of_the_checkpoint_gives_the_label_token_of_its_config(checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    assert (
        tokenizer.convert_tokens_to_ids("[LAB]") == AutoConfig.from_pretrained(checkpoint).lab_token_id == 13
    )


def test_logits_equal_a_reference_written_out_in_numpy(checkpoint, tensors, batch):
    model = load_joint_model(checkpoint)
    with torch.no_grad():
        output = model(**batch)
        states = model.backbone(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    assert output.logits.shape == (3, 3)
    for row, num_labels in enumerate(NUM_LABELS):
        expected = reference_logits(states, batch, tensors, row)
        assert len(expected) == num_labels
        assert num_labels == 1 or np.ptp(expected) > 0.1, "labels that score alike would hide faults"
        np.testing.assert_allclose(output.logits[row, :num_labels].numpy(), expected, rtol=1e-5, atol=1e-5)
        assert torch.isneginf(output.logits[row, num_labels:]).all()
        assert not output.label_vectors[row, num_labels:].any()


def test_a_row_scores_the_same_alone_and_in_a_batch(checkpoint, batch):
    model = load_joint_model(checkpoint)
    with torch.no_grad():
        together = model(**batch).logits
        for row, num_labels in enumerate(NUM_LABELS):
            length = int(batch["attention_mask"][row].sum())
            alone = model(**{name: values[row : row + 1, :length] for name, values in batch.items()}).logits
            assert alone.shape == (1, num_labels)
            torch.testing.assert_close(together[row, :num_labels], alone[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scoring_method", ["cosine"])
def test_the_cosine_scale_stops_at_one_hundred(checkpoint, batch):
    model = load_joint_model(checkpoint)
    with torch.no_grad():
        model.aggregator.scoring.logit_scale.fill_(50.0)
        logits = model(**batch).logits
    assert logits[torch.isfinite(logits)].abs().max() <= 100.0 + 1e-3


def test_more_labels_than_max_labels_all_get_a_score(checkpoint):
    model = load_joint_model(checkpoint)
    num_labels = 150
    ids = torch.tensor([[1, 5, 6, 2, *[token for k in range(num_labels) for token in (5 + k % 8, 13)]]])
    lmask = torch.tensor([[0, 0, 0, 0, *[mark for k in range(num_labels) for mark in (k + 1, 0)]]])
    logits = model(ids, torch.ones_like(ids), lmask).logits
    assert model.config.max_labels == 20
    assert logits.shape == (1, num_labels)
    assert torch.isfinite(logits).all()


def test_a_batch_without_labels_gives_a_table_without_columns(checkpoint):
    ids = torch.tensor([[1, 5, 6, 2]])
    logits = load_joint_model(checkpoint)(ids, torch.ones_like(ids), torch.zeros_like(ids)).logits
    assert logits.shape == (1, 0)


def test_a_label_token_under_padding_is_not_a_label(checkpoint):
    ids = torch.tensor([[1, 5, 2, 6, 13, 13]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 0]])
    lmask = torch.tensor([[0, 0, 0, 1, 0, 0]])
    assert load_joint_model(checkpoint)(ids, mask, lmask).logits.shape == (1, 1)


def test_the_loss_is_the_weighted_total_over_the_models_own_outputs(checkpoint, batch):
    model = load_joint_model(checkpoint)
    labels = torch.tensor([[1, 0, -100], [0, 1, 1], [1, -100, -100]])
    output = model(**batch, labels=labels)
    present = torch.isfinite(output.logits)
    expected = weighted_total(
        output.logits, labels, output.label_vectors, present, settings=model.config.loss_settings
    )
    assert torch.isfinite(output.loss) and output.loss > 0
    torch.testing.assert_close(output.loss, expected)


def test_wider_padding_of_the_targets_changes_nothing(checkpoint, batch):
    model = load_joint_model(checkpoint)
    labels = torch.tensor([[1, 0, -100], [0, 1, 1], [1, -100, -100]])
    wider = torch.nn.functional.pad(labels, (0, 17), value=-100)
    torch.testing.assert_close(model(**batch, labels=wider).loss, model(**batch, labels=labels).loss)


@pytest.mark.parametrize(
    "labels",
    [[[1, 0, 1], [0, 1, 1], [1, -100, -100]], [[1, 0, -100, -100], [0, 1, 1, 0], [1, -100, -100, -100]]],
)
def test_a_target_for_a_label_that_is_not_in_the_input_is_refused(checkpoint, batch, labels):
    with pytest.raises(InputError, match=r"\[2, 3, 1\] \[LAB\]"):
        load_joint_model(checkpoint)(**batch, labels=torch.tensor(labels))


def test_missing_columns_of_targets_are_unknown_labels(checkpoint, batch):
    model = load_joint_model(checkpoint)
    narrow = model(**batch, labels=torch.tensor([[1, 0], [0, 1], [1, -100]])).loss
    full = model(**batch, labels=torch.tensor([[1, 0, -100], [0, 1, -100], [1, -100, -100]])).loss
    torch.testing.assert_close(narrow, full)


def test_gradient_checkpointing_gives_the_same_gradients(checkpoint, batch):
    labels = torch.tensor([[1, 0, -100], [0, 1, 1], [1, -100, -100]])
    gradients = []
    for is_checkpointed in (False, True):
        model = load_joint_model(checkpoint).train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        if is_checkpointed:
            model.gradient_checkpointing_enable()
            assert model.is_gradient_checkpointing
        model(**batch, labels=labels).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    assert all(gradient is not None for gradient in gradients[0].values())
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


def test_gradient_accumulation_in_transformers_trainer_gives_the_mean_loss_of_its_steps(
    checkpoint, batch, tmp_path
):
    pytest.importorskip("accelerate")
    labels = torch.tensor([[1, 0, -100], [0, 1, 1], [1, -100, -100]])
    rows = [{name: values[i] for name, values in (batch | {"labels": labels}).items()} for i in range(2)]
    model = load_joint_model(checkpoint)
    model.dropout.p = 0.0
    with torch.no_grad():
        losses = [
            model(**{name: value.unsqueeze(0) for name, value in row.items()}).loss.item() for row in rows
        ]
    for module in model.backbone.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "run"),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=2,
        max_steps=1,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    trainer.train()
    assert trainer.state.log_history[0]["loss"] == pytest.approx(sum(losses) / 2, rel=1e-3)


def test_dropout_touches_the_label_vectors_only_while_training(checkpoint, batch):
    model = load_joint_model(checkpoint)
    model.dropout.p = 0.9
    torch.testing.assert_close(model(**batch).logits, model(**batch).logits)
    model.dropout.train()
    assert (model(**batch).label_vectors[0, 0] == 0).any()


def test_mixed_precision_gives_logits_and_a_finite_loss(checkpoint, batch):
    model = load_joint_model(checkpoint)
    labels = torch.tensor([[1, 0, -100], [0, 1, 1], [1, -100, -100]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(**batch, labels=labels)
    assert output.logits.dtype == torch.float32
    torch.testing.assert_close(output.loss, model(**batch, labels=labels).loss, rtol=0.1, atol=0.1)


def test_a_model_saved_after_resizing_its_table_reads_back_with_the_same_scores(checkpoint, batch, tmp_path):
    model = load_joint_model(checkpoint)
    model.resize_token_embeddings(40)
    model.save_pretrained(tmp_path / "again")
    again = load_joint_model(tmp_path / "again")
    assert again.get_input_embeddings().num_embeddings == 40
    torch.testing.assert_close(again(**batch).logits, model(**batch).logits)


def test_a_tuple_comes_back_where_it_is_asked_for(checkpoint, batch):
    model = load_joint_model(checkpoint)
    logits, _label_vectors = model(**batch, return_dict=False)
    torch.testing.assert_close(logits, model(**batch).logits)


def test_a_model_without_a_label_token_says_so(batch):
    model = GliZNetModel(GliZNetConfig(backbone_config=tiny_bert()))
    with pytest.raises(InputError, match="lab_token_id"):
        model(**batch)


def test_a_model_without_a_backbone_config_says_so():
    with pytest.raises(CheckpointError, match=r"GliZNetModel\.from_backbone"):
        GliZNetModel(GliZNetConfig())


def tiny_bert():
    return BertConfig(
        vocab_size=24, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )


def tiny_modernbert():
    return ModernBertConfig(
        vocab_size=24,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        pad_token_id=0,
        bos_token_id=1,
        cls_token_id=1,
        eos_token_id=2,
        sep_token_id=2,
    )


@pytest.mark.parametrize("make_backbone", [tiny_bert, tiny_modernbert])
def test_other_encoders_serve_as_the_backbone(make_backbone, batch, tmp_path):
    model = GliZNetModel(GliZNetConfig(backbone_config=make_backbone(), lab_token_id=13)).eval()
    assert model.backbone.config._attn_implementation == "sdpa"
    model.save_pretrained(tmp_path)
    again = load_joint_model(tmp_path)
    assert again.backbone.config._attn_implementation == "sdpa"
    torch.testing.assert_close(again(**batch).logits, model(**batch).logits)


def test_a_new_model_keeps_the_weights_of_its_pretrained_backbone(tmp_path):
    backbone = AutoModel.from_config(tiny_bert())
    backbone.save_pretrained(tmp_path)
    model = GliZNetModel.from_backbone(str(tmp_path), lab_token_id=13, scoring_method="bilinear")
    assert model.config.backbone_model == str(tmp_path)
    for name, tensor in backbone.state_dict().items():
        torch.testing.assert_close(model.backbone.state_dict()[name], tensor, rtol=0, atol=0)
    head = model.aggregator.scoring.bilinear
    assert 0.01 < head.weight.std() < 0.03
    assert head.bias.item() == 0


def test_a_fresh_cosine_scale_starts_at_one_over_seven_hundredths():
    config = GliZNetConfig(backbone_config=tiny_bert(), scoring_method="cosine")
    assert GliZNetModel(config).aggregator.scoring.logit_scale.exp().item() == pytest.approx(1 / 0.07)


def test_the_deberta_v3_base_geometry_has_two_hundred_tensors():
    backbone = DebertaV2Config(
        vocab_size=128100,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        relative_attention=True,
        position_buckets=256,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        position_biased_input=False,
        type_vocab_size=0,
    )
    with torch.device("meta"):
        model = GliZNetModel(GliZNetConfig(backbone_config=backbone))
    state = model.state_dict()
    assert len(state) == 200
    assert sum(name.startswith("backbone.") for name in state) == 198
    assert state["aggregator.scoring.bilinear.weight"].shape == (1, 768, 768)
    assert state["aggregator.scoring.bilinear.bias"].shape == (1,)
    assert sum(tensor.numel() for tensor in model.aggregator.parameters()) == 589_825
    assert round(sum(tensor.numel() for tensor in model.backbone.parameters()) / 1e6, 2) == 183.83
