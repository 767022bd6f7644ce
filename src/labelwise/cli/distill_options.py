"""The flags of ``labelwise distill``, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelwise.errors import InputError

if TYPE_CHECKING:
    from labelwise.training.distilling import Lessons

__all__ = ["LayerOptions", "MeasureOptions", "TuningOptions", "VocabularyOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOptions:
    """Which layers of the teacher the student keeps."""

    encoder_layers: Annotated[
        int | None, typer.Option(help="Encoder layers that the student keeps; left out: all.")
    ] = None
    decoder_layers: Annotated[
        int | None, typer.Option(help="Decoder layers that the student keeps (BART); left out: all.")
    ] = None
    keep_layers: Annotated[
        str | None, typer.Option(help="The encoder layers to keep by number, such as 0,4,8,11.")
    ] = None
    keep_decoder_layers: Annotated[
        str | None, typer.Option(help="The decoder layers to keep by number (BART).")
    ] = None

    def encoder(self) -> int | tuple[int, ...] | None:
        """Return a depth, the layers by number, or None for all of them."""
        return _asked(self.encoder_layers, self.keep_layers, flag="--keep-layers")

    def decoder(self) -> int | tuple[int, ...] | None:
        """Return a depth, the layers by number, or None for all of them."""
        return _asked(self.decoder_layers, self.keep_decoder_layers, flag="--keep-decoder-layers")


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyOptions:
    """Which tokens the student keeps."""

    trim_vocabulary: Annotated[
        Path | None, typer.Option(help="Keep only the tokens that the lines of this text file need.")
    ] = None
    held_out: Annotated[
        Path | None, typer.Option(help="Other texts: say how many of them the trimming changes.")
    ] = None

    def __post_init__(self) -> None:
        if self.held_out is not None and self.trim_vocabulary is None:
            raise InputError("--held-out measures --trim-vocabulary: give both")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOptions:
    """How the student is fine-tuned, if at all."""

    fine_tune: Annotated[
        Path | None,
        typer.Option(
            metavar="RECIPE",
            help="Then train the student by this recipe of 'labelwise train nli': its data, hyper-parameters "
            "and validation. --output becomes the run folder, with the result in OUTPUT/model.",
        ),
    ] = None
    data: Annotated[Path | None, typer.Option(help="The folder that the recipe's files lie in.")] = None
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="A model to listen to beside the hard labels, usually FOLDER again; left out: none, that is "
            "No Teacher Distillation."
        ),
    ] = None
    soft_label_weight: Annotated[
        float | None, typer.Option(help="How much the teacher's soft labels count; 1 if left out.")
    ] = None
    hidden_state_weight: Annotated[
        float | None, typer.Option(help="How much its hidden states count; 0 if left out.")
    ] = None
    teacher_temperature: Annotated[
        float | None, typer.Option(help="Above 1 softens the soft labels; 2 if left out.")
    ] = None
    freeze_encoder: Annotated[
        bool, typer.Option("--freeze-encoder", help="Do not train the encoder (BART, as published).")
    ] = False
    freeze_embeddings: Annotated[
        bool, typer.Option("--freeze-embeddings", help="Do not train the embedding tables (as published).")
    ] = False
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a fine-tuning that was cut off.")] = (
        False
    )

    def __post_init__(self) -> None:
        if self.fine_tune is None:
            _refuse_without(self._given(), "--fine-tune RECIPE")
        elif self.data is None:
            raise InputError("--fine-tune needs --data: the folder that the recipe's files lie in")
        if self.teacher is None:
            _refuse_without(self._given_signal(), "--teacher FOLDER")

    def lessons(self) -> Lessons:
        """Return what the student learns from; needs the extra for training.

        Raises:
            InputError: a weight or the temperature is out of range.
        """
        from labelwise.distillation.finetune import Signal
        from labelwise.training.distilling import Lessons

        given = {
            "soft_label_weight": self.soft_label_weight,
            "hidden_state_weight": self.hidden_state_weight,
            "temperature": self.teacher_temperature,
        }
        return Lessons(
            teacher=self.teacher,
            signal=Signal(**{name: value for name, value in given.items() if value is not None}),
            freezes_encoder=self.freeze_encoder,
            freezes_embeddings=self.freeze_embeddings,
        )

    def _given(self) -> dict[str, bool]:
        return {
            "--data": self.data is not None,
            "--teacher": self.teacher is not None,
            **self._given_signal(),
            "--freeze-encoder": self.freeze_encoder,
            "--freeze-embeddings": self.freeze_embeddings,
            "--resume": self.resume,
        }

    def _given_signal(self) -> dict[str, bool]:
        return {
            "--soft-label-weight": self.soft_label_weight is not None,
            "--hidden-state-weight": self.hidden_state_weight is not None,
            "--teacher-temperature": self.teacher_temperature is not None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What teacher and student are compared on."""

    labelled: Annotated[
        Path | None,
        typer.Option(
            help="Compare accuracy and speed before and after on these rows of premise, hypothesis, label or "
            "of text, label; with --fine-tune left out: the recipe's validation."
        ),
    ] = None
    limit: Annotated[
        int | None, typer.Option(help="Compare on that many of the rows, spread over them evenly.")
    ] = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InputError(f"--limit must be at least 1, got {self.limit}")


def _asked(depth: int | None, listed: str | None, *, flag: str) -> int | tuple[int, ...] | None:
    if listed is None:
        return depth
    if depth is not None:
        raise InputError(f"give the number of layers or {flag}, not both")
    try:
        return tuple(int(number) for number in listed.split(","))
    except ValueError as error:
        raise InputError(f"{flag} {listed!r} is not a list of numbers such as 0,4,8,11") from error


def _refuse_without(flags: dict[str, bool], owner: str) -> None:
    given = next((flag for flag, is_given in flags.items() if is_given), None)
    if given is not None:
        raise InputError(f"{given} belongs to {owner}: give that too, or leave {given} out")
