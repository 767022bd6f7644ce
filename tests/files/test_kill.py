"""Kill the job with SIGKILL, at every step and at random times; a resume has to give the whole output."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelwise.files.jobs import run_job
from labelwise.files.outputs import RowTarget
from labelwise.files.partial import PartialFile
from labelwise.files.rows import RowSource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and fork")

CHILD = """
import sys, time
from labelwise.files import RowSource, RowTarget, run_job
from labelwise.files import columnar

source, output, pause_s = sys.argv[1], sys.argv[2], float(sys.argv[3])

def work(rows):
    time.sleep(pause_s)
    return [{"length": len(row.values["text"])} for row in rows]

if output.endswith("parquet"):
    columnar._arrow()
print("ready", flush=True)
run_job(RowSource.at(source), work, target=RowTarget.at(output), resume=True, chunk_rows=20)
"""


def write_input(path: Path, rows: int) -> Path:
    path.write_text("id,text\n" + "".join(f'{n},"row {n}\n{"x" * (n % 50)}"\n' for n in range(rows)))
    return path


def lengths(rows):
    return [{"length": len(row.values["text"])} for row in rows]


def run(source, output, *, resume=False):
    return run_job(RowSource.at(source), lengths, target=RowTarget.at(output), resume=resume, chunk_rows=20)


def start_child(source, output, pause_s):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(source), str(output), str(pause_s)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


# The long run of it: LABELWISE_KILLS=10 LABELWISE_KILL_ROWS=20000 pytest tests/files/test_kill.py -k random
KILLS = int(os.environ.get("LABELWISE_KILLS", "1"))
KILL_ROWS = int(os.environ.get("LABELWISE_KILL_ROWS", "1500"))


@pytest.mark.parametrize(("name", "kills"), [("out.csv", 10), ("out.jsonl.gz", 6), ("out.parquet", 5)])
def test_kills_at_random_times_lose_and_double_no_row(tmp_path, name, kills):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    source = write_input(tmp_path / "in.csv", KILL_ROWS)
    run(source, tmp_path / f"whole.{name}")
    rng = random.Random(17)
    killed, output = 0, tmp_path / f"0.{name}"
    while killed < kills * KILLS:
        child = start_child(source, output, 0.002)
        time.sleep(rng.uniform(0.0, 0.12 * KILL_ROWS / 1500))
        child.kill()
        if child.wait() == -signal.SIGKILL:
            killed += 1
        else:
            # It was done before the kill: start over under another name.
            assert output.read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
            output = tmp_path / f"{killed}.{name}"
        child.stdout.close()
    if not output.exists() or output.with_name(output.name + ".manifest.json").exists():
        run(source, output, resume=True)
    assert output.read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".partial", ".json")] == []


def die_at(step: int) -> None:
    """Make one write, sync, rename or removal of this process its last: half done (even) or done (odd)."""
    calls = iter(range(10**9))

    def deadly(function, half=None):
        def call(*arguments, **options):
            is_last = next(calls) == step // 2
            if is_last and step % 2 == 0:
                if half is not None:
                    half(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **options)
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    def torn(partial, data):
        os.write(partial._file.fileno(), data[: len(data) // 2])

    PartialFile.append = deadly(PartialFile.append, half=torn)
    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)
    Path.unlink = deadly(Path.unlink)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl.gz"])
def test_a_kill_at_every_single_step_is_recovered_from(tmp_path, name):
    source = write_input(tmp_path / "in.csv", 50)
    run(source, tmp_path / f"whole.{name}")
    whole = (tmp_path / f"whole.{name}").read_bytes()
    steps_died = 0
    for step in range(200):
        output = tmp_path / f"{step}.{name}"
        child = os.fork()
        if child == 0:
            try:
                die_at(step)
                run(source, output)
            finally:
                os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            assert output.read_bytes() == whole
            break
        steps_died += 1
        if not output.exists() or output.with_name(output.name + ".manifest.json").exists():
            report = run(source, output, resume=True)
            assert (report.rows_read, report.rows_written) == (50, 50)
        assert output.read_bytes() == whole
        assert sorted(path.name for path in tmp_path.glob(f"{step}.*")) == [output.name]
    assert steps_died >= 40


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_kill_around_the_last_rename_of_parquet_is_recovered_from(tmp_path, monkeypatch, is_renamed):
    pytest.importorskip("pyarrow")
    source = write_input(tmp_path / "in.csv", 50)
    run(source, tmp_path / "whole.parquet")
    output, real_replace = tmp_path / "out.parquet", Path.replace

    def replace(self, target):
        if self.suffix != ".merging":
            return real_replace(self, target)
        if is_renamed:
            real_replace(self, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            run(source, output)
    assert output.exists() == is_renamed
    assert run(source, output, resume=True).rows_written == 50
    assert output.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.parquet", "whole.parquet"]


def test_a_real_full_disk_is_survived(tmp_path):
    source = write_input(tmp_path / "in.csv", 1500)
    run(source, tmp_path / "whole.csv")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n" + CHILD
    done = subprocess.run(
        [sys.executable, "-c", limited, str(source), str(tmp_path / "out.csv"), "0"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "DataError: cannot write" in done.stderr
    assert "then resume" in done.stderr
    assert run(source, tmp_path / "out.csv", resume=True).rows_resumed > 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_importing_the_package_does_not_import_pyarrow():
    code = "import sys, labelwise.files; sys.exit('pyarrow' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
