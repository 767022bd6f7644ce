"""Measure systems side by side on the same texts and labels: ``run`` is the entry, ``specs`` names systems.

Nothing is imported here: the processes that measure a cold start import only what their system needs.
"""
