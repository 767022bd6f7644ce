"""What a student will be: the layers it keeps, its configuration, its size beside the teacher's."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelwise.distillation.families import LayerStack, Side, config_int, family_of, stacks_of
from labelwise.distillation.layer_maps import check_kept_layers, is_listed, kept_layers
from labelwise.distillation.parameter_counts import ParameterCounts, count_parameters
from labelwise.errors import CheckpointError, InputError

__all__ = ["StudentPlan", "plan_student"]

log = logging.getLogger("labelwise.distillation")


@dataclass(frozen=True, slots=True)
class StudentPlan:
    """A student that is not built yet; ``kept`` holds teacher layers by side (encoder, decoder)."""

    family: str
    kept: Mapping[Side, tuple[int, ...]]
    config: Mapping[str, Any]
    teacher: ParameterCounts
    student: ParameterCounts

    @property
    def ratio(self) -> float:
        """The student's parameters over the teacher's."""
        return self.student.total / self.teacher.total

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for JSON, without the configuration."""
        return {
            "family": self.family,
            "kept_layers": {side: list(layers) for side, layers in self.kept.items()},
            "teacher": self.teacher.to_dict(),
            "student": self.student.to_dict(),
            "ratio": round(self.ratio, 4),
        }


def plan_student(
    config: Mapping[str, Any],
    *,
    encoder_layers: int | Sequence[int] | None = None,
    decoder_layers: int | Sequence[int] | None = None,
) -> StudentPlan:
    """Choose the layers of a student and size it up.

    A number is a depth, whose layers the published tables name; a sequence names the layers themselves.
    None keeps a whole side. A depth that no table lists is spread evenly, with a warning in the log.

    Raises:
        CheckpointError: the family cannot be shrunk or its configuration lacks a number.
        InputError: the layers do not exist in the teacher.
    """
    asked: dict[Side, int | Sequence[int] | None] = {"encoder": encoder_layers, "decoder": decoder_layers}
    family = family_of(config)
    stacks = stacks_of(config)
    if decoder_layers is not None and len(stacks) == 1:
        raise InputError(f"the family {family!r} has no decoder: leave the decoder's layers out")
    kept = {stack.side: _kept(stack, config, asked[stack.side]) for stack in stacks}
    student = _student_config(config, stacks, kept)
    return StudentPlan(family, kept, student, count_parameters(config), count_parameters(student))


def _kept(stack: LayerStack, config: Mapping[str, Any], asked: int | Sequence[int] | None) -> tuple[int, ...]:
    depth = stack.depth(config)
    if asked is None:
        return tuple(range(depth))
    if not isinstance(asked, int):
        return check_kept_layers(asked, teacher_depth=depth)
    layers = kept_layers(depth, asked)
    if not is_listed(depth, asked):
        log.warning(
            "no published table names %d of %d layers: the %s keeps %s, evenly spread",
            *(asked, depth, stack.side, ",".join(map(str, layers))),
        )
    return layers


def _student_config(
    config: Mapping[str, Any], stacks: Sequence[LayerStack], kept: Mapping[Side, tuple[int, ...]]
) -> dict[str, Any]:
    student = {key: value for key, value in config.items() if key != "_name_or_path"}
    for stack in stacks:
        student[stack.depth_key] = len(kept[stack.side])
    if "num_hidden_layers" in student:
        # BART repeats its encoder's depth here.
        student["num_hidden_layers"] = len(kept["encoder"])
    if config.get("model_type") == "modernbert":
        kinds = _modernbert_layer_types(config)
        student["layer_types"] = [kinds[layer] for layer in kept["encoder"]]
        student.pop("global_attn_every_n_layers", None)
    return student


def _modernbert_layer_types(config: Mapping[str, Any]) -> list[str]:
    """Return how each layer attends: a kept one must go on as it was trained, wherever it comes to stand."""
    depth = config_int(config, "num_hidden_layers")
    stored = config.get("layer_types")
    if isinstance(stored, list):
        if len(stored) != depth:
            raise CheckpointError(f"config.json has {len(stored)} layer_types for {depth} layers")
        return stored
    every = config_int(config, "global_attn_every_n_layers", 3)
    return ["sliding_attention" if layer % every else "full_attention" for layer in range(depth)]
