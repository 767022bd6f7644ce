"""The hypothesis template: a sentence with exactly one ``{}``, filled literally."""

from __future__ import annotations

from dataclasses import dataclass

from labelwise.errors import TemplateError

__all__ = ["DEFAULT_TEMPLATE", "HypothesisTemplate"]

DEFAULT_TEMPLATE = "This example is {}."
_MAX_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class HypothesisTemplate:
    """Turns a label into a hypothesis.

    The label replaces ``{}`` as it stands: no format fields, no attribute access, no escapes, since
    ``str.format`` on text from users reads attributes and allocates at their will (CVE-2025-65106).

    Raises:
        TemplateError: not exactly one ``{}``, another brace, or more than 512 characters.

    >>> HypothesisTemplate("This text is about {}.").fill("sports")
    'This text is about sports.'
    """

    text: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        shown = self.text if len(self.text) <= 80 else self.text[:77] + "..."
        if len(self.text) > _MAX_CHARACTERS:
            raise TemplateError(
                f"hypothesis template has {len(self.text)} characters, at most {_MAX_CHARACTERS} are allowed"
            )
        if self.text.count("{}") != 1:
            raise TemplateError(
                f"hypothesis template {shown!r} must hold exactly one {{}}, where the label goes; "
                f"it holds {self.text.count('{}')}"
            )
        before, after = self.text.split("{}")
        if set("{}") & set(before + after):
            raise TemplateError(
                f"hypothesis template {shown!r} holds a brace besides its {{}}; only {{}} is filled in"
            )

    def fill(self, label: str) -> str:
        """Return the hypothesis for a label."""
        before, after = self.text.split("{}")
        return before + label + after
