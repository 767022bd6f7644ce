"""``labelwise entail`` and ``rank``; ``answer`` is tested with a reader of its own."""

import json


def test_entail_shows_three_probabilities(labelwise):
    found = labelwise("entail", "A man plays the guitar on stage.", "Somebody makes music.", "--json")
    result = json.loads(found.out)
    assert result["label"] == "entailment"
    assert abs(result["entailment"] + result["neutral"] + result["contradiction"] - 1.0) < 1e-6


def test_entail_for_people_marks_the_winner(labelwise):
    found = labelwise("entail", "A man plays the guitar on stage.", "Nobody is on stage.")
    assert found.out.splitlines()[0].split()[0] == "contradiction"
    assert found.out.splitlines()[0].endswith("*")


def test_entail_reads_pairs_from_a_file(labelwise, tmp_path):
    source = tmp_path / "pairs.csv"
    source.write_text(
        "premise,hypothesis\n"
        "A dog runs in the park.,An animal is outside.\n"
        "A dog sleeps.,The dog is running.\n"
    )
    found = labelwise("entail", "--input", source)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["label"] for row in rows] == ["entailment", "contradiction"]


def test_rank_orders_candidates(labelwise):
    found = labelwise(
        "rank", "The match was cancelled because of heavy rain.", "A victory", "Bad weather", "--json"
    )
    assert [json.loads(line)["text"] for line in found.out.splitlines()] == ["Bad weather", "A victory"]


def test_rank_reads_candidates_from_stdin(labelwise):
    piped = labelwise(
        "rank", "It rained heavily.", "--json", "--top-k", "1", stdin="Dry weather\nWet weather\n"
    )
    (best,) = [json.loads(line) for line in piped.out.splitlines()]
    assert (best["index"], best["text"]) == (1, "Wet weather")


def test_rank_reads_lists_from_a_file(labelwise, tmp_path):
    source = tmp_path / "queries.jsonl"
    source.write_text(
        json.dumps({"query": "It rained heavily.", "candidates": ["Dry weather", "Wet weather"]}) + "\n"
    )
    (row,) = [json.loads(line) for line in labelwise("rank", "--input", source).out.splitlines()]
    assert [found["text"] for found in row["ranked"]] == ["Wet weather", "Dry weather"]
