"""What a model can be asked: one task, one file, the whole story."""
