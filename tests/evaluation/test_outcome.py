"""What an evaluation hands to reports: everything by name, in plain values, small enough to draw."""

import json

import numpy as np
import pytest

from labelwise.evaluation.classification import evaluate_single_label
from labelwise.evaluation.outcome import ConfusionTable, Evaluation, curve_points, length_histogram
from labelwise.evaluation.thresholds import threshold_curve
from labelwise.evaluation.zero_shot import evaluate_classification
from labelwise.results import Classification, LabelScore


class Sure:
    """Says the first letter of each text."""

    def classify(self, texts, labels, **settings):
        return [
            Classification(
                text,
                tuple(LabelScore(label, 0.9 if label == text[0] else 0.1) for label in labels),
                None,
                (),
                num_tokens=1,
                windows_read=1,
            )
            for text in texts
        ]


def test_a_result_has_what_a_report_draws_from():
    found = evaluate_classification(Sure(), ["a", "bb", "bbb"], ["a", "b", "a"], labels=["a", "b"]).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["confusion"] == {"labels": ["a", "b"], "counts": [[1, 1], [0, 1]]}
    assert found["per_class"][0]["label"] == "a"
    assert found["per_class"][0]["recall"] == 0.5
    assert sum(entry["count"] for entry in found["reliability_bins"]) == 3
    assert found["threshold_curve"][0]["threshold"] == 0.9
    assert sum(entry["count"] for entry in found["length_histogram"]) == 3
    assert found["pairs_per_s"] == pytest.approx(2 * found["texts_per_s"])


def test_what_was_not_measured_is_left_out():
    found = Evaluation({"exact": 50.0}, num_rows=2, seconds=0.5).to_dict()
    assert found == {"exact": 50.0, "rows": 2, "seconds": 0.5, "texts_per_s": 4.0, "pairs_per_s": 4.0}


def test_the_rarest_of_many_labels_share_one_line_and_no_text_is_lost():
    labels = [f"label {number}" for number in range(60)]
    gold = [label for number, label in enumerate(labels) for _ in range(number + 1)]
    report = evaluate_single_label(gold, gold[1:] + gold[:1], labels=labels)
    table = ConfusionTable.of(report)
    assert len(table.labels) == 40
    assert table.labels[-1] == "21 other labels"
    assert table.labels[:39] == tuple(labels[21:])
    assert table.counts.sum() == len(gold)
    assert table.counts[38, 38] == report.confusion[59, 59]


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_best_point():
    scores = np.linspace(0.0, 1.0, 5000)
    curve = threshold_curve(scores, scores > 0.3141)
    points = curve_points(curve)
    assert len(points) <= 101
    assert points[0] == curve.at(0).to_dict()
    assert points[-1] == curve.at(4999).to_dict()
    assert curve.best.to_dict() in points


def test_a_histogram_holds_every_length_once():
    texts = ["x" * length for length in (1, 5, 1000, 40, 40)]
    bins = length_histogram(texts)
    assert len(bins) <= 20
    assert sum(entry.count for entry in bins) == 5
    for text in texts:
        assert sum(entry.lower <= len(text) < entry.upper for entry in bins) == 1
