"""The rows that ``labelwise calibrate`` learns from: pairs, texts with labels, texts without."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labelwise.cli.columns import ColumnOptions
from labelwise.cli.labelled_file import LeftOut, file_rows, found_rows

if TYPE_CHECKING:
    from labelwise.evaluation.labelled import LabelledPair, LabelledText, SeveralLabels
    from labelwise.evaluation.registry_rows import LeftOutRow

__all__ = ["CalibrationRows", "read_texts"]


@dataclass(frozen=True, slots=True)
class CalibrationRows:
    """Labelled rows of one kind.

    Attributes:
        pairs: premise, hypothesis and class; empty where ``texts`` are not.
        texts: texts with one label each, or with any number of them.
        left_out: what could not be used.
    """

    pairs: tuple[LabelledPair, ...]
    texts: tuple[LabelledText | SeveralLabels, ...]
    left_out: LeftOut

    @classmethod
    def read(cls, path: Path, columns: ColumnOptions, *, limit: int | None) -> CalibrationRows:
        """Read pairs where the file has both of their columns, else texts; bad rows are named on stderr.

        Raises:
            InputError: there is no such file.
            DataError: it cannot be read, a column is missing, or no row can be used.
        """
        from labelwise.evaluation.labelled import LabelledPair, LabelledText, SeveralLabels
        from labelwise.evaluation.protocols import EvaluationSet

        one = EvaluationSet(
            name=path.name,
            task="entail" if _holds_pairs(path, columns) else "classify",
            path=str(path),
            columns=columns.named,
        )
        bad: list[LeftOutRow] = []
        rows = file_rows(path, on_bad=bad.append)
        found = found_rows(one, rows, bad, limit=limit, takes_plain_names=False)
        found.left_out.tell(str(path))
        return cls(
            tuple(row for row in found.rows if isinstance(row, LabelledPair)),
            tuple(row for row in found.rows if isinstance(row, LabelledText | SeveralLabels)),
            found.left_out,
        )

    @property
    def have_several_labels(self) -> bool:
        """True where a text may have any number of labels."""
        from labelwise.evaluation.labelled import SeveralLabels

        return any(isinstance(row, SeveralLabels) for row in self.texts)

    @property
    def gold(self) -> list[tuple[str, ...]]:
        """The true labels of each text."""
        from labelwise.evaluation.labelled import LabelledText

        return [(row.label,) if isinstance(row, LabelledText) else row.labels for row in self.texts]

    @property
    def inputs(self) -> list[Hashable]:
        """What the model reads of each row."""
        pairs = [(row.premise, row.hypothesis) for row in self.pairs]
        return [*pairs, *(row.text for row in self.texts)]

    def __len__(self) -> int:
        return len(self.pairs) + len(self.texts)


def read_texts(path: Path, column: str, *, limit: int | None) -> tuple[list[str], LeftOut]:
    """Read texts without labels; bad rows are named on stderr.

    Raises:
        InputError: there is no such file or column.
        DataError: it cannot be read.
    """
    from labelwise.evaluation.labelled import spread
    from labelwise.files import RowSource

    bad: list[LeftOutRow] = []
    named = "text" if RowSource.at(path).format.kind == "txt" else column
    texts = [str(row[named]) for _, row in file_rows(path, on_bad=bad.append, text_columns=[named])]
    left_out = LeftOut.of(bad)
    left_out.tell(str(path))
    return spread(texts, limit), left_out


def _holds_pairs(path: Path, columns: ColumnOptions) -> bool:
    from labelwise.files import RowSource

    if not {"premise", "hypothesis"}.isdisjoint(columns.named):
        return True
    if "text" in columns.named:
        return False
    return {"premise", "hypothesis"} <= set(RowSource.at(path).column_names() or ())
