"""Why an answer of the model cannot be used."""

from __future__ import annotations

__all__ = ["InvalidAnswerError", "RefusedError"]


class InvalidAnswerError(Exception):
    """An answer breaks a rule; asking again may help.

    Attributes:
        reason: the rule, in few words that are the same for every such answer.
        detail: what is wrong, in words that the model can be told.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class RefusedError(Exception):
    """The model or its filter declines; asking again for the same is no use."""
