from types import SimpleNamespace

import pytest

from labelwise.errors import InputError
from labelwise.integrations.gliznet_pipeline import ZeroShotClassificationPipeline
from labelwise.results import LabelScore

SCORES = {"sports": 0.25, "news": 0.7, "card": 0.05}


class FakeModel:
    """Scores by name, best first, and keeps what it was asked."""

    def classify(self, texts, labels, *, multi_label):
        self.was_multi_label = multi_label
        return [
            SimpleNamespace(
                text=text,
                labels=tuple(
                    sorted((LabelScore(n, SCORES[n]) for n in names), key=lambda entry: -entry.score)
                ),
            )
            for text, names in zip(texts, labels, strict=True)
        ]


def listed(result):
    return [(entry.label, entry.score) for entry in result.labels]


def test_one_text_gives_one_object_with_labels_in_the_order_given():
    result = ZeroShotClassificationPipeline(FakeModel())("a text", ["sports", "news", "card"])
    assert result.text == "a text"
    assert listed(result) == [("sports", 0.25), ("news", 0.7), ("card", 0.05)]


def test_a_list_gives_a_list_and_labels_may_differ_per_text():
    pipeline = ZeroShotClassificationPipeline(FakeModel())
    shared = pipeline(["a", "b"], ["card", "news"])
    assert [listed(result) for result in shared] == [[("card", 0.05), ("news", 0.7)]] * 2
    own = pipeline(["a", "b"], [["card"], ["news", "sports"]])
    assert [[entry.label for entry in result.labels] for result in own] == [["card"], ["news", "sports"]]


def test_the_threshold_leaves_lower_labels_out():
    result = ZeroShotClassificationPipeline(FakeModel())("a", ["sports", "news", "card"], threshold=0.25)
    assert [entry.label for entry in result.labels] == ["sports", "news"]


@pytest.mark.parametrize(("kind", "is_multi_label"), [("multi-label", True), ("multi-class", False)])
def test_the_classification_type_is_multi_label_or_not(kind, is_multi_label):
    model = FakeModel()
    ZeroShotClassificationPipeline(model, classification_type=kind)("a", ["news"])
    assert model.was_multi_label is is_multi_label


def test_what_has_no_meaning_is_refused():
    with pytest.raises(InputError, match="'single-label' is not one of"):
        ZeroShotClassificationPipeline(FakeModel(), classification_type="single-label")
    with pytest.raises(InputError, match=r"threshold.*1\.5"):
        ZeroShotClassificationPipeline(FakeModel())("a", ["news"], threshold=1.5)
