"""The 36 columns of the universal classifier's published table, as a protocol."""

from __future__ import annotations

from labelwise.evaluation.protocols import UNIVERSAL, EvaluationSet, HubSplit, Protocol
from labelwise.evaluation.registry import RegisteredDataset, read_registry

__all__ = ["universal_protocol"]

_NOTE = (
    "Eight NLI columns (entailment against the rest) and 28 classification columns, each text scored with "
    "every hypothesis of its set. The all-33 models were trained on the train parts of all of them, so that "
    "their figures are not zero-shot. Texts of excluded classes are left out; where a file holds some, "
    "accuracy_all_texts counts them as wrong. The published banking77 figure was cut into blocks of 77 rows "
    "where each text has 72, and is too low. A local file is taken for the test part, all of it."
)


def universal_protocol() -> Protocol:
    """Return the protocol made from the registry.

    >>> len(universal_protocol().sets)
    36
    """
    sets = tuple(
        _set_of(dataset, column, split)
        for dataset in read_registry()
        for column, split in dataset.test_splits.items()
    )
    return Protocol(UNIVERSAL, "accuracy", sets, _NOTE)


def _set_of(dataset: RegisteredDataset, column: str, split: str) -> EvaluationSet:
    return EvaluationSet(
        name=column,
        task="entail" if dataset.is_nli else "classify",
        hub=None
        if dataset.hub is None
        else HubSplit(
            dataset.hub,
            split=split,
            config=dataset.config,
            revision=dataset.revision,
            data_dir=dataset.data_dir,
            registered=dataset.name,
        ),
        labels={} if dataset.is_nli else dataset.hypotheses,
        label_values={label: meaning.name for label, meaning in dataset.classes.items()},
        excluded=dataset.excluded_classes,
        template=None if dataset.is_nli else "{}",
        is_binary=dataset.is_nli,
        max_texts_per_class=None if dataset.is_nli else dataset.max_test_per_class,
        max_rows=dataset.max_test_rows,
        note=dataset.note,
    )
