"""A killed run of the real command goes on without a lost or doubled row."""

import json
import subprocess
import sys
import time

ROWS = 1200


def command(source, output, *more):
    return [
        sys.executable, "-m", "labelwise", "classify", "--input", source, "--output", output,
        "--labels", "praise,complaint", "--quiet", *more,
    ]  # fmt: skip


def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path):
    source, killed, whole = tmp_path / "in.jsonl", tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    words = ["good", "bad", "late", "broken", "lovely", "fast"]
    texts = [f"row {row} was {words[row % 6]} and {words[row // 6 % 6]}" for row in range(ROWS)]
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    subprocess.run(command(source, whole), check=True)

    process = subprocess.Popen(command(source, killed))
    manifest = tmp_path / "killed.jsonl.manifest.json"
    deadline = time.monotonic() + 60
    while not manifest.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not killed.exists()
    assert 0 < (tmp_path / "killed.jsonl.partial").read_bytes().count(b"\n") < ROWS

    subprocess.run(command(source, killed, "--resume"), check=True)
    assert killed.read_bytes() == whole.read_bytes()
    assert [json.loads(line)["text"] for line in killed.read_text().splitlines()] == texts
