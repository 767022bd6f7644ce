"""Which vocabulary entries are control tokens: ``[CLS]``, ``</s>``, ``<<LABEL>>`` and their like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["ControlNames", "ControlTokens", "find_control_names"]

# Role -> the settings that may name it, best first, and the usual names when no setting does.
_ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cls": (("cls_token", "bos_token"), ("[CLS]", "<s>")),
    "sep": (("sep_token", "eos_token"), ("[SEP]", "</s>")),
    "pad": (("pad_token",), ("[PAD]", "<pad>")),
    "unk": (("unk_token",), ("[UNK]", "<unk>")),
    "mask": (("mask_token",), ("[MASK]", "<mask>")),
}
_LISTS = ("additional_special_tokens", "extra_special_tokens")
# An added token that is not flagged special is text (ModernBERT's runs of spaces) unless it looks like these.
_BRACKETED_NAME = re.compile(r"\[[^\s\[\]]+\]|<<[^\s<>]+>>|<[^\s<>]+>")


@dataclass(frozen=True, slots=True)
class ControlTokens:
    """Ids of a vocabulary's control tokens: by role (None where it has none), and all of them in ``ids``.

    ``cls`` opens a row (BERT's ``[CLS]``, RoBERTa's ``<s>``) and ``sep`` ends a text (``[SEP]``, ``</s>``).
    """

    cls: int | None
    sep: int | None
    pad: int | None
    unk: int | None
    mask: int | None
    ids: frozenset[int]

    @property
    def forbidden_ids(self) -> frozenset[int]:
        """The ids that text may never yield: all but ``unk``, which unknown characters rightly become."""
        return self.ids - {self.unk} if self.unk is not None else self.ids


@dataclass(frozen=True, slots=True)
class ControlNames:
    """The same, as strings: role -> name, and every name once."""

    roles: Mapping[str, str]
    all: tuple[str, ...]

    def ids(self, id_of: Callable[[str], int | None]) -> ControlTokens:
        """Look every name up; names that the vocabulary lacks have no id."""
        by_role = {role: id_of(self.roles[role]) if role in self.roles else None for role in _ROLES}
        found = frozenset(i for i in map(id_of, self.all) if i is not None)
        return ControlTokens(**by_role, ids=found)


def find_control_names(
    spec: Mapping[str, Any], settings: Mapping[str, Any], *, extra: Sequence[str] = ()
) -> ControlNames:
    """Collect the control names of a tokenizer.

    Args:
        spec: a parsed ``tokenizer.json``.
        settings: ``special_tokens_map.json`` and ``tokenizer_config.json``, merged.
        extra: names that are control tokens here though nothing marks them so.
    """
    roles = _roles(settings, _entries(spec))
    unk = _model_unk(spec["model"])
    if unk is not None:
        roles["unk"] = unk
    added = (token["content"] for token in spec["added_tokens"] if _is_control(token))
    names = (*roles.values(), *_named_in(settings), *added, *extra)
    return ControlNames(roles=roles, all=tuple(dict.fromkeys(name for name in names if name)))


def _is_control(added_token: Mapping[str, Any]) -> bool:
    return bool(added_token.get("special")) or _BRACKETED_NAME.fullmatch(added_token["content"]) is not None


def _roles(settings: Mapping[str, Any], entries: frozenset[str]) -> dict[str, str]:
    roles = {}
    for role, (keys, usual_names) in _ROLES.items():
        declared = (name for name in (_content(settings.get(key)) for key in keys) if name in entries)
        usual = (name for name in usual_names if name in entries)
        name = next(declared, None) or next(usual, None)
        if name is not None:
            roles[role] = name
    return roles


def _named_in(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if key.endswith("_token"):
            yield _content(value) or ""
    for key in _LISTS:
        listed = settings.get(key) or ()
        values = listed.values() if isinstance(listed, Mapping) else listed
        yield from (_content(value) or "" for value in values)


def _content(value: object) -> str | None:
    """Read a token written as a string or as an AddedToken's fields."""
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _entries(spec: Mapping[str, Any]) -> frozenset[str]:
    vocab = spec["model"]["vocab"]
    pieces = vocab if isinstance(vocab, Mapping) else (piece for piece, _ in vocab)
    return frozenset(pieces) | {token["content"] for token in spec["added_tokens"]}


def _model_unk(model: Mapping[str, Any]) -> str | None:
    """Name the entry that the model itself uses for what it does not know."""
    if isinstance(model["vocab"], Mapping):
        name = model.get("unk_token")
        return name if name in model["vocab"] else None
    return model["vocab"][model["unk_id"]][0] if model.get("unk_id") is not None else None
