"""Run ``python -m labelwise.training nli --recipe FILE --data FOLDER --output FOLDER [--resume]``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from labelwise.errors import LabelwiseError, require
from labelwise.training.recipe import load_recipe


def main() -> int:
    """Train and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m labelwise.training")
    parser.add_argument("task", choices=["nli"])
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        recipe = load_recipe(given.recipe)
        for module in ("torch", "transformers", "accelerate"):
            require(module, extra="train")
        from labelwise.training.nli import train_nli

        train_nli(recipe, data_dir=given.data, output_dir=given.output, resume=given.resume)
    except LabelwiseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
