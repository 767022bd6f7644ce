"""The command as a whole: help, version, and errors of one line."""

import pytest

import labelwise as package

VERBS = ["classify", "entail", "rank", "answer", "evaluate", "distill", "synthesize", "train"]


def test_the_version_is_shown(labelwise):
    assert labelwise("--version").out.strip() == f"labelwise {package.__version__}"


def test_help_lists_every_verb(labelwise):
    shown = labelwise("--help").out
    assert all(verb in shown for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(labelwise, verb):
    found = labelwise(verb, "--help")
    assert found.status == 0
    assert f"labelwise {verb}" in found.out


BAD_USAGE = [
    (["classify", "text"], "give the labels"),
    (["classify", "text", "--labels", ""], "labels is empty"),
    (["classify", "text", "--labels", "a,b,a"], "label 'a' is given twice"),
    (["classify", "text", "--labels", "a, ,b"], "a label is blank"),
    (["classify", "", "--labels", "a,b"], "text 1 is blank"),
    (["classify", "text", "--labels", "a", "--labels-file", "x.txt"], "one of them"),
    (["classify", "text", "--labels-file", "nowhere.txt"], "cannot read 'nowhere.txt'"),
    (["classify", "text", "--labels", "a,b", "--hypothesis-template", "no place"], "exactly one {}"),
    (["classify", "text", "--labels", "a,b", "--hypothesis-template", "{:>9999999}"], "exactly one {}"),
    (["classify", "text", "--labels", "a,b", "--threshold", "high"], "--threshold 'high'"),
    (["classify", "text", "--labels", "a,b", "--threshold", "c=0.5"], "threshold names 'c'"),
    (["classify", "text", "--labels", "a,b", "--threshold", "1.5"], "between 0 and 1"),
    (["classify", "text", "--labels", "a,b", "--top-k", "0"], "top_k must be at least 1"),
    (["classify", "text", "--labels", "word " * 600], "leaves no room for the text"),
    (["classify", "text", "--labels", "a,b", "--truncation", "cut"], "--truncation"),
    (["classify", "text", "--labels", "a,b", "--backend", "fast"], "fast"),
    (["classify", "text", "--labels", "a,b", "--input", "x.csv"], "not both"),
    (["classify", "--input", "nowhere.csv", "--labels", "a,b"], "nowhere.csv"),
    (["entail", "only a premise"], "PREMISE and a HYPOTHESIS"),
    (["rank"], "give a QUERY"),
    (["answer", "a question"], "give a QUESTION"),
    (["classify", "text", "--labels", "a,b", "--no-such-flag"], "No such option"),
    (["no-such-verb"], "No such command"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE)
def test_bad_usage_is_one_line_and_status_two(labelwise, arguments, message):
    found = labelwise(*arguments)
    assert found.status == 2
    assert message in found.err
    assert found.err.count("\n") == 1
    assert found.out == ""


def test_failed_work_is_one_line_and_status_one(labelwise):
    found = labelwise("classify", "text", "--labels", "a,b", "--model", "/nowhere/at/all")
    assert found.status == 1
    assert "nowhere" in found.err
    assert found.err.count("\n") == 1


def test_a_folder_that_is_no_model_is_refused(labelwise, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    found = labelwise("classify", "text", "--labels", "a,b", "--model", tmp_path)
    assert found.status == 1
    assert "it has no config.json" in found.err
