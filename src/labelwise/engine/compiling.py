"""Compile the engine's library. Run by the build hook, so it imports the standard library alone.

By hand: ``python -m labelwise.engine.compiling``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["LIBRARY_NAME", "compile_library"]

LIBRARY_NAME = {"win32": "_engine.dll", "darwin": "_engine.dylib"}.get(sys.platform, "_engine.so")

_SOURCES = Path(__file__).parent / "csrc"
_COMMON = ("abi", "dispatch", "encoder", "linear", "pool", "positions")
_COMPILERS = ("c++", "g++", "clang++")
_FLAGS = ("-std=c++17", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fvisibility=hidden", "-Wno-psabi")
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-mprefer-vector-width=512")
# The instruction sets by name; "plain" is what every processor of the architecture has (NEON on arm64).
_PLAIN = {"plain": ()}
_X86 = {**_PLAIN, "avx2": ("-mavx2", "-mfma"), "avx512": _AVX512, "avx512_vnni": (*_AVX512, "-mavx512vnni")}


def compile_library(folder: Path, *, compiler: str | None = None) -> Path | None:
    """Compile the library into a folder.

    Args:
        folder: Where it is written, under ``LIBRARY_NAME``.
        compiler: A C++17 compiler that speaks as gcc and clang do; None takes ``$CXX``, or the first
            on the path.

    Returns:
        The library, or None where no compiler is found or it does not compile.
    """
    # Imported here: whoever only looks for the library asks this module for its name.
    import shutil
    import tempfile
    from concurrent.futures import ThreadPoolExecutor

    command = _command(compiler)
    if command is None:
        return None
    machine = _machine(command)
    is_x86 = machine in ("x86_64", "amd64", "i386", "i686")
    jobs = [("kernels", f"kernels_{name}", (*flags, f"-DLW_TABLE={name}")) for name, flags in _sets(is_x86)]
    jobs += [(name, name, ("-DLW_X86",) if is_x86 else ()) for name in _COMMON]
    target = folder / LIBRARY_NAME
    with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        objects = [Path(made) / f"{name}.o" for _, name, _ in jobs]
        commands = [
            [
                *command,
                *_FLAGS,
                *_position_flags(),
                *flags,
                "-c",
                str(_SOURCES / f"{source}.cpp"),
                "-o",
                str(to),
            ]
            for (source, _, flags), to in zip(jobs, objects, strict=True)
        ]
        if not all(pool.map(_runs, commands)):
            return None
        # Replaced in one step: a process that has the old one open keeps it.
        linked = Path(made) / LIBRARY_NAME
        if not _runs([*command, "-shared", *_link_flags(), *map(str, objects), "-o", str(linked)]):
            return None
        unfinished = target.with_suffix(".new")
        shutil.copyfile(linked, unfinished)
        unfinished.replace(target)
    return target


def _command(compiler: str | None) -> list[str] | None:
    """Return the compiler with the flags that say which architecture to build for."""
    import shlex
    import shutil

    asked = compiler or os.environ.get("CXX")
    words = shlex.split(asked) if asked else []
    found = words[0] if words else next(filter(shutil.which, _COMPILERS), None)
    if found is None or shutil.which(found) is None:
        return None
    return [found, *words[1:], *shlex.split(os.environ.get("ARCHFLAGS", ""))]


def _machine(command: list[str]) -> str:
    """Tell the architecture that is built for: macOS builds for another one with ``-arch``."""
    import platform

    if "-arch" in command[:-1]:
        return command[command.index("-arch") + 1].lower()
    return platform.machine().lower()


def _sets(is_x86: bool) -> list[tuple[str, tuple[str, ...]]]:
    return list((_X86 if is_x86 else _PLAIN).items())


def _position_flags() -> tuple[str, ...]:
    return () if sys.platform == "win32" else ("-fPIC",)


def _link_flags() -> tuple[str, ...]:
    return ("-static",) if sys.platform == "win32" else ("-pthread",)


def _runs(command: list[str]) -> bool:
    import subprocess

    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    made_library = compile_library(where)
    sys.exit(0 if made_library else "no compiler, or it failed")
