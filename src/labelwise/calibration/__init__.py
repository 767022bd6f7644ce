"""Calibration: what makes the scores of a model mean what they say, fitted on held-out scores with numpy."""
