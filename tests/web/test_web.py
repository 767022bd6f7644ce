"""The page in web/: built from a multi-task model, then compared with this package in headless Chromium."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BUNDLED = ROOT / "src" / "labelwise" / "checkpoints" / "bundled"
MODEL_DIR = Path(os.environ.get("MODEL_DIR", BUNDLED))
BUILD_S, UNIT_S, BROWSER_S, WEBGPU_S = 300, 600, 1200, 1200


def _is_running(name: str) -> bool:
    """Tell a browser from a stub that asks for snap."""
    return shutil.which(name) is not None and (
        subprocess.run([name, "--version"], capture_output=True, check=False).returncode == 0
    )


def _chromium() -> str | None:
    """Find a Chromium: the one named in CHROMIUM, the system's, or the one that Playwright fetched."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    fetched = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    system = filter(_is_running, ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, map(shutil.which, system)), None) or next(
        map(str, fetched.glob("chromium-*/chrome-linux*/chrome")), None
    )


CHROMIUM = _chromium()


def _missing() -> str | None:
    """Name the first thing that the page's tests lack."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm"
    if not (WEB / "node_modules" / "vite").is_dir():
        return "web/node_modules (.ci/browser installs it)"
    if importlib.util.find_spec("torch") is None:
        return "torch, which computes what the page must say"
    config = MODEL_DIR / "config.json"
    family = json.loads(config.read_text("utf-8")).get("model_type") if config.is_file() else None
    if family != "labelwise-multitask":
        return f"a labelwise-multitask model in MODEL_DIR ({MODEL_DIR})"
    return None


def _run(*command: str, timeout_s: float) -> str:
    environment = {**os.environ, "MODEL_DIR": str(MODEL_DIR), "PYTHON": sys.executable}
    if CHROMIUM is not None:
        environment["CHROMIUM"] = CHROMIUM
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=WEB, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


pytestmark = pytest.mark.skipif(_missing() is not None, reason=f"needs {_missing()}")


@pytest.fixture(scope="module", autouse=True)
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the page once, whichever of several test processes comes first."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with FileLock(shared / "page.lock"):
        if not (shared / "page.built").exists():
            _run("npm", "run", "build", timeout_s=BUILD_S)
            (shared / "page.built").touch()
    return WEB / "dist"


def test_the_built_page_names_no_foreign_host_and_its_model_stays_under_25_mb(built_page: Path) -> None:
    page = (built_page / "index.html").read_text("utf-8")
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert (built_page / "model" / "model.onnx").stat().st_size <= 25_000_000


def test_tokens_windows_and_spans_are_those_of_the_package(built_page: Path) -> None:
    _run("npm", "run", "test:unit", timeout_s=UNIT_S)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (or its path in CHROMIUM)")
def test_the_page_in_a_browser_says_what_the_package_says(built_page: Path) -> None:
    _run("npm", "run", "test:browser", timeout_s=BROWSER_S)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (or its path in CHROMIUM)")
def test_the_page_on_webgpu_says_what_the_package_says(built_page: Path) -> None:
    report = _run("npm", "run", "test:webgpu", timeout_s=WEBGPU_S)
    missing = re.search(r"# SKIP (.+)", report)
    if missing:
        pytest.skip(missing[1])
