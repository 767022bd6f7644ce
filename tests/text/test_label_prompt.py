import json

import numpy as np
import pytest
from tokenizers import Tokenizer

from labelwise.errors import TextTooLongError
from labelwise.text import TextTokenizer
from labelwise.text.label_prompt import LabelPromptLayout

MARKS = ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"]
TEXTS = ["Refund me twice!", "  naïve façades: 中文 ", "nobody answers\nmy message", "12 zebras"]
LABELS = ["quick brown fox", "Größe", "card", "lazy dog, 345"]


def ids(*values):
    return np.array(values, dtype=np.int64)


def layout(*, is_prompt_first, max_tokens=20):
    return LabelPromptLayout(
        prefix=(1,),
        suffix=(2,),
        label=7,
        text=8,
        is_prompt_first=is_prompt_first,
        max_tokens=max_tokens,
        max_labels=25,
        min_text_tokens=8,
    )


def test_labels_first():
    row = layout(is_prompt_first=True).assemble(ids(11, 12), [ids(21), ids(31, 32)])
    assert row.ids.tolist() == [1, 7, 21, 7, 31, 32, 8, 11, 12, 2]
    assert row.label_positions.tolist() == [1, 3]
    assert np.flatnonzero(row.text_mask).tolist() == [7, 8]


def test_text_first():
    row = layout(is_prompt_first=False).assemble(ids(11, 12), [ids(21), ids(31, 32)])
    assert row.ids.tolist() == [1, 11, 12, 7, 21, 7, 31, 32, 8, 2]
    assert row.label_positions.tolist() == [3, 5]
    assert np.flatnonzero(row.text_mask).tolist() == [1, 2]


def test_a_row_beyond_the_window_is_refused_and_not_cut():
    with pytest.raises(TextTooLongError, match="the model reads 20"):
        layout(is_prompt_first=True).assemble(ids(*range(100, 116)), [ids(5)])


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram", "modern"])
@pytest.mark.parametrize("is_prompt_first", [True, False])
def test_the_ids_are_those_of_the_packages_whole_string(folder_of, tmp_path, kind, is_prompt_first):
    whole = Tokenizer.from_file(str(folder_of(kind) / "tokenizer.json"))
    whole.no_truncation()
    whole.no_padding()
    whole.add_special_tokens(MARKS)
    whole.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "any"}))
    ours = TextTokenizer.from_folder(tmp_path, extra_control=MARKS)
    row_layout = LabelPromptLayout(
        prefix=(),
        suffix=(),
        label=ours.control_id("<<LABEL>>"),
        text=ours.control_id("<<SEP>>"),
        is_prompt_first=is_prompt_first,
        max_tokens=1024,
        max_labels=25,
        min_text_tokens=8,
    )
    prompt = "".join(f"<<LABEL>>{label}" for label in LABELS) + "<<SEP>>"
    for text in TEXTS:
        string = prompt + text if is_prompt_first else text + prompt
        row = row_layout.assemble(
            ours.encode(text).ids, [encoded.ids for encoded in ours.encode_many(LABELS)]
        )
        assert row.ids.tolist() == whole.encode(string, add_special_tokens=False).ids
