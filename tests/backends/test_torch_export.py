import json
import subprocess
import sys

import numpy as np
import pytest

from labelwise.backends import open_backend, torch_export
from labelwise.errors import BackendError

pytest.importorskip("torch")
pytest.importorskip("onnxscript")

RUN_WITHOUT_TORCH = """
import sys
for module in ("torch", "transformers", "onnxscript"):
    sys.modules[module] = None
import numpy as np
from labelwise.backends import open_backend
from labelwise.checkpoints import open_checkpoint
from labelwise.text.sequence import TokenSequence
print(open_backend(open_checkpoint(sys.argv[1])).run([TokenSequence(np.array([5, 6, 2]))])[0].tolist())
"""


@pytest.mark.parametrize("family", ["bart", "modernbert"])
def test_an_export_equals_torch_and_is_run_without_it_later(tiny, rows, family):
    checkpoint = tiny(family)
    ours = open_backend(checkpoint)
    theirs = open_backend(checkpoint, backend="torch")
    for lengths in ((2,), (33, 8), (100, 61, 5)):
        np.testing.assert_allclose(ours.run(rows(lengths))[0], theirs.run(rows(lengths))[0], atol=1e-4)

    done = subprocess.run(
        [sys.executable, "-c", RUN_WITHOUT_TORCH, str(checkpoint.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    row = rows((3,))
    row[0].ids[:] = [5, 6, 2]
    np.testing.assert_allclose(np.array(json.loads(done.stdout)), theirs.run(row)[0], atol=1e-4)


def test_an_export_that_differs_is_not_kept(tiny, monkeypatch, own_cache):
    checkpoint = tiny("distilbert")
    monkeypatch.setattr(torch_export, "_MAX_DIFFERENCE", -1.0)
    with pytest.raises(BackendError, match="not kept"):
        open_backend(checkpoint)
    assert list((own_cache / "graphs").iterdir()) == []


def test_a_model_that_cannot_be_traced_is_refused_in_one_line(tiny, monkeypatch):
    checkpoint = tiny("distilbert")

    def broken(*args, **kwargs):
        raise RuntimeError("cannot\ntrace")

    monkeypatch.setattr("torch.onnx.export", broken)
    with pytest.raises(BackendError, match=r"cannot trace.*backend='torch'") as caught:
        open_backend(checkpoint)
    assert "\n" not in str(caught.value)


def test_a_reader_of_another_family_is_exported_too(tiny, rows):
    checkpoint = tiny("distilbert", head="QuestionAnswering")
    batch = rows((30, 7))
    theirs = open_backend(checkpoint, backend="torch").run(batch)
    for mine, expected in zip(open_backend(checkpoint).run(batch), theirs, strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-4)
