"""Importing labelwise is cheap: nothing heavy comes along."""

import statistics
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers", "huggingface_hub", "pyarrow", "rich"}
# Far above the 150 ms that a benchmark holds: a busy machine must not fail this.
MOST_SECONDS = 1.0


def modules_after(code):
    script = f"import sys\n{code}\nprint(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in finished.stdout.split()}


def test_importing_the_package_loads_no_library():
    assert not (HEAVY | {"numpy", "typer"}) & modules_after("import labelwise")


def test_the_command_line_loads_no_model_library():
    assert not (HEAVY | {"numpy"}) & modules_after("from labelwise.cli.main import build_app; build_app()")


def test_a_classification_needs_no_torch():
    code = "import labelwise; labelwise.load().classify('text', ['a', 'b'])"
    assert not {"torch", "transformers", "onnx", "huggingface_hub"} & modules_after(code)


def test_public_names_are_found_and_others_are_not():
    import labelwise

    assert all(getattr(labelwise, name) is not None for name in labelwise.__all__)
    assert set(labelwise.__all__) <= set(dir(labelwise))
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        _ = labelwise.Classifier


def test_importing_is_quick():
    code = "import time; start = time.perf_counter(); import labelwise; print(time.perf_counter() - start)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert statistics.median(seconds) < MOST_SECONDS


def test_a_verb_is_imported_without_the_others():
    code = "from labelwise.cli.main import build_app; build_app(['classify', '--help'])"
    finished = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(finished.stdout.split())
    assert "labelwise.cli.classify" in found
    assert not {"labelwise.cli.train", "labelwise.cli.evaluate", "labelwise.cli.export"} & found
