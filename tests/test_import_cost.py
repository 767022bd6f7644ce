"""Importing labelwise is cheap: nothing heavy comes along."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "onnxruntime", "onnx", "tokenizers", "huggingface_hub", "pyarrow", "rich"}


def modules_after(code):
    script = f"import sys\n{code}\nprint(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in finished.stdout.split()}


def test_importing_the_package_loads_no_library():
    assert not (HEAVY | {"numpy", "typer"}) & modules_after("import labelwise")


def test_the_command_line_loads_no_model_library():
    assert not (HEAVY | {"numpy"}) & modules_after("import labelwise.cli.main")


def test_a_classification_needs_no_torch():
    code = "import labelwise; labelwise.load().classify('text', ['a', 'b'])"
    assert not {"torch", "transformers", "onnx", "huggingface_hub"} & modules_after(code)


def test_public_names_are_found_and_others_are_not():
    import labelwise

    assert all(getattr(labelwise, name) is not None for name in labelwise.__all__)
    assert set(labelwise.__all__) <= set(dir(labelwise))
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        _ = labelwise.Classifier
