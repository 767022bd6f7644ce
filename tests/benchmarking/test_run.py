"""A whole benchmark on a tiny checkpoint."""

import platform

import pytest

from labelwise.benchmarking.counting import RowCounter
from labelwise.benchmarking.run import Benchmark, run_benchmark
from labelwise.benchmarking.specs import AskSettings, parse_specs
from labelwise.benchmarking.timing import Turns
from labelwise.benchmarking.workload import Workload
from labelwise.errors import BackendError, InputError

TEXTS = ("the parcel is late", "i like this shop", "the late delay that is about the parcel " * 15)
MISSING, MISSING_NAME = "labelwise:onnx=/no/such/model", "labelwise:onnx=model"
WORKLOAD = Workload("three", TEXTS, ("billing", "delay"))


def benchmark(folder, *names, **settings):
    turns = Turns(rounds=2, warm_ups=0)
    shared = AskSettings(model=str(folder), threads=1)
    return Benchmark(specs=parse_specs(names), settings=shared, turns=turns, **settings)


def test_the_pipeline_and_ours_give_the_same_scores_on_the_same_work(nli_checkpoint):
    names = ["pipeline", "pipeline:32", "labelwise:onnx", "onnxruntime:2"]
    result = run_benchmark(benchmark(nli_checkpoint, *names), [WORKLOAD])
    assert [one.system for one in result.measurements] == names
    # The last text is longer than the model reads: all cut it alike.
    assert max(one.max_score_difference for one in result.measurements[1:]) < 1e-5
    assert len({one.num_tokens for one in result.measurements}) == 1
    assert all(one.matrix_rate_share > 0 for one in result.measurements)
    assert result.matrix_gflops["three"] > 0
    assert result.skipped == {}


def test_scores_of_another_checkpoint_are_not_compared():
    result = run_benchmark(benchmark("bundled", "labelwise:onnx", "labelwise:onnx=bundled"), [WORKLOAD])
    assert [one.max_score_difference for one in result.measurements] == [None, None]


def test_each_system_in_its_own_process_tells_its_memory_and_its_start(nli_checkpoint):
    asked = benchmark(nli_checkpoint, "labelwise:onnx", is_isolated=True, num_cold_starts=1)
    (found,) = run_benchmark(asked, [WORKLOAD]).to_dict()["systems"]
    assert found["first_answer_s"] > 0
    if platform.system() == "Linux":
        assert 20 < found["first_answer_peak_mb"] <= found["peak_memory_mb"] * 1.1


def test_the_tokens_are_those_of_the_rows_without_padding(nli_checkpoint):
    counter = RowCounter.open(str(nli_checkpoint))
    encode, template = counter.model.tokenizer.encode, "This example is {}."
    pairs = [(text, template.replace("{}", label)) for text in TEXTS for label in WORKLOAD.labels]
    lengths = [min(len(encode(text)) + len(encode(hypothesis)) + 3, 110) for text, hypothesis in pairs]
    assert 110 in lengths
    assert counter.size(WORKLOAD, hypothesis_template=template).num_tokens == sum(lengths)


def test_the_operations_are_those_of_the_first_tokens_where_pairs_are_classified(nli_checkpoint):
    counter = RowCounter.open(str(nli_checkpoint))
    size = counter.size(Workload("one", TEXTS[:1], ("billing",)))
    config, length = counter.config, size.num_tokens
    width, inner, layers = (
        config[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    key, query, pair = 4 * width**2, 4 * width**2 + 4 * width * inner, 4 * width
    inside = length * (key + query) + length**2 * pair
    assert size.num_operations == (layers - 1) * inside + length * key + query + length * pair


def test_a_system_that_cannot_run_here_is_named_and_the_others_go_on():
    result = run_benchmark(benchmark("bundled", MISSING, "labelwise:onnx"), [WORKLOAD])
    assert [one.system for one in result.measurements] == ["labelwise:onnx"]
    assert "there is no folder" in result.skipped[MISSING_NAME]


def test_a_lone_system_that_cannot_run_here_fails():
    with pytest.raises(BackendError, match=f"no system can run here: {MISSING_NAME}: "):
        run_benchmark(benchmark("bundled", MISSING), [WORKLOAD])


def test_a_system_whose_process_cannot_open_it_is_named_too():
    with pytest.raises(BackendError, match=f"no system can run here: {MISSING_NAME}: "):
        run_benchmark(benchmark("bundled", MISSING, is_isolated=True), [WORKLOAD])


def test_nothing_to_measure_is_refused():
    with pytest.raises(InputError, match="no system"):
        benchmark("bundled")
    with pytest.raises(InputError, match="no texts"):
        run_benchmark(benchmark("bundled", "labelwise"), [])


def test_the_result_tells_the_machine_but_not_its_name(nli_checkpoint):
    found = run_benchmark(benchmark(nli_checkpoint, "labelwise:onnx"), [WORKLOAD]).to_dict()
    assert found["machine"]["cores"] >= 1
    assert {"numpy", "onnxruntime", "labelwise"} <= set(found["machine"]["versions"])
    assert found["settings"]["model"] == nli_checkpoint.name
    assert str(nli_checkpoint) not in str(found)
    if len(platform.node()) > 3:
        assert platform.node() not in str(found["machine"])
