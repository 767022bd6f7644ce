"""What ``labelwise calibrate`` says of a fit that did not help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelwise.calibration.fitting import ScoredRows
    from labelwise.calibration.temperature import TemperatureFit
    from labelwise.checkpoints.settings import CheckpointSettings, ScoreKind

__all__ = ["loss_warnings", "temperature_warnings"]


def temperature_warnings(fitted: ScoredRows, settings: CheckpointSettings) -> list[str]:
    """Return one line where the temperature of these rows is not worth saving, and what is left as it is."""
    from labelwise.calibration.fitting import fit_temperature

    fit = fit_temperature(fitted, settings)
    if fit.is_useful:
        return []
    in_use = settings.temperature_of(fitted.kind)
    return [f"{_reason(fit, fitted.kind)}; the temperature is left as it was, {in_use:g}"]


def loss_warnings(before: float, after: float) -> list[str]:
    """Return one line where the loss of held-out rows did not fall."""
    if after < before:
        return []
    return [
        f"the loss of the held-out rows did not fall: {before:.4f} before, {after:.4f} after. Give more rows"
    ]


def _reason(fit: TemperatureFit, kind: ScoreKind) -> str:
    if not fit.is_at_limit:
        return f"no {kind} temperature lowers the loss of the fitted rows below {fit.nll_before:.4f}"
    end = f"the {kind} temperature ran to the end of its search, {fit.temperature:g}"
    if fit.temperature < 1.0:
        return f"{end}: the model is right about nearly all fitted rows, so give more or harder ones"
    return f"{end}: the model is no better than chance on the fitted rows, so check the labels"
