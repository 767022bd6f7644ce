"""Label sets: names, described names, or a tree, checked once and flattened for scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from labelwise.errors import LabelError
from labelwise.template import HypothesisTemplate

__all__ = ["PATH_SEPARATOR", "LabelNode", "LabelSet", "Labels", "are_per_text", "label_sets"]

# A list of names, a mapping name -> description, or a nested mapping whose leaves are either of those.
Labels: TypeAlias = "Sequence[str] | Mapping[str, Labels | str | None]"

PATH_SEPARATOR = " > "
_SENTENCE_END = (".", "!", "?")


@dataclass(frozen=True, slots=True)
class LabelNode:
    """One label to score.

    Attributes:
        path: names from the root to this label; one name when the labels are flat.
        description: what is scored in place of the name, or None.
        parent: position of the parent in ``LabelSet.nodes``, or None at the top.
        is_leaf: True for labels that are returned; inner nodes only weigh their leaves.
    """

    path: tuple[str, ...]
    description: str | None
    parent: int | None
    is_leaf: bool

    @property
    def name(self) -> str:
        """The label as it is returned: its own name, or its path for a nested label."""
        return PATH_SEPARATOR.join(self.path)

    def hypothesis(self, template: HypothesisTemplate) -> str:
        """Return the sentence that is scored for this label.

        A description that is a full sentence (it ends with . ! or ?) stands for itself; every other
        name or description goes through the template.
        """
        if self.description is not None and self.description.rstrip().endswith(_SENTENCE_END):
            return self.description
        return template.fill(self.path[-1] if self.description is None else self.description)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of one text: a flat tuple of nodes, parents before their children.

    >>> [node.name for node in LabelSet.parse({"pets": ["cat", "dog"], "cars": None}).leaves]
    ['pets > cat', 'pets > dog', 'cars']
    """

    nodes: tuple[LabelNode, ...]

    @property
    def leaves(self) -> tuple[LabelNode, ...]:
        """The labels that are returned, in the order in which they were given."""
        return tuple(node for node in self.nodes if node.is_leaf)

    @property
    def is_nested(self) -> bool:
        """True when at least one label has a parent."""
        return any(node.parent is not None for node in self.nodes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that results carry, in the order in which they were given."""
        return tuple(leaf.name for leaf in self.leaves)

    @classmethod
    def parse(cls, labels: Labels) -> LabelSet:
        """Read a list of names, a mapping name -> description, or a nested mapping.

        Raises:
            LabelError: nothing in it, a blank or doubled name, or a value of another kind.
        """
        nodes: list[LabelNode] = []
        _collect(labels, (), None, nodes)
        return cls(tuple(nodes))


def label_sets(labels: Labels | Sequence[Labels], *, num_texts: int) -> list[LabelSet]:
    """Return one label set per text, from one set for all or a list with one per text.

    A list whose entries are not strings holds one label set per text.

    Raises:
        LabelError: the number of label sets is not the number of texts, or a set is not valid.
    """
    if not are_per_text(labels):
        return [LabelSet.parse(labels)] * num_texts  # type: ignore[arg-type]
    if len(labels) != num_texts:
        raise LabelError(
            f"labels holds {len(labels)} label sets for {num_texts} texts; give one set, or one per text"
        )
    parsed: list[LabelSet] = []
    for number, entry in enumerate(labels, start=1):
        try:
            parsed.append(LabelSet.parse(entry))
        except LabelError as error:
            raise LabelError(f"labels of text {number}: {error}") from None
    return parsed


def are_per_text(labels: Labels | Sequence[Labels]) -> bool:
    """Return True when labels is a list that holds one label set per text."""
    return (
        isinstance(labels, Sequence)
        and not isinstance(labels, str)
        and any(not isinstance(entry, str) and isinstance(entry, (Sequence, Mapping)) for entry in labels)
    )


def _collect(labels: object, path: tuple[str, ...], parent: int | None, nodes: list[LabelNode]) -> None:
    within = f" of {PATH_SEPARATOR.join(path)!r}" if path else ""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, (Sequence, Mapping)):
        raise LabelError(f"labels{within} must be a list of names or a mapping, got {_shown(labels)}")
    if not labels:
        raise LabelError(f"labels{within} is empty; give at least one label")
    children = labels if isinstance(labels, Mapping) else dict.fromkeys(_checked_list(labels, within))
    for name, value in children.items():
        _check_name(name, within)
        is_branch = isinstance(value, (Sequence, Mapping)) and not isinstance(value, (str, bytes))
        description = None if is_branch else _checked_description(name, value)
        nodes.append(LabelNode((*path, name), description, parent, is_leaf=not is_branch))
        if is_branch:
            _collect(value, (*path, name), len(nodes) - 1, nodes)


def _checked_list(names: Sequence[object], within: str) -> Sequence[str]:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        _check_name(name, within)
        first = seen.setdefault(str(name), number)
        if first != number:
            raise LabelError(
                f"label {name!r}{within} is given twice, at places {first} and {number}; keep one"
            )
    return [str(name) for name in names]


def _check_name(name: object, within: str) -> None:
    if not isinstance(name, str):
        raise LabelError(f"a label{within} must be a string, got {_shown(name)}")
    if not name.strip():
        raise LabelError(f"a label{within} is blank ({name!r}); give it a name")


def _checked_description(name: str, description: object) -> str | None:
    if description is None:
        return None
    if not isinstance(description, str):
        raise LabelError(f"the description of label {name!r} must be a string, got {_shown(description)}")
    if not description.strip():
        raise LabelError(f"the description of label {name!r} is blank; write one or use None")
    return description


def _shown(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
