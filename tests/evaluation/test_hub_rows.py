"""Hub splits come out as files do: names for class numbers, plain columns for registered sets."""

import pytest

from labelwise.errors import DataError
from labelwise.evaluation.hub_rows import HubUnreachableError, hub_rows
from labelwise.evaluation.protocols import HubSplit, read_protocol

datasets = pytest.importorskip("datasets")


@pytest.fixture
def hub(monkeypatch):
    """Put a data set where the hub would be; returns what was asked of it."""
    asked = {}

    def serve(rows, **class_names):
        served = datasets.Dataset.from_dict(rows)
        for column, names in class_names.items():
            served = served.cast_column(column, datasets.ClassLabel(names=names))

        def load_dataset(path, name=None, **settings):
            asked.update(path=path, name=name, **settings)
            return served

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return asked

    return serve


def test_class_numbers_become_names(hub):
    asked = hub({"text": ["a", "b"], "label": [1, 0]}, label=["neg", "pos"])
    rows = list(hub_rows(HubSplit("owner/set", split="validation", config="small")))
    assert rows == [(1, {"text": "a", "label": "pos"}), (2, {"text": "b", "label": "neg"})]
    assert asked["path"] == "owner/set"
    assert asked["name"] == "small"
    assert asked["split"] == "validation"
    assert "trust_remote_code" not in asked


def test_names_are_found_inside_objects_and_lists(monkeypatch):
    features = datasets.Features(
        {"votes": {"label": datasets.Sequence(datasets.ClassLabel(names=["no", "yes"]))}}
    )
    served = datasets.Dataset.from_dict({"votes": [{"label": [1, 0]}]}, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda *given, **settings: served)
    assert next(iter(hub_rows(HubSplit("owner/set"))))[1] == {"votes": {"label": ["yes", "no"]}}


def test_a_registered_set_is_read_by_its_rules(hub):
    (imdb,) = [one for one in read_protocol("universal-36").sets if one.name == "imdb"]
    hub({"text": ["a film"], "label": [0]}, label=["neg", "pos"])
    assert list(hub_rows(imdb.hub)) == [(1, {"text": "a film", "label": "negative"})]


def test_ranges_are_read_from_the_numbers_of_a_class_label(hub):
    (yelp,) = [one for one in read_protocol("universal-36").sets if one.name == "yelpreviews"]
    hub(
        {"text": ["worst", "so so", "best"], "label": [0, 2, 4]},
        label=[f"{star} star" for star in range(1, 6)],
    )
    assert [row["label"] for _, row in hub_rows(yelp.hub)] == ["negative", "positive"]


def test_a_registered_nli_set_gives_premises_and_hypotheses(hub):
    fever = next(one for one in read_protocol("universal-36").sets if one.name == "fevernli")
    hub({"premise": ["claim"], "hypothesis": ["evidence"], "label": [0]}, label=["entailment", "neutral"])
    assert list(hub_rows(fever.hub)) == [
        (1, {"premise": "evidence", "hypothesis": "claim", "label": "entailment"})
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ConnectionError("no route to\nhost"), HubUnreachableError), (ValueError("unknown split"), DataError)],
)
def test_a_hub_that_does_not_give_the_set_is_a_data_error(monkeypatch, error, kind):
    def refuse(*given, **settings):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(
        DataError, match=r"owner/set \(test\) cannot be had.*(to host|unknown split)"
    ) as raised:
        hub_rows(HubSplit("owner/set"))
    assert raised.type is kind


def test_a_row_that_the_registry_cannot_read_is_told(hub):
    (imdb,) = [one for one in read_protocol("universal-36").sets if one.name == "imdb"]
    hub({"text": ["a film", " "], "label": [0, 1]}, label=["neg", "pos"])
    told = []
    assert len(list(hub_rows(imdb.hub, on_bad=told.append))) == 1
    assert [str(row) for row in told] == ["row 2: the text is empty"]
    with pytest.raises(DataError, match="row 2 of imdb: the text is empty"):
        list(hub_rows(imdb.hub))


def test_a_class_number_without_a_name_stays_a_number(monkeypatch):
    class Served(list):
        features = datasets.Features({"label": datasets.ClassLabel(names=["no"])})

    monkeypatch.setattr(datasets, "load_dataset", lambda *given, **settings: Served([{"label": 7}]))
    assert list(hub_rows(HubSplit("owner/set"))) == [(1, {"label": 7})]
