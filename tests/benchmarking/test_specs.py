"""Systems are named KIND[:VARIANT...][=MODEL]."""

import pytest

from labelwise.benchmarking.specs import KINDS, AskSettings, SystemSpec, parse_specs
from labelwise.errors import InputError


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_system_by_itself(kind):
    assert SystemSpec.parse(kind).kind == kind


def test_variants_are_told_by_what_they_are():
    spec = SystemSpec.parse("cross-encoder:onnx:64")
    assert (spec.backend, spec.batch_size, spec.dtype) == ("onnx", 64, "auto")
    spec = SystemSpec.parse("labelwise:torch:bfloat16")
    assert (spec.backend, spec.batch_size, spec.dtype) == ("torch", None, "bfloat16")


def test_the_pipeline_runs_one_pair_at_a_time_unless_told():
    assert SystemSpec.parse("pipeline").batch_size == 1
    assert SystemSpec.parse("pipeline:32").batch_size == 32


def test_a_system_may_have_a_checkpoint_of_its_own():
    assert SystemSpec.parse("gliclass=owner/name").model == "owner/name"
    assert SystemSpec.parse("labelwise:onnx=C:\\models\\nli").model == "C:\\models\\nli"


def test_the_name_of_a_system_tells_no_folders():
    assert SystemSpec.parse("labelwise:onnx=/home/ada/models/nli").name == "labelwise:onnx=nli"
    assert SystemSpec.parse("gliclass=owner/name").name == "gliclass=owner/name"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "use one of labelwise, pipeline"),
        ("labelwise:quick", "'quick' is not one of auto, onnx"),
        ("labelwise:32", "'32' is not one of"),
        ("pipeline:0", "at least 1 row"),
        ("pipeline=", "names no model"),
        ("onnxruntime:int8", "'int8' is not one of onnx, a batch size"),
        ("", "is not known"),
    ],
)
def test_a_wrong_name_is_refused_with_what_to_use(text, says):
    with pytest.raises(InputError, match=says):
        SystemSpec.parse(text)


def test_a_system_is_named_once():
    with pytest.raises(InputError, match="there twice"):
        parse_specs(["pipeline", "labelwise", "pipeline"])


def test_threads_are_at_least_one():
    with pytest.raises(InputError, match="threads"):
        AskSettings(model="bundled", threads=0)


def test_a_template_without_a_place_for_the_label_is_refused():
    with pytest.raises(InputError, match="exactly one"):
        AskSettings(model="bundled", hypothesis_template="no place")
