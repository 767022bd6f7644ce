"""What a run finds on fake systems whose seconds are known."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from labelwise.benchmarking.cold import FirstAnswer
from labelwise.benchmarking.counting import WorkloadSize
from labelwise.benchmarking.matrix_rate import MatrixProducts
from labelwise.benchmarking.plot import plot_svg
from labelwise.benchmarking.result import BenchmarkResult, SystemFigures
from labelwise.benchmarking.run import measure_workload
from labelwise.benchmarking.timing import Turns
from labelwise.benchmarking.workload import Workload

WORKLOAD = Workload("20 tokens", ("one", "two", "three", "four"), ("a", "b"))


def fake_products(clock):
    """Do a million operations in half a second by one library, in two seconds by another."""

    def taking(seconds):
        def run():
            clock.now += seconds

        return run

    return MatrixProducts({"slow": taking(2.0), "quick": taking(0.5)}, num_operations=1e6)


@pytest.fixture
def measured(clock, fake_system):
    turns = Turns(rounds=3, warm_ups=0, clock=clock, pause=lambda seconds: None)
    systems = {
        "slow": fake_system("slow", clock, [4.0, 2.0, 6.0]),
        "quick <&>": fake_system("quick <&>", clock, [1.0]),
    }
    sizes = {"quick <&>": WorkloadSize(num_tokens=160, num_operations=5e5)}
    scores = {"slow": np.array([[0.5, 0.25]]), "quick <&>": np.array([[0.5, 0.2]])}
    return measure_workload(
        WORKLOAD, systems, turns, sizes=sizes, scores=scores, products=fake_products(clock)
    )


@pytest.fixture
def result(measured):
    rows, rate = measured
    return BenchmarkResult(
        machine={"cpu": "Fake 9000", "cores": 2},
        settings={"model": "nli"},
        measurements=rows,
        systems=[
            SystemFigures(
                system="slow",
                peak_memory_mb=100.0,
                first_answers=[FirstAnswer(2.0, 80.0), FirstAnswer(1.0, 90.0), FirstAnswer(4.0, None)],
            ),
            SystemFigures(system="quick <&>"),
        ],
        skipped={"gliclass": "not installed"},
        matrix_gflops={WORKLOAD.name: rate / 1e9},
    )


def test_rates_are_those_of_the_median_turn(measured):
    (slow, quick), _ = measured
    assert (slow.timing.median_s, slow.texts_per_s, slow.pairs_per_s) == (4.0, 1.0, 2.0)
    assert slow.tokens_per_s is None
    assert quick.tokens_per_s == 160.0


def test_ratios_are_to_the_first_system(measured):
    (slow, quick), _ = measured
    assert (slow.ratio, quick.ratio) == (1.0, 4.0)


def test_the_share_is_of_the_fastest_products_rate_in_the_same_run(measured):
    (slow, quick), rate = measured
    assert rate == 2e6
    assert quick.matrix_rate_share == 0.25
    assert slow.matrix_rate_share is None


def test_scores_are_compared_with_the_first_systems(measured):
    (slow, quick), _ = measured
    assert slow.max_score_difference is None
    assert quick.max_score_difference == pytest.approx(0.05)


def test_the_result_as_json_has_its_shape(result):
    found = json.loads(json.dumps(result.to_dict()))
    assert set(found) == {"machine", "settings", "matrix_gflops", "rows", "systems", "skipped"}
    slow, quick = found["rows"]
    assert slow["rounds"] == 3
    assert (slow["min_s"], slow["median_s"], slow["max_s"], slow["spread"]) == (2.0, 4.0, 6.0, 1.0)
    assert set(slow) == set(quick)
    first, second = found["systems"]
    assert (first["first_answer_s"], first["first_answer_spread"]) == (2.0, 1.5)
    assert (first["peak_memory_mb"], first["first_answer_peak_mb"]) == (100.0, 85.0)
    assert second["first_answer_s"] is None
    assert found["skipped"] == {"gliclass": "not installed"}


def test_systems_have_a_table_only_where_something_was_measured_of_them(result):
    assert [row["system"] for row in result.system_table()] == ["slow", "quick <&>"]
    bare = BenchmarkResult(machine={}, settings={}, measurements=[], systems=[SystemFigures(system="slow")])
    assert bare.system_table() == []


def test_the_plot_has_a_bar_for_each_system_on_each_workload(result):
    drawing = ElementTree.fromstring(plot_svg(result))
    space = "{http://www.w3.org/2000/svg}"
    bars = [bar for bar in drawing.iter(f"{space}rect") if "bar" in bar.get("class")]
    assert len(bars) == 2
    # The fastest turn of all reaches the end of the scale; the slow system's bar is a quarter as long.
    slow, quick = (float(bar.get("width")) for bar in bars)
    assert slow == pytest.approx(quick / 4, abs=0.1)
    texts = [text.text for text in drawing.iter(f"{space}text")]
    assert "quick <&>" in texts
    assert "8.0  (4.00 x)" in texts
