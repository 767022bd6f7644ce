"""The licence that a card states, in the shapes that cards have."""

import pytest

from labelwise.checkpoints.model_card import licence_in, read_licence


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("---\nlanguage: en\nlicense: 'mit'  # as upstream\ntags:\n- a\n---\n", "mit"),
        ("---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("\ufeff---\nlicense: mit\n---\n", "mit"),
        ("---\nlicense:\n- mit\n- cc-by-4.0\ntags:\n- other\n---\n", "mit, cc-by-4.0"),
        ("---\nlicense: [mit, cc0-1.0]\n---\n", "mit, cc0-1.0"),
        ("---\nlicense: other\nlicense_name: our-licence\n---\n", "our-licence"),
        ("---\nlicense: other\n---\n", "other"),
        ("# Model\n\n- **Licence**: Apache-2.0; data below\n", "Apache-2.0"),
        ("---\ntags: [a]\n---\n\nLicense: MIT.\n", "MIT"),
        ("---\nlicense:\n---\n", None),
        ("The licence of the data: see below.\n", None),
        ("license mit\n", None),
        ("", None),
    ],
)
def test_the_licence_is_found_where_cards_state_it(card, licence):
    assert licence_in(card) == licence


def test_a_very_long_licence_is_cut():
    assert len(licence_in(f"---\nlicense: {'x' * 5000}\n---\n")) <= 80


def test_the_readme_comes_before_the_other_card(tmp_path):
    assert read_licence(tmp_path) is None
    (tmp_path / "MODEL_CARD.md").write_text("---\nlicense: mit\n---\n")
    assert read_licence(tmp_path) == "mit"
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    assert read_licence(tmp_path) == "apache-2.0"


def test_a_card_that_is_not_utf8_does_no_harm(tmp_path):
    (tmp_path / "README.md").write_bytes(b"---\nlicense: mit\n---\n\xff\xfe")
    assert read_licence(tmp_path) == "mit"
