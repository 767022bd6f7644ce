"""Exports that are proven: files for other runtimes, each held against the float32 torch model first.

``export_model`` writes a folder that appears whole or not at all; see ``docs/export.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelwise.export.report import ExportReport
    from labelwise.export.run import ExportSettings, export_model

__all__ = ["ExportReport", "ExportSettings", "export_model"]


def __getattr__(name: str) -> Any:
    """Import on first use: the runtimes behind are slow to import."""
    if name == "ExportReport":
        from labelwise.export import report

        return report.ExportReport
    if name in ("ExportSettings", "export_model"):
        from labelwise.export import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
