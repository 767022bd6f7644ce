"""The gliclass package on its own checkpoint gives the labels that labelwise gives."""

import json
import shutil
from pathlib import Path

import pytest

from .conftest import CONTROL

pytest.importorskip("gliclass")

PUBLISHED = Path(__file__).parents[2] / "models" / "fixtures" / "v3-deberta-mlp-avg"


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint that the package wrote, with a tokenizer in which id 7 is the word w7."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder = tmp_path / "gliclass"
    shutil.copytree(PUBLISHED, folder)
    words = [*CONTROL, *(f"w{i}" for i in range(5, 57))]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([*CONTROL, "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), CONTROL, strict=True)
    )
    (folder / "tokenizer_config.json").write_text(
        json.dumps(names | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64})
    )
    return folder


def test_scores_and_accuracy_are_those_of_labelwise(checkpoint):
    import labelwise
    from labelwise.evaluation.labelled import LabelledText
    from labelwise.evaluation.measuring import measure
    from labelwise.evaluation.peers import open_peer
    from labelwise.evaluation.protocols import EvaluationSet

    texts = [f"w{a} w{a + 1} w{a + 2}" for a in range(8, 20)]
    labels = ["w30", "w31 w32", "w40"]
    systems = labelwise.load(checkpoint), open_peer("gliclass", str(checkpoint))
    own, peer = (system.classify(texts, labels) for system in systems)
    for one, other in zip(own, peer, strict=True):
        scores = {entry.label: entry.score for entry in other.labels}
        assert [scores[entry.label] for entry in one.labels] == pytest.approx(
            [entry.score for entry in one.labels], abs=1e-4
        )
    rows = [LabelledText(text, labels[place % 3]) for place, text in enumerate(texts)]
    found = [measure(system, EvaluationSet(name="tiny", template="{}"), rows) for system in systems]
    assert found[0].measures["accuracy"] == found[1].measures["accuracy"]
