import logging

import pytest

from labelwise.distillation.plan import plan_student
from labelwise.errors import CheckpointError, InputError


@pytest.mark.parametrize(
    ("encoder", "decoder", "total"),
    [
        (12, 12, 407_344_131),
        (12, 9, 356_954_115),
        (12, 6, 306_564_099),
        (12, 3, 256_174_083),
        (12, 1, 222_580_739),
        (6, 6, 230_986_755),
    ],
)
def test_students_of_bart_large_have_the_published_sizes(bart_large, encoder, decoder, total):
    plan = plan_student(bart_large, encoder_layers=encoder, decoder_layers=decoder)
    assert plan.teacher.total == 407_344_131
    assert plan.student.total == total
    assert (plan.config["encoder_layers"], plan.config["decoder_layers"]) == (encoder, decoder)


def test_a_side_that_is_not_named_is_kept_whole(bart_large):
    plan = plan_student(bart_large, decoder_layers=1)
    assert plan.kept == {"encoder": tuple(range(12)), "decoder": (0,)}


def test_an_unlisted_depth_leaves_a_warning(bart_large, caplog):
    with caplog.at_level(logging.WARNING, logger="labelwise.distillation"):
        plan_student(bart_large, encoder_layers=12, decoder_layers=6)
        assert not caplog.records
        plan = plan_student(bart_large, encoder_layers=5)
    assert plan.kept["encoder"] == (0, 3, 6, 8, 11)
    assert "5 of 12 layers" in caplog.text


def test_chosen_layers_are_taken_as_they_are(bart_large):
    assert plan_student(bart_large, decoder_layers=(0, 10)).kept["decoder"] == (0, 10)


def test_an_encoder_has_no_decoder_to_shrink():
    with pytest.raises(InputError, match="no decoder"):
        plan_student({"model_type": "bert", "num_hidden_layers": 2}, decoder_layers=1)


def test_a_kept_modernbert_layer_attends_as_it_was_trained_to():
    config = {
        "model_type": "modernbert",
        "vocab_size": 50,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 7,
        "global_attn_every_n_layers": 3,
    }
    student = plan_student(config, encoder_layers=(0, 2, 3, 5)).config
    assert student["layer_types"] == [
        "full_attention",
        "sliding_attention",
        "full_attention",
        "sliding_attention",
    ]
    assert "global_attn_every_n_layers" not in student


def test_layer_types_that_do_not_fit_the_depth_are_refused():
    with pytest.raises(CheckpointError, match="2 layer_types for 3 layers"):
        plan_student({"model_type": "modernbert", "num_hidden_layers": 3, "layer_types": ["a", "b"]})
