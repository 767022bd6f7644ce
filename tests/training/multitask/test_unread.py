from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelwise.errors import DataError
from labelwise.training.multitask.unread import unread_pairs, unread_questions, write_unread
from labelwise.training.qa.examples import read_qa_files
from labelwise.training.recipe import load_recipe
from labelwise.training.records import read_pairs


def few_steps(recipe, steps):
    shares, sizes = {"classify": 1.0, "answer": 1.0}, {"classify": 4, "answer": 1}
    changed = replace(
        recipe.hyperparameters, steps=steps, shares=shares, batch_sizes=sizes, negatives_share=0.0
    )
    return replace(recipe, hyperparameters=changed)


def test_a_question_is_unread_until_a_step_reads_it(recipe, data_dir):
    every = {example.question + example.context for example in read_qa_files([data_dir / "qa.json"]).examples}
    after_one = unread_questions([few_steps(recipe, 2)], data_dir)
    assert 0 < len(after_one) < len(every) + 1
    assert len(unread_questions([few_steps(recipe, 1)], data_dir)) >= len(after_one)
    with pytest.raises(DataError, match="every question was read"):
        unread_questions([few_steps(recipe, 60)], data_dir)


def test_what_an_earlier_run_read_is_not_unread(recipe, data_dir):
    late, early = few_steps(recipe, 2), replace(few_steps(recipe, 2), seed=recipe.seed + 1)
    alone = {(found.question, found.context) for found in unread_questions([late], data_dir)}
    before = {(found.question, found.context) for found in unread_questions([early], data_dir)}
    both = {(found.question, found.context) for found in unread_questions([late, early], data_dir)}
    assert both == alone & before


def test_pairs_share_no_premise_with_what_was_read(recipe, data_dir, write_rows):
    rows = [
        {"premise": f"premise {n // 2}", "hypothesis": f"hypothesis {n}", "label": "neutral"}
        for n in range(20)
    ]
    write_rows("data/many.jsonl", rows)
    path = data_dir.parent / "entail.json"
    values = json.loads(path.read_text())
    values["sources"] = [{"path": "many.jsonl", "kind": "pairs", "licence": "own", "max_rows": 6}]
    path.write_text(json.dumps(values))
    only_texts = replace(recipe, classify=tuple(s for s in recipe.classify if s.kind == "texts"))
    found = unread_pairs(load_recipe(path), [only_texts], data_dir)["many.jsonl.gz"]
    premises = {pair.premise for pair in found}
    assert 4 <= len(premises) <= 7
    assert len(found) == 2 * len(premises)


def test_the_files_are_read_back_as_what_they_are(recipe, data_dir, write_rows, tmp_path):
    rows = [{"premise": f"premise {n}", "hypothesis": "so", "label": "entailment"} for n in range(9)]
    write_rows("data/many.jsonl.gz", rows)
    path = data_dir.parent / "entail.json"
    values = json.loads(path.read_text())
    values["sources"] = [{"path": "many.jsonl.gz", "kind": "pairs", "licence": "own", "max_rows": 4}]
    path.write_text(json.dumps(values))
    (data_dir.parent / "run.json").write_text(json.dumps(few_steps(recipe, 2).to_dict()))
    write_unread(data_dir.parent / "run.json", data_dir, tmp_path / "unread")
    assert len(read_pairs(tmp_path / "unread" / "many.jsonl.gz").rows) == 5
    assert read_qa_files([tmp_path / "unread" / "questions.json"]).examples
