"""Which entries count as control tokens."""

from __future__ import annotations

import pytest

from labelwise.text.control import ControlTokens, find_control_names


def spec_of(*entries: str, added: tuple[dict, ...] = (), **model: object) -> dict:
    return {
        "model": {"vocab": {entry: i for i, entry in enumerate(entries)}, **model},
        "added_tokens": list(added),
    }


BERT = spec_of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>")
ROBERTA = spec_of("<s>", "<pad>", "</s>", "<unk>", "<mask>", "[CLOSED]")


@pytest.mark.parametrize(
    ("spec", "roles"),
    [
        (BERT, {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "unk": "[UNK]", "mask": "[MASK]"}),
        (ROBERTA, {"cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}),
    ],
)
def test_usual_names_serve_when_no_setting_names_a_role(spec, roles):
    assert find_control_names(spec, {}).roles == roles


def test_settings_go_before_usual_names():
    names = find_control_names(
        BERT, {"cls_token": {"content": "<s>"}, "sep_token": None, "pad_token": "absent"}
    )
    assert (names.roles["cls"], names.roles["sep"], names.roles["pad"]) == ("<s>", "[SEP]", "[PAD]")


def test_bos_and_eos_serve_where_cls_and_sep_are_not_named():
    names = find_control_names(spec_of("^", "$"), {"bos_token": "^", "eos_token": "$"})
    assert names.roles == {"cls": "^", "sep": "$"}


@pytest.mark.parametrize(
    ("content", "special", "is_control"),
    [
        ("anything", True, True),
        ("[LAB]", False, True),
        ("<<LABEL>>", False, True),
        ("<|end|>", False, True),
        ("    ", False, False),
        ("|||PHONE|||", False, False),
        ("a[b]c", False, False),
    ],
)
def test_an_added_token_is_control_if_flagged_or_bracketed(content, special, is_control):
    names = find_control_names(spec_of("a", added=({"content": content, "special": special, "id": 1},)), {})
    assert (content in names.all) is is_control


@pytest.mark.parametrize("listed", [["<a>", {"content": "<b>"}], {"x": "<a>", "y": "<b>"}])
def test_listed_special_tokens_are_control(listed):
    assert {"<a>", "<b>"} <= set(find_control_names(BERT, {"extra_special_tokens": listed}).all)


def test_the_entry_for_unknown_text_is_the_models_own():
    unigram = {"model": {"vocab": [["?", 0.0], ["a", -1.0]], "unk_id": 0}, "added_tokens": []}
    assert find_control_names(unigram, {}).roles == {"unk": "?"}
    assert find_control_names(spec_of("?", unk_token="?"), {"unk_token": "[UNK]"}).roles == {"unk": "?"}


def test_only_names_that_the_vocabulary_has_get_ids():
    ids = {"[CLS]": 2, "[UNK]": 1}
    control = find_control_names(BERT, {}, extra=["[LAB]"]).ids(ids.get)
    assert control == ControlTokens(cls=2, sep=None, pad=None, unk=1, mask=None, ids=frozenset({1, 2}))
    assert control.forbidden_ids == {2}
