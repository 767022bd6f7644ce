"""Build hook: compile the packed engine where there is a compiler; without one the package is pure Python."""

from __future__ import annotations

import importlib.util
import os
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ENGINE = Path("src") / "labelwise" / "engine"


class EngineBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the engine's library beside its sources, for wheels and editable installs alike."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tag the wheel for this platform; the library needs no particular Python."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / _ENGINE
        compiling = _load(folder / "compiling.py")
        (folder / compiling.LIBRARY_NAME).unlink(missing_ok=True)
        if os.environ.get("LABELWISE_NO_ENGINE", "0") not in ("", "0"):
            return
        library = compiling.compile_library(folder)
        if library is None:
            return
        build_data["artifacts"].append(f"{_ENGINE.as_posix()}/{library.name}")
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"


def _load(file: Path) -> ModuleType:
    """Load a module by its file: the package itself cannot be imported while it is built."""
    spec = importlib.util.spec_from_file_location("labelwise_engine_compiling", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
