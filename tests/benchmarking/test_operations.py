"""Useful operations, counted by hand for small sizes."""

from labelwise.benchmarking.operations import layer_shapes, useful_operations

BERT = {
    "model_type": "bert",
    "vocab_size": 10,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
DEBERTA = BERT | {"model_type": "deberta-v2", "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}


def test_a_layer_is_four_linear_maps_and_two_products_of_attention():
    linear = 2 * (4 * 12 + 4 * 4 + 4 * 8 + 8 * 4)
    rows = [3, 5]
    by_hand = sum(2 * (linear * length + 2 * 2 * 4 * length**2) for length in rows)
    assert useful_operations(BERT, rows) == by_hand


def test_each_position_term_of_deberta_is_one_more_product():
    extra = useful_operations(DEBERTA, [7]) - useful_operations(BERT, [7])
    assert extra == 2 * (2 * 2 * 4 * 7**2)
    published = DEBERTA | {"pos_att_type": "p2c|c2p"}
    assert useful_operations(published, [7]) == useful_operations(DEBERTA, [7])


def test_the_encoder_inside_a_joint_model_counts():
    joint = {"model_type": "gliznet", "backbone_config": DEBERTA}
    assert useful_operations(joint, [7]) == useful_operations(DEBERTA, [7])


def test_an_unknown_family_has_no_count():
    assert useful_operations({"model_type": "bart", "d_model": 16}, [7]) is None
    assert layer_shapes({"model_type": "bart", "d_model": 16}) == []
