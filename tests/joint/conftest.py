"""Tiny GliZNet and GLiClass checkpoints with tokenizers, read by every route."""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
WORDS = ["card", "charge", "parcel", "late", "praise", "sports", "news", "world", "the", "match"]
CHARACTERS = string.ascii_lowercase + string.digits + "[]<>.-"
PUBLISHED = Path(__file__).parents[1] / "models" / "fixtures"


def word_pieces(folder, added, **settings):
    """Write a tokenizer of words and single characters, which can spell every control name."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*CONTROL, *WORDS, *CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([*CONTROL, *added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), CONTROL, strict=True)
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(names | settings))
    return tokenizer


def encoder(family, vocab_size, **changes):
    import transformers

    sizes = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 160,
        "pad_token_id": 0,
    }
    if family == "deberta-v2":
        relative = {
            "relative_attention": True,
            "position_buckets": 16,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "type_vocab_size": 0,
        }
        return transformers.DebertaV2Config(**(sizes | relative | changes))
    if family == "modernbert":
        control = {"cls_token_id": 1, "bos_token_id": 1, "sep_token_id": 2, "eos_token_id": 2}
        return transformers.ModernBertConfig(**(sizes | control | {"local_attention": 16} | changes))
    config_class = {"bert": transformers.BertConfig, "roberta": transformers.RobertaConfig}[family]
    return config_class(**(sizes | changes))


def drawn(model):
    """Draw weights that make labels differ."""
    import torch

    torch.manual_seed(4)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.2)
            elif "norm" not in name.lower() and "scale" not in name:
                parameter.normal_(0.0, 0.1)
    return model.eval()


@pytest.fixture
def save_gliznet(tmp_path):
    """Save a tiny GliZNet checkpoint and return its folder."""

    def save(
        family="deberta-v2", *, scoring_method="bilinear", max_labels=20, window=96, encoder_changes=None
    ):
        from labelwise.models import GliZNetConfig, GliZNetModel

        folder = tmp_path / f"gliznet-{family}-{scoring_method}-{max_labels}"
        folder.mkdir(exist_ok=True)
        limits = {"max_tokens_per_span": 16, "min_text_tokens": 5, "min_label_tokens": 1}
        tokenizer = word_pieces(folder, ["[LAB]"], model_max_length=window, **limits)
        config = GliZNetConfig(
            backbone_config=encoder(family, tokenizer.get_vocab_size() + 3, **(encoder_changes or {})),
            lab_token_id=tokenizer.token_to_id("[LAB]"),
            scoring_method=scoring_method,
            max_labels=max_labels,
        )
        drawn(GliZNetModel(config)).save_pretrained(folder)
        return folder

    return save


@pytest.fixture
def save_gliclass(tmp_path):
    """Save a tiny GLiClass checkpoint and return its folder."""

    def save(family="deberta-v2", *, encoder_changes=None, **fields):
        from labelwise.models import GLiClassConfig, GLiClassModel

        folder = tmp_path / "gliclass"
        folder.mkdir(exist_ok=True)
        tokenizer = word_pieces(folder, ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"])
        config = GLiClassConfig(
            encoder_config=encoder(family, tokenizer.get_vocab_size(), **(encoder_changes or {})),
            class_token_index=tokenizer.token_to_id("<<LABEL>>"),
            text_token_index=tokenizer.token_to_id("<<SEP>>"),
            **fields,
        )
        drawn(GLiClassModel(config)).save_pretrained(folder)
        return folder

    return save


@pytest.fixture
def published_gliclass(tmp_path):
    """Copy a checkpoint that the gliclass package wrote, and give it a tokenizer: id 7 is the word w7."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    def copy(name):
        folder = tmp_path / name
        shutil.copytree(PUBLISHED / name, folder)
        tokenizer = Tokenizer(
            models.WordLevel(
                {name: i for i, name in enumerate([*CONTROL, *(f"w{i}" for i in range(5, 57))])}, "[UNK]"
            )
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.add_special_tokens([*CONTROL, "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"])
        tokenizer.save(str(folder / "tokenizer.json"))
        facts = json.loads((folder / "expected.json").read_text())
        return folder, facts

    return copy


@pytest.fixture
def save_nli(tmp_path):
    """Save a tiny entailment checkpoint and return its folder."""

    def save():
        import transformers

        folder = tmp_path / "nli"
        folder.mkdir()
        tokenizer = word_pieces(folder, [])
        config = encoder("bert", tokenizer.get_vocab_size())
        config.id2label = {0: "entailment", 1: "neutral", 2: "contradiction"}
        config.label2id = {name: place for place, name in config.id2label.items()}
        drawn(transformers.BertForSequenceClassification(config)).save_pretrained(folder)
        return folder

    return save


@pytest.fixture
def save_multitask(tmp_path):
    """Save a tiny multi-task checkpoint and return its folder."""

    def save(*, window=96):
        import torch

        from labelwise.models import MultitaskConfig, MultitaskModel

        folder = tmp_path / "multitask"
        folder.mkdir(exist_ok=True)
        tokenizer = word_pieces(folder, [], model_max_length=window)
        sizes = encoder("bert", tokenizer.get_vocab_size()).to_dict()
        for name in ("model_type", "id2label", "label2id", "architectures"):
            sizes.pop(name, None)
        model = drawn(MultitaskModel(MultitaskConfig(label_head_size=24, **sizes)))
        model.similarity.token_weights[5:] = torch.rand(tokenizer.get_vocab_size() - 5) + 0.5
        model.similarity.center[:] = 0.05
        model.similarity.scale.fill_(1.5)
        model.save_pretrained(folder)
        return folder

    return save
