"""The structure of the package: imports point down, files stay small, heavy libraries stay at the edges."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "labelwise"

# Each floor may import the floors before it; what stands together on a floor knows nothing of its neighbours
# but for the edges below.
FLOORS = [
    {"errors", "results", "labels", "template", "windows", "batching", "scores", "decision", "spans"},
    {"text"},
    {"checkpoints", "graphs", "backends", "models", "engine"},
    {"tasks"},
    {"inputs", "model", "loading"},
    {"files", "calibration", "evaluation", "synthesis", "distillation"},
    {"training", "export", "benchmarking", "integrations"},
    {"cli", "__main__", "__init__"},
]
GROUND = FLOORS[0]
ALLOWED_NEIGHBOURS = {
    ("checkpoints", "graphs"),  # which families have a builder decides what is fetched
    ("backends", "checkpoints"),
    ("backends", "engine"),
    ("backends", "graphs"),
    ("backends", "models"),
    ("engine", "checkpoints"),
    ("engine", "graphs"),
    ("models", "graphs"),
    ("model", "inputs"),
    ("loading", "model"),
    ("__main__", "cli"),
}
HEAVY = {"torch", "transformers", "datasets", "accelerate", "sklearn", "openvino", "pyarrow", "matplotlib"}
# What is itself only imported when torch is asked for.
TORCH_PACKAGES = {"models", "training", "distillation"}
TORCH_FILES = {"joint_torch.py", "joint_positions.py"}

FILES = sorted(path for path in SOURCE.rglob("*.py"))


def name_of(path):
    return str(path.relative_to(SOURCE))


def part_of(path):
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def floor_of(part):
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


def own_imports(path):
    """Yield the parts of labelwise that a file imports, inside functions too, but not for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    type_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in type_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("labelwise."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("labelwise.")
            )


def top_level_imports(path):
    """Yield what a file imports when it is itself imported, inside ``try`` and ``if`` too."""
    waiting = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        is_type_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
        elif not is_type_only and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting.extend(ast.iter_child_nodes(node))


def test_every_part_has_a_floor():
    assert {part_of(path) for path in FILES} <= set().union(*FLOORS)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path):
    here = part_of(path)
    for there in set(own_imports(path)) - {here}:
        if here in GROUND and there in GROUND:
            continue
        is_below = floor_of(there) < floor_of(here)
        assert is_below or (here, there) in ALLOWED_NEIGHBOURS, f"{name_of(path)} imports labelwise.{there}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_small(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (60 if path.name == "__init__.py" else 400)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    if part_of(path) not in TORCH_PACKAGES and path.name not in TORCH_FILES:
        assert not HEAVY & set(top_level_imports(path))


def test_the_ground_floor_needs_numpy_alone():
    for part in GROUND:
        third_party = set(top_level_imports(SOURCE / f"{part}.py")) - {"labelwise", "numpy", "__future__"}
        assert not third_party & {
            "tokenizers",
            "onnx",
            "onnxruntime",
            "safetensors",
            "typer",
            "huggingface_hub",
        }
