"""The hypothesis template: exactly one placeholder, replaced literally."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import TemplateError
from labelwise.template import HypothesisTemplate

HOSTILE = [
    "",
    "no placeholder",
    "{} and {}",
    "{{}}",
    "{0}",
    "{label}",
    "{:>100000000}",
    "{!r}",
    "{0.__class__.__mro__}",
    "{} {0.__class__}",
    "{} }",
    "{ {}",
    "{}{",
    "{}" + "x" * 600,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_templates_are_refused_in_one_line(text):
    with pytest.raises(TemplateError) as caught:
        HypothesisTemplate(text)
    assert "\n" not in str(caught.value)


@given(st.text())
def test_labels_are_inserted_as_they_stand(label):
    assert HypothesisTemplate("<{}>").fill(label) == f"<{label}>"


def test_a_label_with_braces_is_not_filled_again():
    assert HypothesisTemplate("About {}.").fill("{} {0}") == "About {} {0}."
