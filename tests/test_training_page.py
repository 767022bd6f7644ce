"""The page on training cannot rot: its recipes load, its data is read, its tables are the dataclasses."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("transformers")
pytest.importorskip("yaml")

from labelwise.training.labels.recipe import (
    ExampleSettings,
    LabelHyperparameters,
    LabelRecipe,
    ModelSettings,
    TextSource,
    load_label_recipe,
)
from labelwise.training.labels.rows import read_label_rows
from labelwise.training.mix import training_pairs, validation_pairs
from labelwise.training.multitask.label_rows import read_source
from labelwise.training.multitask.recipe import (
    AnswerSource,
    LabelSource,
    MultitaskHyperparameters,
    MultitaskRecipe,
    load_multitask_recipe,
)
from labelwise.training.qa.examples import read_qa_files
from labelwise.training.qa.mix import read_mix
from labelwise.training.qa.recipe import QaHyperparameters, QaRecipe, QaSource, load_qa_recipe
from labelwise.training.recipe import Hyperparameters, NliRecipe, Source, load_recipe

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")
LOADERS = {
    "nli.yaml": load_recipe,
    "qa.yaml": load_qa_recipe,
    "labels.yaml": load_label_recipe,
    "multitask.yaml": load_multitask_recipe,
}
TABLES = {
    "nli recipe": NliRecipe,
    "nli source": Source,
    "qa recipe": QaRecipe,
    "qa source": QaSource,
    "labels recipe": LabelRecipe,
    "labels source": TextSource,
    "labels `examples`": ExampleSettings,
    "labels `model`": ModelSettings,
    "multitask recipe": MultitaskRecipe,
    "multitask `classify` source": LabelSource,
    "multitask `answer` source": AnswerSource,
    "multitask `hyperparameters`": MultitaskHyperparameters,
}
SHARED_TABLE = (Hyperparameters, QaHyperparameters, LabelHyperparameters)


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first head cell is that."""
    (table,) = re.findall(
        rf"^\| {re.escape(heading)} \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)", PAGE, flags=re.MULTILINE
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def shown_default(cell: str) -> object:
    words = {"required": dataclasses.MISSING, "none": None, "see below": dataclasses.MISSING}
    return words[cell] if cell in words else json.loads(cell.strip("`"))


def real_default(field: dataclasses.Field) -> object:
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
        return dataclasses.MISSING if dataclasses.is_dataclass(value) else value
    return list(field.default) if isinstance(field.default, tuple) else field.default


def assert_same_fields(kind: type, shown: dict[str, str]) -> None:
    real = {field.name: real_default(field) for field in dataclasses.fields(kind)}
    assert shown.keys() == real.keys()
    for name, cell in shown.items():
        value = real[name]
        expected = pytest.approx(value, rel=1e-2) if isinstance(value, float) else value
        assert shown_default(cell) == expected, name


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write every named block of the page to its file."""
    blocks = re.findall(r"`([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL)
    for name, text in blocks:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_yaml_block_is_a_recipe_with_a_loader(files):
    assert {path.name for path in files.glob("*.yaml")} == LOADERS.keys()
    assert PAGE.count("```yaml") == len(LOADERS)


@pytest.mark.parametrize("name", LOADERS)
def test_each_recipe_is_read_by_its_loader_and_states_every_licence(files, name):
    recipe = LOADERS[name](files / name)
    sources = (*recipe.classify, *recipe.answer) if name == "multitask.yaml" else recipe.sources
    assert all(source.licence == "own" for source in sources)


def test_the_data_of_the_page_is_read_without_a_bad_row(files, caplog):
    data = files / "data"
    nli = load_recipe(files / "nli.yaml")
    counts = training_pairs(nli, data)[1]
    assert counts == {"pairs.jsonl": 4, "topics.csv": 8}
    assert len(validation_pairs(nli, data)) == 2
    mix = read_mix(load_qa_recipe(files / "qa.yaml"), data)
    assert (len(mix.train), len(mix.validation)) == (4, 2)
    labels = load_label_recipe(files / "labels.yaml")
    read = [
        read_label_rows(sources, data, min_label_characters=labels.examples.min_label_characters, seed=1)
        for sources in (labels.sources, labels.validation)
    ]
    assert [(len(found.rows), found.left_out) for found in read] == [(4, ()), (2, ())]
    multitask = load_multitask_recipe(files / "multitask.yaml")
    assert [len(read_source(source, data, seed=1).rows) for source in multitask.classify] == [4, 4]
    assert len(read_qa_files([data / source.path for source in multitask.answer]).examples) == 3
    assert load_recipe(files / multitask.entail_recipe) == nli
    assert "left out" not in caplog.text


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_lists_every_field_with_its_default(heading):
    assert_same_fields(TABLES[heading], {row[0].strip("`"): row[1] for row in rows_of(heading)})


@pytest.mark.parametrize(("column", "kind"), list(enumerate(SHARED_TABLE, start=1)))
def test_the_shared_table_has_the_hyperparameters_of_each_verb(column, kind):
    rows = rows_of("hyper-parameter")
    assert_same_fields(kind, {row[0].strip("`"): row[column] for row in rows if row[column]})
