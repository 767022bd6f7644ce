"""The kernel on the GPU where there is one, else in triton's interpreter; skipped without triton."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

CHECKS = Path(__file__).with_name("kernel_checks.py")


@pytest.mark.skipif(not find_spec("triton"), reason="triton is not installed")
def test_the_kernel_passes_its_checks():
    # Triton reads TRITON_INTERPRET when it is first imported, which other tests may have done already.
    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    command = [sys.executable, "-m", "pytest", str(CHECKS), "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
