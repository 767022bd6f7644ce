"""Which labels are easily taken for one another: by a given list, or by the words that they share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from labelwise.errors import DataError

__all__ = ["SimilarLabels"]

_WORD: Final = re.compile(r"\w+")
# A word in more than this share of the labels is part of a pattern ("the customer ..."): it tells nothing.
_MAX_SHARE_OF_LABELS: Final = 0.5


class SimilarLabels:
    """Ranks for each label the others that are most like it.

    Args:
        names: all labels.
        listed: label -> labels like it, most alike first; labels without an entry are compared by words.

    Raises:
        DataError: a listed label is not among the names.

    >>> SimilarLabels(["lost card", "lost phone", "exchange rate"]).of("lost card")
    ['lost phone']
    """

    def __init__(self, names: Sequence[str], *, listed: Mapping[str, Sequence[str]] | None = None) -> None:
        self._listed = listed or {}
        known = set(names)
        for name in (*self._listed, *(other for others in self._listed.values() for other in others)):
            if name not in known:
                raise DataError(f"similar_labels names {name!r}, which no row has: correct it")
        words = {name: frozenset(_WORD.findall(name.lower())) for name in names}
        counts = Counter(word for found in words.values() for word in found)
        limit = max(2.0, _MAX_SHARE_OF_LABELS * len(names))
        self._words = {
            name: {word for word in found if counts[word] <= limit} for name, found in words.items()
        }
        self._names_with: dict[str, list[str]] = defaultdict(list)
        for name, found in self._words.items():
            for word in found:
                self._names_with[word].append(name)
        self._ranked: dict[str, list[str]] = {}

    def of(self, name: str) -> list[str]:
        """Return the labels like `name`, most alike first: those listed, or that share a telling word."""
        if name not in self._ranked:
            self._ranked[name] = list(self._listed[name]) if name in self._listed else self._by_words(name)
        return self._ranked[name]

    def _by_words(self, name: str) -> list[str]:
        own = self._words.get(name, set())
        shared = Counter(other for word in own for other in self._names_with[word] if other != name)
        return sorted(shared, key=lambda other: (-shared[other] / len(own | self._words[other]), other))
