"""Which GLiClass checkpoints can be built, and a plain refusal of the others."""

from __future__ import annotations

from labelwise.errors import CheckpointError
from labelwise.models.gliclass.configuration import GLiClassConfig
from labelwise.models.gliclass.pooling import POOLINGS
from labelwise.models.gliclass.scorers import SCORERS

__all__ = ["refuse_unsupported"]

# Read as encoders by patched classes of other packages; transformers' own classes would give other numbers.
_ENCODERS_OF_OTHER_PACKAGES = frozenset({"gemma", "llama", "mistral", "mt5", "qwen2", "t5", "umt5"})


def refuse_unsupported(config: GLiClassConfig) -> None:
    """Check that the model can be built so that it scores as the gliclass package does.

    Raises:
        CheckpointError: an architecture, encoder, scorer, pooling or option is not supported.
    """
    encoder_type = config.encoder_config.model_type
    for refused, what in (
        (config.architecture_type != "uni-encoder", f"architecture_type {config.architecture_type!r}"),
        (encoder_type in _ENCODERS_OF_OTHER_PACKAGES, f"encoder type {encoder_type!r}"),
        (config.scorer_type not in SCORERS, f"scorer_type {config.scorer_type!r}"),
        (config.pooling_strategy not in POOLINGS, f"pooling_strategy {config.pooling_strategy!r}"),
        (
            (config.pooling_strategy == "pass") != (config.scorer_type == "cross-attn"),
            f"pooling_strategy {config.pooling_strategy!r} with scorer_type {config.scorer_type!r}",
        ),
        (
            config.class_token_pooling not in ("first", "average"),
            f"class_token_pooling {config.class_token_pooling!r}",
        ),
        (config.squeeze_layers, "squeeze_layers"),
        (getattr(config, "use_calibrator", False), "use_calibrator"),
    ):
        if refused:
            raise CheckpointError(
                f"this GLiClass checkpoint uses {what}, which labelwise does not build: "
                "use an uni-encoder checkpoint such as knowledgator/gliclass-base-v3.0"
            )
