"""Build tiny random checkpoints with the real gliclass package and write down its logits.

Run it where that package is installed (it is not needed to run the tests):

    python -m venv /tmp/gliclass
    /tmp/gliclass/bin/pip install torch==2.13.0 gliclass==0.1.21 transformers==5.23.0
    /tmp/gliclass/bin/python tests/models/make_gliclass_fixtures.py tests/models/fixtures

Every folder holds config.json as the package writes it, model.safetensors under the package's names (in half
precision, in which these weights are exact), and expected.json: rows of ids and the package's logits for each
row alone. The package is asked twice, before saving and after loading, because some of its versions load
without weights.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from gliclass import GLiClassModel, GLiClassModelConfig
from safetensors.torch import load_file, save_file
from transformers import DebertaV2Config, ModernBertConfig

PAD, CLS, SEP, WORDS = 0, 1, 2, range(5, 57)
VOCAB_SIZE, LABEL, TEXT, EXAMPLE = 60, 57, 58, 59


def deberta_v2(num_layers=1):
    return DebertaV2Config(
        vocab_size=VOCAB_SIZE,
        hidden_size=16,
        num_hidden_layers=num_layers,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        relative_attention=True,
        position_buckets=8,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        position_biased_input=False,
        type_vocab_size=0,
        pad_token_id=PAD,
    )


def two_layers():
    return deberta_v2(num_layers=2)


def modernbert():
    return ModernBertConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        local_attention=16,
        pad_token_id=PAD,
        cls_token_id=CLS,
        bos_token_id=CLS,
        sep_token_id=SEP,
        eos_token_id=SEP,
    )


V3 = {"prompt_first": True, "pooling_strategy": "avg", "class_token_pooling": "average", "scorer_type": "mlp"}
CASES = {
    "v3-deberta-mlp-avg": (deberta_v2, V3),
    "v3-modernbert-simple-first": (modernbert, {"prompt_first": True}),
    "v1-deberta-simple-normalized": (deberta_v2, {"normalize_features": True, "pooling_strategy": "max"}),
    "modernbert-mlp-text-features": (
        modernbert,
        {
            "prompt_first": True,
            "extract_text_features": True,
            "scorer_type": "mlp",
            "pooling_strategy": "avg",
        },
    ),
    "deberta-weighted-dot-lstm": (
        deberta_v2,
        {
            "scorer_type": "weighted-dot",
            "use_lstm": True,
            "pooling_strategy": "last",
            "embed_class_token": False,
        },
    ),
    "deberta-segments-average-rms": (
        deberta_v2,
        {
            "prompt_first": True,
            "use_segment_embeddings": True,
            "pooling_strategy": "rms",
            "class_token_pooling": "average",
            "embed_class_token": False,
            "extract_text_features": True,
        },
    ),
    "modernbert-cross-attention": (
        modernbert,
        {
            "prompt_first": True,
            "scorer_type": "cross-attn",
            "pooling_strategy": "pass",
            "scorer_num_heads": 4,
            "scorer_mlp_hidden_size": 16,
        },
    ),
    "deberta-inner-layer-abs": (two_layers, {"encoder_layer_id": 1, "pooling_strategy": "abs_avg"}),
}


def rows(prompt_first, with_examples):
    """Three texts with 2, 5 and 3 labels of one to three tokens."""
    generator = torch.Generator().manual_seed(5)

    def words(count):
        return torch.randint(WORDS.start, WORDS.stop, (count,), generator=generator).tolist()

    result = []
    for num_labels, text_length in ((2, 7), (5, 11), (3, 4)):
        labels = [token for k in range(num_labels) for token in [LABEL, *words(1 + k % 3)]]
        text = words(text_length)
        body = [*labels, TEXT, *text] if prompt_first else [*text, *labels, TEXT]
        if with_examples and num_labels == 3:
            body += [EXAMPLE, *words(3), TEXT]
        result.append([CLS, *body, SEP])
    return result


def logits_alone(model, row):
    ids = torch.tensor([row])
    extra = {"output_hidden_states": True} if model.config.encoder_layer_id != -1 else {}
    with torch.no_grad():
        logits = model(ids, torch.ones_like(ids), max_num_classes=row.count(LABEL), **extra).logits
    return logits[0].double().tolist()


def drawn(name, shape):
    """Draw multiples of 1/16, exact in half precision; vectors stay near 0 or 1 lest they hide the tokens."""
    if name.endswith("logit_scale"):
        return torch.tensor(42 / 16)
    if len(shape) > 1:
        return torch.randint(-8, 9, shape) / 16
    return torch.randint(-2, 3, shape) / 16 + ("norm" in name.lower() and name.endswith("weight"))


def halve(path):
    """Rewrite the weights in half the bytes; they are exact there."""
    save_file(
        {name: tensor.half() for name, tensor in load_file(path).items()}, path, metadata={"format": "pt"}
    )


def main(target):
    for name, (make_encoder, fields) in CASES.items():
        torch.manual_seed(len(name))
        config = GLiClassModelConfig(
            encoder_config=make_encoder(),
            encoder_model="tiny",
            class_token_index=LABEL,
            text_token_index=TEXT,
            example_token_index=EXAMPLE,
            **fields,
        )
        model = GLiClassModel(config).eval()
        with torch.no_grad():
            for parameter_name, parameter in model.named_parameters():
                parameter.copy_(drawn(parameter_name, parameter.shape))
        data = rows(config.prompt_first, config.use_segment_embeddings)
        expected = [logits_alone(model, row) for row in data]
        folder = target / name
        model.save_pretrained(folder)
        halve(folder / "model.safetensors")
        loaded = GLiClassModel.from_pretrained(folder, dtype=torch.float32).eval()
        again = [logits_alone(loaded, row) for row in data]
        for before, after in zip(expected, again, strict=True):
            torch.testing.assert_close(torch.tensor(after), torch.tensor(before), rtol=1e-5, atol=1e-5)
        facts = {"rows": data, "logits": expected, "class_token_index": LABEL}
        (folder / "expected.json").write_text(json.dumps(facts) + "\n")
        sys.stdout.write(f"{name}: {expected[0]}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
