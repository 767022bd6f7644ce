"""Compare zero-shot classification with transformers' pipeline on the same weights, texts and labels.

Run: python benchmarks/against_pipeline.py [--rounds 5] [--output benchmarks/results/against_pipeline.json]
The model has the geometry of the bundled one (6 layers, width 384) with random weights, since speed does not
depend on them. All systems take turns within each round; the figures are medians over rounds, and ratios are
to the pipeline as a user writes it (batch 1). Scores are compared too: a faster wrong answer would not count.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import labelwise
from labelwise.benchmarking.run import Benchmark, run_benchmark
from labelwise.benchmarking.specs import AskSettings, parse_specs
from labelwise.benchmarking.timing import Turns
from labelwise.benchmarking.workload import Workload

LABELS = ("billing problem", "delivery delay", "product praise", "account access", "something else")
SENTENCE = (
    "the parcel that I ordered last week has not arrived and nobody at the shop answers my calls about it"
)
WORDS = SENTENCE.split()
LENGTHS = {"short (20 words)": 20, "medium (60 words)": 60, "long (250 words)": 250}
NUM_TEXTS = 16
SYSTEMS = ("pipeline", "pipeline:32", "labelwise:onnx", "labelwise:onnx=bundled")


def build_checkpoint(folder: Path) -> None:
    """Write a random entailment model with the bundled model's geometry and tokenizer."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    bundled = labelwise.load().checkpoint.folder
    config = BertConfig.from_pretrained(bundled)
    torch.manual_seed(0)
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        model.classifier.weight.normal_(0.0, 1.0)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((bundled / name).read_bytes())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 512}))


def workloads() -> list[Workload]:
    """Return texts of each length."""
    return [
        Workload(
            name, tuple(" ".join((WORDS * 20)[start : start + length]) for start in range(NUM_TEXTS)), LABELS
        )
        for name, length in LENGTHS.items()
    ]


def main() -> None:
    """Measure and print, and write the JSON file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "random-6-layers-384-wide"
        build_checkpoint(model)
        settings = AskSettings(model=str(model), hypothesis_template="This example is {}.")
        asked = Benchmark(
            specs=parse_specs(SYSTEMS), settings=settings, turns=Turns(rounds=given.rounds, most_seconds=1e9)
        )
        found = json.dumps(run_benchmark(asked, workloads()).to_dict(), indent=2)
    print(found)
    if given.output:
        given.output.write_text(found + "\n")


if __name__ == "__main__":
    main()
