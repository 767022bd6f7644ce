"""What of the machine and its libraries a reader of figures needs; never its name."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from labelwise.backends.cores import available_cores

__all__ = ["machine_facts"]

_LIBRARIES: Final = (
    "labelwise",
    "numpy",
    "onnxruntime",
    "openvino",
    "tokenizers",
    "torch",
    "transformers",
    "sentence-transformers",
    "gliclass",
)
_INSTRUCTIONS: Final = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm")
_CPUINFO = Path("/proc/cpuinfo")


def machine_facts(cpuinfo: Path = _CPUINFO) -> dict[str, Any]:
    """Return the processor, the cores that may be used, the load and the versions."""
    model, flags = _processor(cpuinfo)
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpu": model,
        "instructions": [name for name in _INSTRUCTIONS if name in flags],
        "cores": available_cores(),
        "gpu": _gpu(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": _versions(),
    }


def _processor(cpuinfo: Path) -> tuple[str | None, frozenset[str]]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None, frozenset()
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    flags = fields.get("flags") or fields.get("features") or ""
    return fields.get("model name"), frozenset(flags.split())


def _gpu() -> str | None:
    """Name the GPU that a system in this process may have used; torch is not loaded for the question."""
    torch = sys.modules.get("torch")
    return str(torch.cuda.get_device_name()) if torch is not None and torch.cuda.is_available() else None


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
