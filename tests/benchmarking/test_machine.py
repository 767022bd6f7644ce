"""Facts of the machine, read from what Linux tells and without it."""

from labelwise.benchmarking.machine import machine_facts


def test_the_processor_and_its_instructions_are_read(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nmodel name\t: Fake 9000\nflags\t\t: fpu avx2 avx512f\n\nprocessor\t: 1\n"
    )
    facts = machine_facts(cpuinfo)
    assert facts["cpu"] == "Fake 9000"
    assert facts["instructions"] == ["avx2", "avx512f"]


def test_without_such_a_file_nothing_is_made_up(tmp_path):
    facts = machine_facts(tmp_path / "missing")
    assert facts["instructions"] == []
    assert facts["cores"] >= 1
