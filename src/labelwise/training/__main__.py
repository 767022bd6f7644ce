"""Run ``python -m labelwise.training nli`` to train, ``... bundle`` to make what ships in the package."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from labelwise.errors import LabelwiseError, require

BUNDLED = Path(__file__).parents[1] / "checkpoints" / "bundled"


def main() -> int:
    """Train or bundle, and return the exit status."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        given.run(given)
    except LabelwiseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m labelwise.training")
    tasks = parser.add_subparsers(required=True)
    nli = tasks.add_parser("nli", help="train an entailment model by a recipe")
    nli.add_argument("--recipe", type=Path, required=True)
    nli.add_argument("--data", type=Path, required=True)
    nli.add_argument("--output", type=Path, required=True)
    nli.add_argument("--resume", action="store_true")
    nli.set_defaults(run=_train_nli)
    bundle = tasks.add_parser("bundle", help="turn a trained model into the 8-bit form that ships")
    bundle.add_argument("--model", type=Path, required=True)
    bundle.add_argument("--output", type=Path, default=BUNDLED)
    bundle.add_argument("--hypothesis-template", required=True)
    bundle.add_argument(
        "--gate", type=Path, required=True, help="labelled pairs that the 8-bit form must pass"
    )
    bundle.add_argument("--gate-rows", type=int, default=2000)
    bundle.set_defaults(run=_bundle)
    return parser


def _train_nli(given: argparse.Namespace) -> None:
    for module in ("torch", "transformers", "accelerate"):
        require(module, extra="train")
    from labelwise.training.nli import train_nli
    from labelwise.training.recipe import load_recipe

    train_nli(load_recipe(given.recipe), data_dir=given.data, output_dir=given.output, resume=given.resume)


def _bundle(given: argparse.Namespace) -> None:
    from labelwise.files import read_rows
    from labelwise.training.bundle import bundle, gate

    settings = {
        "hypothesis_template": given.hypothesis_template,
        "source": "fine-tuned from all-MiniLM-L6-v2; see MODEL_CARD.md",
    }
    total = bundle(given.model, given.output, settings=settings)
    logging.info("%s holds %s bytes", given.output, f"{total:,}")
    rows = [row.values for row in read_rows(given.gate, text_columns=["premise", "hypothesis", "label"])]
    rows = rows[:: max(1, len(rows) // given.gate_rows)]
    pairs = [(row["premise"], row["hypothesis"]) for row in rows]
    logging.info("%s", gate(given.model, given.output, pairs, [row["label"] for row in rows]))


if __name__ == "__main__":
    sys.exit(main())
