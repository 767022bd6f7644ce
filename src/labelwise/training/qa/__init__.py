"""Extractive question answering: from questions with their answers' places to a trained reader."""
