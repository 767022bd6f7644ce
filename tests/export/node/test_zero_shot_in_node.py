"""transformers.js's own zero-shot pipeline gives Python's scores with an exported model; its blind cut
is known.

Skipped where Node or the packages of package.json are absent: ``.ci/browser`` installs them, or name a
node_modules folder in ``LABELWISE_NODE_MODULES``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

HERE = Path(__file__).parent
MODULES = Path(os.environ.get("LABELWISE_NODE_MODULES", HERE / "node_modules"))
LABELS = ["late parcel", "card charge", "praise"]
TEMPLATE = "This is about {}."
TEXTS = ["The parcel is late.", "the customer returned the card - 45 days late!", "praise", "Is it not 3?"]
WINDOW_TOKENS = 40
TOLERANCES = {"fp32": 1e-4, "fp16": 0.01, "int8": 0.05, "q4": 0.2, "q4f16": 0.2}

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (MODULES / "@huggingface" / "transformers").is_dir(),
    reason="Node or its packages are absent (.ci/browser installs them)",
)


def save_source(folder: Path, family: str) -> Path:
    """Save a tiny entailment model whose labels are in an unusual order."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    control = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    characters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?-"
    words = [
        "the",
        "parcel",
        "is",
        "late",
        "card",
        "charge",
        "praise",
        "this",
        "about",
        "customer",
        "returned",
    ]
    pieces = [*control, *characters, *(f"##{character}" for character in characters), *words]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(control)
    second = 1 if family == "bert" else 0
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair=f"[CLS] $A [SEP] $B:{second} [SEP]:{second}",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), control, strict=True)
    )
    settings = {"model_max_length": WINDOW_TOKENS, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names | settings))
    labels = ["neutral", "entailment", "contradiction"]
    sizes = {
        "vocab_size": len(pieces), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 64, "pad_token_id": 0,
        "id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)},
    }  # fmt: skip
    if family == "bert":
        config = transformers.BertConfig(**sizes)
    else:
        config = transformers.DebertaV2Config(
            **sizes, relative_attention=True, position_buckets=16, norm_rel_ebd="layer_norm",
            share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0,
            pooler_hidden_size=32,
        )  # fmt: skip
    torch.manual_seed(3)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.2)
    model.save_pretrained(folder)
    return folder


def scores_in_node(folder: Path, texts: list[str], *dtypes: str) -> list[list[dict[str, float]]]:
    """Return scores by dtype, text and label."""
    request = json.dumps({"texts": texts, "labels": LABELS, "template": TEMPLATE, "dtypes": dtypes})
    done = subprocess.run(
        ["node", HERE / "zero_shot.mjs", folder],
        input=request,
        capture_output=True,
        text=True,
        env={**os.environ, "LABELWISE_NODE_MODULES": str(MODULES)},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def scores_in_python(folder: Path, texts: list[str]) -> list[dict[str, float]]:
    import labelwise

    found = labelwise.load(folder).classify(texts, labels=LABELS, hypothesis_template=TEMPLATE)
    return [{entry.label: entry.score for entry in result.labels} for result in found]


@pytest.fixture(scope="module", params=["bert", "deberta-v2"])
def exported(request, tmp_path_factory):
    from labelwise.export import ExportSettings, export_model

    folder = tmp_path_factory.mktemp(request.param)
    settings = ExportSettings(
        formats=("transformersjs",), precisions=tuple(TOLERANCES), num_gate_inputs=20, threads=1
    )
    source = save_source(folder / "model", request.param)
    with pytest.MonkeyPatch.context() as patch:
        # Random weights decide by a hair, so four bits may decide otherwise: here the scores count.
        patch.setattr("labelwise.export.gate.LEAST_AGREEMENT", 0.5)
        patch.setenv("LABELWISE_CACHE", str(folder / "cache"))
        export_model(source, to=folder / "exported", settings=settings)
    return source, folder / "exported"


def test_the_pipeline_gives_the_same_scores_in_every_precision(exported):
    source, folder = exported
    expected = scores_in_python(source, TEXTS)
    names = ["q8" if precision == "int8" else precision for precision in TOLERANCES]
    found = scores_in_node(folder, TEXTS, *names)
    for name, tolerance, answers in zip(names, TOLERANCES.values(), found, strict=True):
        for ours, theirs in zip(answers, expected, strict=True):
            assert ours == pytest.approx(theirs, abs=tolerance), name


def test_a_text_that_is_too_long_is_cut_from_the_right_of_the_pair_by_transformers_js(exported):
    """The label is cut away with the end of the pair: all labels get the same score. Cut texts beforehand."""
    _, folder = exported
    shortened = " ".join(["the parcel is late"] * 4)
    ((blind, seeing),) = scores_in_node(folder, ["the parcel is late " * WINDOW_TOKENS, shortened], "fp32")
    assert list(blind.values()) == pytest.approx([1 / len(LABELS)] * len(LABELS), abs=1e-6)
    (expected,) = scores_in_python(folder, [shortened])
    assert seeing == pytest.approx(expected, abs=1e-4)
