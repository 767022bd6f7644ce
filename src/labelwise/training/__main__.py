"""Run ``python -m labelwise.training unread``, ``... settle`` and ``... bundle`` to make what ships."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from labelwise.errors import LabelwiseError, require

if TYPE_CHECKING:
    from labelwise.training.gate import Probe

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
    settle = tasks.add_parser("settle", help="fit what ships beside the weights on validation files")
    settle.add_argument("--model", type=Path, required=True)
    settle.add_argument("--pairs", type=Path, nargs="+", required=True)
    settle.add_argument("--labels", type=Path, nargs="+", required=True)
    settle.add_argument(
        "--questions",
        type=Path,
        nargs="+",
        default=[],
        help="SQuAD files or passages with questions, held out from training: when to say 'no answer'",
    )
    settle.add_argument("--rows", type=int, default=400, help="of each file, spread over it")
    settle.add_argument("--output", type=Path, required=True, help="the JSON file to write")
    settle.set_defaults(run=_settle)
    unread = tasks.add_parser("unread", help="write what a multi-task run never read, to settle by")
    unread.add_argument("--recipe", type=Path, required=True)
    unread.add_argument("--data", type=Path, required=True)
    unread.add_argument("--output", type=Path, required=True, help="the folder to write")
    unread.set_defaults(run=_write_unread)
    bundle = tasks.add_parser("bundle", help="turn a trained model into the 8-bit form that ships")
    bundle.add_argument("--model", type=Path, required=True)
    bundle.add_argument("--output", type=Path, default=BUNDLED)
    bundle.add_argument("--settings", type=Path, help="a labelwise.json to ship, as calibrate writes it")
    bundle.add_argument("--window", type=int, help="tokens read at once; left out, as trained")
    bundle.add_argument(
        "--gate",
        type=Path,
        nargs="+",
        required=True,
        help="labelled pairs or texts that the 8-bit form must pass",
    )
    bundle.add_argument("--gate-rows", type=int, default=1000, help="of each file, spread over it")
    bundle.set_defaults(run=_bundle)
    return parser


def _train_nli(given: argparse.Namespace) -> None:
    for module in ("torch", "transformers", "accelerate", "matplotlib"):
        require(module, extra="train")
    from labelwise.training.nli import train_nli
    from labelwise.training.recipe import load_recipe

    train_nli(load_recipe(given.recipe), data_dir=given.data, output_dir=given.output, resume=given.resume)


def _settle(given: argparse.Namespace) -> None:
    from labelwise.loading import load
    from labelwise.training.settling import settle

    found = settle(
        load(given.model),
        pair_files=given.pairs,
        label_files=given.labels,
        question_files=given.questions,
        rows_per_file=given.rows,
    )
    given.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _write_unread(given: argparse.Namespace) -> None:
    for module in ("torch", "transformers"):
        require(module, extra="train")
    from labelwise.training.multitask.unread import write_unread

    write_unread(given.recipe, given.data, given.output)


def _bundle(given: argparse.Namespace) -> None:
    from labelwise.training.bundle import bundle
    from labelwise.training.gate import gate

    settings = {} if given.settings is None else json.loads(given.settings.read_text(encoding="utf-8"))
    settings["source"] = "fine-tuned from all-MiniLM-L6-v2; see MODEL_CARD.md"
    total = bundle(given.model, given.output, settings=settings, window_tokens=given.window)
    logging.info("%s holds %s bytes", given.output, f"{total:,}")
    for report in gate(given.model, given.output, [_probe(path, given.gate_rows) for path in given.gate]):
        logging.info("%s", report)


def _probe(path: Path, most_rows: int) -> Probe:
    """Take a file of pairs or of labelled texts as a probe, whichever its first row is."""
    from labelwise.files import read_rows
    from labelwise.training.gate import entail_probe, label_probe

    rows = [row.values for row in read_rows(path, text_columns=["label"])]
    labels = sorted({row["label"] for row in rows})
    rows = rows[:: max(1, len(rows) // most_rows)]
    gold = [row["label"] for row in rows]
    if "premise" in rows[0]:
        return entail_probe(path.name, [(row["premise"], row["hypothesis"]) for row in rows], gold)
    return label_probe(path.name, [row["text"] for row in rows], labels, gold)


if __name__ == "__main__":
    sys.exit(main())
