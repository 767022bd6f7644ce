"""Smaller students: copied layers, a trimmed vocabulary, fine-tuning with a teacher or without."""
