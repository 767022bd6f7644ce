"""Which output of a head means what, found by the labels' names: the order differs in every family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelwise.errors import CheckpointError

__all__ = ["MultitaskHead", "NliHead", "ReaderHead"]

ROLES = ("entailment", "contradiction", "neutral", "not_entailment")
_ROLE_PREFIXES = (
    ("not_entail", "not_entailment"),
    ("non_entail", "not_entailment"),
    ("no_entail", "not_entailment"),
    ("entail", "entailment"),
    ("contra", "contradiction"),
    ("neutral", "neutral"),
)
# What a head of so many classes must hold; two classes may also be entailment against contradiction.
_COMPLETE_ROLES = (
    frozenset({"entailment", "neutral", "contradiction"}),
    frozenset({"entailment", "not_entailment"}),
    frozenset({"entailment", "contradiction"}),
)
_MAX_SHOWN_LABELS = 6


@dataclass(frozen=True, slots=True)
class ReaderHead:
    """An extractive reader: one start and one end logit per token."""


@dataclass(frozen=True, slots=True)
class NliHead:
    """The output index of each natural language inference role; None where the head lacks it.

    Three classes hold entailment, neutral and contradiction. Two hold entailment and either not_entailment or
    contradiction.
    """

    entailment: int
    contradiction: int | None = None
    neutral: int | None = None
    not_entailment: int | None = None
    num_classes: int = 3

    def __post_init__(self) -> None:
        roles = {role: index for role in ROLES if (index := getattr(self, role)) is not None}
        _refuse_incomplete(roles)
        if sorted(roles.values()) != list(range(self.num_classes)):
            raise CheckpointError(
                f"the roles point at outputs {sorted(roles.values())}, but the head has {self.num_classes}: "
                "each output takes exactly one role"
            )

    @property
    def roles(self) -> dict[str, int]:
        """Role name to output index, for the roles that the head has."""
        return {role: index for role in ROLES if (index := getattr(self, role)) is not None}

    @property
    def against(self) -> int:
        """The output that speaks against a hypothesis: contradiction, or not_entailment with two classes."""
        found = self.contradiction if self.not_entailment is None else self.not_entailment
        assert found is not None  # every complete set of roles holds one of them
        return found

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, roles: Mapping[str, int] | None = None) -> NliHead:
        """Read the roles from the label names in a config, or take them as given.

        Args:
            config: A parsed config.json; ``id2label`` or ``label2id`` is read.
            roles: Role name to output index, for checkpoints whose labels are named otherwise.

        Raises:
            CheckpointError: the names are not those of an entailment head.
        """
        names = _label_names(config)
        if roles is None:
            roles = _roles_by_name(names)
        _refuse_incomplete(roles)
        return cls(**roles, num_classes=len(names) or len(roles))


@dataclass(frozen=True, slots=True)
class MultitaskHead:
    """Three heads on one encoder: labels beside their text, entailment, and answer spans.

    Attributes:
        entail: which output of the entailment head means what.
    """

    entail: NliHead


def _refuse_incomplete(roles: Mapping[str, int]) -> None:
    if frozenset(roles) not in _COMPLETE_ROLES:
        raise CheckpointError(
            f"the roles {', '.join(roles) or '(none)'} do not make an entailment head: it takes entailment "
            "with neutral and contradiction, or entailment with not_entailment"
        )


def _label_names(config: Mapping[str, Any]) -> dict[int, str]:
    """Return output index to label name, from whichever of the two tables is there."""
    id2label, label2id = config.get("id2label"), config.get("label2id")
    try:
        if isinstance(id2label, Mapping) and id2label:
            return {int(index): str(name) for index, name in id2label.items()}
        if isinstance(label2id, Mapping):
            return {int(index): str(name) for name, index in label2id.items()}
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"config.json: the labels' indices must be whole numbers: {error}") from error
    return {}


def _roles_by_name(names: Mapping[int, str]) -> dict[str, int]:
    roles: dict[str, int] = {}
    for index, name in sorted(names.items()):
        role = _role_of(name)
        if role is None or role in roles:
            raise CheckpointError(_not_entailment_labels(names))
        roles[role] = index
    if frozenset(roles) not in _COMPLETE_ROLES:
        raise CheckpointError(_not_entailment_labels(names))
    return roles


def _role_of(name: str) -> str | None:
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    return next((role for prefix, role in _ROLE_PREFIXES if plain.startswith(prefix)), None)


def _not_entailment_labels(names: Mapping[int, str]) -> str:
    shown = [repr(name) for _, name in sorted(names.items())[:_MAX_SHOWN_LABELS]]
    found = ", ".join([*shown, "..."] if len(names) > _MAX_SHOWN_LABELS else shown) or "missing"
    return (
        f"its labels are {found}, not those of an entailment model (entailment, neutral, contradiction, or "
        "entailment, not_entailment); if they mean that, write which is which into labelwise.json: "
        '{"label_roles": {"entailment": 0, "neutral": 1, "contradiction": 2}}'
    )
