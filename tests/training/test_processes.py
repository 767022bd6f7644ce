from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import pytest

from labelwise.errors import DataError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
if not torch.distributed.is_available():
    pytest.skip("this torch has no torch.distributed", allow_module_level=True)

from labelwise.training.processes import leaving_together  # noqa: E402
from labelwise.training.recipe import Hyperparameters, NliRecipe, Source  # noqa: E402

dist = torch.distributed


@pytest.fixture
def environment(monkeypatch):
    """One process that torchrun could have started."""
    from accelerate.state import AcceleratorState

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    values = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    if dist.is_initialized():
        dist.destroy_process_group()
    AcceleratorState._reset_state(reset_partial_state=True)


def threads_of_gloo() -> list[str]:
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread of another library may end meanwhile
            names.append((task / "comm").read_text().strip())
    return [name for name in names if "gloo" in name]


@leaving_together()
def work_in_a_group(error: Exception | None = None) -> bool:
    dist.init_process_group("gloo")
    dist.all_reduce(torch.ones(2))
    if error is not None:
        raise error
    return dist.is_initialized()


def test_the_group_and_its_threads_are_gone_when_the_work_is_done(environment):
    assert work_in_a_group()
    assert not dist.is_initialized()
    if Path("/proc/self/task").is_dir():
        assert threads_of_gloo() == []


def test_an_inner_block_leaves_the_group_to_the_outer_one(environment):
    @leaving_together()
    def outer() -> bool:
        work_in_a_group()
        return dist.is_initialized()

    assert outer()
    assert not dist.is_initialized()


def test_a_group_that_was_there_before_stays(environment):
    dist.init_process_group("gloo")
    with leaving_together():
        pass
    assert dist.is_initialized()


def test_an_own_error_is_what_the_user_sees(environment):
    with pytest.raises(DataError, match="no such file"):
        work_in_a_group(DataError("no such file"))


def test_the_end_of_another_process_is_said_in_one_line(environment):
    said = RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:13237")
    with pytest.raises(Exception, match="another process of this run is gone") as caught:
        work_in_a_group(said)
    assert caught.value.__cause__ is said


def test_a_fault_in_the_code_is_not_taken_for_a_lost_process(environment):
    with pytest.raises(RuntimeError, match="shape"):
        work_in_a_group(RuntimeError("shape '[2]' is invalid"))


def test_of_two_processes_the_one_that_fails_says_why_and_none_hangs(
    tiny_base, write_rows, tmp_path, run_in_two_processes
):
    rows = [{"premise": "the shop is open", "hypothesis": "this is red", "label": "neutral"}] * 16
    write_rows("data/pairs.jsonl", rows)
    wanted = NliRecipe(
        name="tiny",
        base=str(tiny_base),
        classes=("entailment", "neutral", "contradiction"),
        sources=(Source("pairs.jsonl", "pairs", "own"),),
        validation="pairs.jsonl",
        validation_rows=4,
        seed=7,
        hyperparameters=Hyperparameters(batch_size=4, max_tokens=24),
    )
    (tmp_path / "recipe.json").write_text(json.dumps(wanted.to_dict()))
    second_process_fails = """
import os
from transformers import Trainer
from labelwise.errors import DataError

unbroken_step = Trainer.training_step

def training_step(self, *args, **kwargs):
    if os.environ["RANK"] == "1" and self.state.global_step == 1:
        raise DataError("row 9 cannot be read")
    return unbroken_step(self, *args, **kwargs)

Trainer.training_step = training_step
"""
    flags = ["--data", tmp_path / "data", "--output", tmp_path / "run"]
    finished = run_in_two_processes(
        "train", "nli", tmp_path / "recipe.json", *flags, before=second_process_fails
    )
    assert finished.returncode == 1
    own_words = finished.stderr[: finished.stderr.index("ChildFailedError")]
    assert own_words.count("labelwise: row 9 cannot be read") == 1, finished.stderr[:4000]
    assert "SIGABRT" not in finished.stderr
