"""Training on top of transformers' Trainer: recipes, recast data, loops. Importing this loads no torch."""
