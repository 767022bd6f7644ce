"""Useful operations, counted by hand for small sizes."""

from labelwise.benchmarking.operations import layer_shapes, useful_operations
from labelwise.benchmarking.row_demand import RowDemand

BERT = {
    "model_type": "bert",
    "vocab_size": 10,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
DEBERTA = BERT | {"model_type": "deberta-v2", "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
# Of one token: keys and values are two maps of 4 to 4; query and output two more, feed-forward 4 to 8 to 4.
KEY, QUERY = 2 * 2 * 16, 2 * (2 * 16 + 2 * 32)
# Of two tokens: a query by a key and a weight by a value, each of width 4.
PAIR = 2 * 2 * 4


def first_only(length):
    return RowDemand(length, length**2, 1, length)


def whole(length):
    return RowDemand(length, length**2, length, length**2)


def test_where_every_state_is_read_each_layer_counts_whole():
    assert (KEY, QUERY, PAIR) == (64, 192, 16)
    assert useful_operations(BERT, [whole(3)]) == 2 * (3 * (64 + 192) + 9 * 16) == 1824


def test_where_the_first_state_alone_is_read_the_last_layer_counts_keys_and_values_and_one_row():
    three = (3 * (64 + 192) + 9 * 16) + (3 * 64 + 192 + 3 * 16)
    five = (5 * (64 + 192) + 25 * 16) + (5 * 64 + 192 + 5 * 16)
    assert useful_operations(BERT, [first_only(3), first_only(5)]) == three + five == 1344 + 2272


def test_labels_that_do_not_see_each_other_and_tokens_that_nobody_reads_do_not_count():
    row = RowDemand(num_tokens=6, num_pairs=23, num_read=5, num_pairs_read=18)
    first_layer, last_layer = 6 * (64 + 192) + 23 * 16, 6 * 64 + 5 * 192 + 18 * 16
    assert useful_operations(BERT, [row]) == first_layer + last_layer == 3536


def test_each_position_term_of_deberta_is_one_more_product():
    extra = useful_operations(DEBERTA, [first_only(7)]) - useful_operations(BERT, [first_only(7)])
    assert extra == (7**2 + 7) * 2 * (2 * 4)
    published = DEBERTA | {"pos_att_type": "p2c|c2p"}
    assert useful_operations(published, [whole(7)]) == useful_operations(DEBERTA, [whole(7)])


def test_the_encoder_inside_a_joint_model_counts():
    joint = {"model_type": "gliznet", "backbone_config": DEBERTA}
    assert useful_operations(joint, [whole(7)]) == useful_operations(DEBERTA, [whole(7)])


def test_an_unknown_family_has_no_count():
    assert useful_operations({"model_type": "bart", "d_model": 16}, [whole(7)]) is None
    assert layer_shapes({"model_type": "bart", "d_model": 16}) == []
