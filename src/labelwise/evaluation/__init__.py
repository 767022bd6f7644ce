"""Measures: arrays and texts in, numbers out. Importing this loads numpy and nothing heavier."""
