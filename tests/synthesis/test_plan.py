from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from labelwise.errors import InputError
from labelwise.synthesis.catalogue import GENRES, LENGTH_BANDS, READING_LEVELS, TOPICS
from labelwise.synthesis.plan import SynthesisPlan
from labelwise.synthesis.prompts import bundle_messages

SMALL = SynthesisPlan(genres=("memo", "poem"), lengths=("line", "page"), reading_levels=("A1", "C2"))


def test_every_combination_comes_once_before_one_is_repeated():
    bundles = [SMALL.bundle(number) for number in range(16)]
    for start in (0, 8):
        combinations = Counter((b.genre, b.length.name, b.reading_level) for b in bundles[start : start + 8])
        assert len(combinations) == 8


def test_topics_and_passages_are_taken_in_turn():
    plan = SynthesisPlan(topics=("rain", "trains", "tea"), passages=("one", "two"))
    bundles = [plan.bundle(number) for number in range(6)]
    assert Counter(bundle.topic for bundle in bundles) == {"rain": 2, "trains": 2, "tea": 2}
    assert Counter(bundle.passage for bundle in bundles) == {"one": 3, "two": 3}


def test_without_passages_no_bundle_has_one():
    assert SMALL.bundle(3).passage is None


def test_a_bundle_follows_from_seed_and_number_alone_in_any_process():
    code = (
        "from labelwise.synthesis import SynthesisPlan; b = SynthesisPlan(seed=3).bundle(1234); "
        "print((b.genre, b.length.name, b.reading_level, b.topic))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    bundle = SynthesisPlan(seed=3).bundle(1234)
    assert shown.strip() == str((bundle.genre, bundle.length.name, bundle.reading_level, bundle.topic))


def test_another_seed_gives_another_order():
    first, second = SynthesisPlan(seed=0), SynthesisPlan(seed=1)
    assert [first.bundle(n).genre for n in range(20)] != [second.bundle(n).genre for n in range(20)]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"texts_per_bundle": 1}, "1"),
        ({"labels_per_bundle": 400}, "400"),
        ({"lengths": ("epic",)}, "epic"),
        ({"reading_levels": ("D1",)}, "D1"),
        ({"genres": ()}, "genre"),
        ({"topics": (" ",)}, "topic"),
        ({"genres": ("memo", "memo")}, "twice"),
        ({"passages": ("x" * 9000,)}, "9000"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings, named):
    with pytest.raises(InputError, match=named):
        SynthesisPlan(**settings)


def test_plans_that_differ_have_fingerprints_that_differ():
    plans = [
        SMALL,
        SynthesisPlan(),
        SynthesisPlan(seed=1),
        SynthesisPlan(passages=("one",)),
        SynthesisPlan(topics=("tea",)),
        SynthesisPlan(texts_per_bundle=4),
    ]
    assert len({tuple(plan.fingerprint().items()) for plan in plans}) == len(plans)


def test_the_catalogue_repeats_nothing_and_its_length_bands_do_not_overlap():
    assert len(set(GENRES)) == len(GENRES) == 70
    assert len(set(TOPICS)) == len(TOPICS)
    assert list(READING_LEVELS) == ["A1", "A2", "B1", "B2", "C1", "C2"]
    bands = list(LENGTH_BANDS.values())
    assert all(shorter.max_words < longer.min_words for shorter, longer in pairwise(bands))


def test_the_prompt_holds_all_that_the_bundle_shall_be():
    plan = SynthesisPlan(topics=("tea",), passages=("Steep {for} 3 minutes.",), labels_per_bundle=12)
    request = plan.bundle(0)
    prompt = bundle_messages(request, complaint="a text has 3 words")[-1]["content"]
    length = f"{request.length.min_words} to {request.length.max_words} words"
    for part in ("5 texts", request.genre, "tea", length, request.reading_level, "pool of 12"):
        assert part in prompt
    assert "Steep {for} 3 minutes." in prompt
    assert "a text has 3 words" in prompt
    assert '{"labels": [' in prompt
