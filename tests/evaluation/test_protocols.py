"""Protocols are data: the built-in ones are complete, and a broken file is explained."""

import json

import pytest

from labelwise.errors import DataError, InputError
from labelwise.evaluation.protocols import EvaluationSet, built_in_protocols, parse_protocol, read_protocol


def test_the_built_in_protocols_have_their_published_sizes():
    assert {name: len(read_protocol(name).sets) for name in built_in_protocols()} == {
        "gliclass-10": 10,
        "gliclass-14": 14,
        "universal-36": 36,
    }
    assert read_protocol("gliclass-10").measure == "macro_f1"
    assert read_protocol("universal-36").measure == "accuracy"


def test_class_names_are_read_bare_in_the_gliclass_protocols():
    for name in ("gliclass-10", "gliclass-14"):
        sets = read_protocol(name).sets
        assert {one.template for one in sets} == {"{}"}
        assert all(label == text for one in sets for label, text in one.labels.items())


def test_banking77_scores_72_hypotheses_and_leaves_five_classes_out():
    (banking,) = [one for one in read_protocol("universal-36").sets if one.name == "banking77"]
    assert len(banking.labels) == 72
    assert len(banking.excluded) == 5
    assert banking.max_texts_per_class == 5000


def test_nli_columns_put_neutral_and_contradiction_together():
    entail = [one for one in read_protocol("universal-36").sets if one.task == "entail"]
    assert len(entail) == 8
    assert all(one.is_binary for one in entail)


def test_a_file_of_ones_own_is_read(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "name": "mine",
                "measure": "accuracy",
                "sets": [{"name": "a", "labels": ["x", "y"]}],
            }
        )
    )
    (one,) = read_protocol(path).sets
    assert one == EvaluationSet(name="a", labels={"x": "x", "y": "y"})


def test_files_take_the_place_of_what_a_protocol_names(tmp_path):
    changed = read_protocol("gliclass-10").with_files({"imdb": tmp_path / "reviews.csv"})
    by_name = {one.name: one for one in changed.sets}
    assert by_name["imdb"].path == str(tmp_path / "reviews.csv")
    assert by_name["CR"].path is None
    with pytest.raises(InputError, match="has no set 'imbd'"):
        changed.with_files({"imbd": tmp_path})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2 is not 1"),
        ({"sets": []}, "must name at least one set"),
        ({"sets": [{"name": "a"}, {"name": "a"}]}, "doubled: a"),
        ({"sets": [{"name": "a", "tsak": "classify"}]}, "unknown field 'tsak'"),
        ({"sets": [{"name": "a", "task": "sing"}]}, "task 'sing' is not one of"),
        ({"sets": [{"name": "a", "labels": ["x"], "excluded": ["x"]}]}, "excluded and scored at once"),
        ({"sets": [{"name": "a", "max_texts_per_class": 0}]}, "use 1 or more"),
        ({"sets": [{"name": "a", "hub": {"name": "x"}}]}, "cannot be read"),
        ({"sets": 3}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(change, message):
    document = {"version": 1, "name": "p", "measure": "accuracy", "sets": [{"name": "a"}]}
    with pytest.raises(DataError, match=message):
        parse_protocol(json.dumps(document | change), source="p.json")


def test_missing_fields_and_missing_files_are_named():
    with pytest.raises(DataError, match="lacks the field 'version'"):
        parse_protocol("{}", source="p.json")
    with pytest.raises(DataError, match="cannot be read"):
        parse_protocol("not json", source="p.json")
    with pytest.raises(InputError, match=r"there is no protocol 'gliclass-12'.*gliclass-10"):
        read_protocol("gliclass-12")
