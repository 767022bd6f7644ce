"""Prepare a multi-task model for the browser: the same weights in a graph that WebAssembly runs fast.

    python scripts/prepare_model.py [--from MODEL_DIR] [--to web/public/model]

MODEL_DIR (also an environment variable) is a folder with a labelwise-multitask model; without it the bundled
model is taken. Each MatMulNBits becomes an 8-bit weight that is widened by standard operators and a float32
MatMul: onnxruntime-web widens the weights when it starts, and then runs about twice as fast as MatMulNBits
does there. The file stays as small.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

WEB = Path(__file__).resolve().parents[1]
BUNDLED = WEB.parent / "src" / "labelwise" / "checkpoints" / "bundled"
FAMILY = "labelwise-multitask"
SMALL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "labelwise.json")
ZERO_POINT = 128
# "[CLS] the cat sat . [SEP] animal [SEP] car [SEP]" of a BERT vocabulary; any ids would do.
CHECK_ROW = {
    "input_ids": [101, 1996, 4937, 2938, 1012, 102, 4111, 102, 2482, 102],
    "segment_ids": [0, 0, 0, 0, 0, 0, 1, 1, 2, 2],
    "token_type_ids": [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
    "position_ids": [0, 1, 2, 3, 4, 5, 6, 7, 6, 7],
    "label_positions": [7, 9],
}


def main() -> int:
    """Write the folder; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--from", dest="source", type=Path, default=Path(os.environ.get("MODEL_DIR", BUNDLED))
    )
    parser.add_argument("--to", dest="target", type=Path, default=WEB / "public" / "model")
    options = parser.parse_args()
    family = json.loads((options.source / "config.json").read_text("utf-8")).get("model_type")
    if family != FAMILY:
        sys.stderr.write(
            f"{options.source} holds a model of type {family!r}, the page runs {FAMILY!r}: set MODEL_DIR\n"
        )
        return 1
    prepare(options.source, options.target)
    return 0


def prepare(source: Path, target: Path) -> None:
    """Copy the model's small files and write its graph, with numbers to check a runtime by."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in SMALL_FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    if not (target / "labelwise.json").exists():
        (target / "labelwise.json").write_text("{}\n", "utf-8")
    (target / "characters.json").write_text(json.dumps(character_classes()) + "\n", "utf-8")
    model = widen(onnx.load(source / "model.onnx"))
    onnx.checker.check_model(model)
    onnx.save(model, target / "model.onnx")
    check = {"row": CHECK_ROW, "logits": check_logits(target / "model.onnx")}
    (target / "check.json").write_text(json.dumps(check) + "\n", "utf-8")


def character_classes() -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of characters that the tokenizers library treats alike.

    It knows an old Unicode and browsers know newer ones, each its own: a table makes them agree.
    """
    cleaned = BertNormalizer(
        clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False
    )
    bared = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    split = BertPreTokenizer()
    # Letters and digits are none of these; surrogates and what does not exist are no characters.
    categories = ((code, unicodedata.category(chr(code))) for code in range(sys.maxunicode + 1))
    special = [
        code for code, category in categories if category[0] in "CMPSZ" and category not in ("Cn", "Cs")
    ]
    return {
        "dropped": _ranges(code for code in special if cleaned.normalize_str(f"a{chr(code)}b") == "ab"),
        "marks": _ranges(code for code in special if bared.normalize_str(f"a{chr(code)}b") == "ab"),
        "punctuation": _ranges(
            code for code in special if len(split.pre_tokenize_str(f"a{chr(code)}b")) == 3
        ),
        "combining": _ranges(code for code in special if unicodedata.combining(chr(code)) > 0),
    }


def _ranges(codes: Iterable[int]) -> list[tuple[int, int]]:
    """Join ascending codes into runs, first and last inclusive."""
    found: list[tuple[int, int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def widen(model: ModelProto) -> ModelProto:
    """Replace every MatMulNBits of a graph by standard operators on the same 8-bit weights."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    replaced: dict[str, TensorProto] = {}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        nodes += _widened(node, weights, replaced) if node.op_type == "MatMulNBits" else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for name, tensor in weights.items() if name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *replaced.values()])
    return model


def _widened(
    node: NodeProto, weights: Mapping[str, TensorProto], replaced: dict[str, TensorProto]
) -> Iterator[NodeProto]:
    attributes: dict[str, Any] = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    inputs = [*node.input, *[""] * (6 - len(node.input))]
    value, integers_name, scales_name, zero_points, _, bias = inputs
    if attributes["bits"] != 8 or zero_points or attributes["K"] % attributes["block_size"]:
        raise ValueError(
            f"{node.name}: only symmetric 8-bit weights in whole blocks are known, got {attributes}"
        )
    name = node.output[0]
    integers = numpy_helper.to_array(weights[integers_name]).astype(np.int16) - ZERO_POINT
    scales = numpy_helper.to_array(weights[scales_name])
    shape = np.array([attributes["N"], attributes["K"]], dtype=np.int64)
    added = {
        f"{name}_int8": integers.astype(np.int8),
        f"{name}_scales": scales.reshape(attributes["N"], -1, 1),
        f"{name}_shape": shape,
    }
    replaced.update({key: numpy_helper.from_array(array, key) for key, array in added.items()})
    product = f"{name}_product" if bias else name
    yield helper.make_node("Cast", [f"{name}_int8"], [f"{name}_wide"], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [f"{name}_wide", f"{name}_scales"], [f"{name}_scaled"])
    yield helper.make_node("Reshape", [f"{name}_scaled", f"{name}_shape"], [f"{name}_rows"])
    yield helper.make_node("Transpose", [f"{name}_rows"], [f"{name}_columns"], perm=[1, 0])
    yield helper.make_node("MatMul", [value, f"{name}_columns"], [product])
    if bias:
        yield helper.make_node("Add", [product, bias], [name])


def check_logits(file: Path) -> dict[str, list[float]]:
    """Run the check row here: a browser's runtime that gives other numbers is not to be used."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    row = {name: np.array([values], dtype=np.int64) for name, values in CHECK_ROW.items()}
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, row)
    return {name: np.ravel(logits).astype(float).tolist() for name, logits in zip(names, found, strict=True)}


if __name__ == "__main__":
    sys.exit(main())
