"""The README's commands, code and numbers are real."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+\.\d+")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_ci_runs_the_readmes_test_command():
    (command,) = [block.strip() for block in blocks("bash") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_python_blocks_run_and_say_what_they_say():
    scope = {}
    checked = 0
    for block in blocks("python"):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            _, _, said = lines[statement.end_lineno - 1].partition("  # ")
            if isinstance(statement, ast.Expr) and said.startswith("'"):
                value = eval(compile(ast.Expression(statement.value), "README.md", "eval"), scope)
                assert repr(value) == said
                checked += 1
            else:
                exec(compile(ast.Module([statement], []), "README.md", "exec"), scope)
    assert checked == 5


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block[:40])
def test_the_console_blocks_show_real_output(block):
    command, _, shown = block.partition("\n")
    arguments = shlex.split(command.removeprefix("$ "))
    assert arguments[0] == "labelwise"
    finished = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert _without_bars(NUMBER.sub("N", finished.stdout)) == _without_bars(NUMBER.sub("N", shown))
    # 8-bit kernels differ a little between processors.
    real = [float(number) for number in NUMBER.findall(finished.stdout)]
    assert real == pytest.approx([float(number) for number in NUMBER.findall(shown)], abs=0.03)


def _without_bars(text):
    return [" ".join(line.replace("#", "").split()) for line in text.strip().splitlines()]
