import os

import pytest

from labelwise.backends.cores import available_cores


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("nonsense", None), ("1 0", None)],
)
def test_a_containers_limit_counts(tmp_path, limit, expected):
    file = tmp_path / "cpu.max"
    file.write_text(limit, encoding="ascii")
    assert available_cores(file) == (expected or available_cores(tmp_path / "none"))


def test_there_is_at_least_one_core_and_no_more_than_the_machine_has(tmp_path):
    assert 1 <= available_cores(tmp_path / "none") <= (os.cpu_count() or 1)
