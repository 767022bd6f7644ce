"""What a GLiClass checkpoint's config.json says."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PretrainedConfig

__all__ = ["GLiClassConfig"]


class GLiClassConfig(PretrainedConfig):  # type: ignore[misc]
    """Configuration of a GLiClass model; fields that are not named here (training, later versions) are kept.

    Args:
        encoder_config: the encoder's own configuration, or its mapping as it stands in config.json.
        vocab_size: rows of the encoder's embedding table; the encoder's own number where None.
        class_token_index: id of ``<<LABEL>>``; -1 means the first id after the vocabulary.
        text_token_index: id of ``<<SEP>>``; -1 means the second.
        example_token_index: id of ``<<EXAMPLE>>``; -1 means the third.
        hidden_size: width inside the projectors; the encoder's where None.
        projector_hidden_act: activation inside the projectors.
        scorer_type: "simple" (dot product), "weighted-dot", "mlp" or "cross-attn".
        scorer_num_heads: heads of "cross-attn".
        scorer_mlp_hidden_size: width inside "cross-attn"; "mlp" always has 256.
        pooling_strategy: how token vectors become one text vector.
        class_token_pooling: "first" (one token per label) or "average" (all tokens of the label).
        embed_class_token: whether ``<<LABEL>>`` itself stands for the label, or counts in its average.
        extract_text_features: whether only what follows ``<<SEP>>`` is text.
        normalize_features: whether both vectors are scaled to length 1 and logits by ``logit_scale``.
        logit_scale_init_value: start of ``logit_scale``.
        architecture_type: only "uni-encoder" can be built.
        prompt_first: whether labels come before the text.
        squeeze_layers: whether all layers are mixed.
        encoder_layer_id: layer whose states are used; -1 for the last.
        use_lstm: whether text tokens pass a two-way LSTM.
        use_segment_embeddings: whether labels, text and examples have vectors of their own.
        dropout: dropout while training.
        max_num_classes: how many labels the checkpoint was trained with; the model itself takes any number.
        problem_type: what the training loss was; unused here.
        initializer_range: deviation of fresh weights.
        **kwargs: transformers' common fields and all others.
    """

    model_type = "GLiClass"

    def __init__(
        self,
        *,
        encoder_config: PretrainedConfig | dict[str, Any] | None = None,
        vocab_size: int | None = None,
        class_token_index: int = -1,
        text_token_index: int = -1,
        example_token_index: int = -1,
        hidden_size: int | None = None,
        projector_hidden_act: str = "gelu",
        scorer_type: str = "simple",
        scorer_num_heads: int = 16,
        scorer_mlp_hidden_size: int = 1024,
        pooling_strategy: str = "first",
        class_token_pooling: str = "first",
        embed_class_token: bool = True,
        extract_text_features: bool = False,
        normalize_features: bool = False,
        logit_scale_init_value: float = 2.6592,
        architecture_type: str = "uni-encoder",
        prompt_first: bool = False,
        squeeze_layers: bool = False,
        encoder_layer_id: int = -1,
        use_lstm: bool = False,
        use_segment_embeddings: bool = False,
        dropout: float = 0.1,
        max_num_classes: int = 25,
        problem_type: str | None = "single_label_classification",
        initializer_range: float = 0.03,
        **kwargs: Any,
    ) -> None:
        self.encoder_config = _as_config(encoder_config)
        # Tokens were added to the encoder's vocabulary: this number, not the encoder's own, counts.
        self.vocab_size = self.encoder_config.vocab_size if vocab_size is None else vocab_size
        self.encoder_config.vocab_size = self.vocab_size
        self.class_token_index = self.vocab_size if class_token_index == -1 else class_token_index
        self.text_token_index = self.vocab_size + 1 if text_token_index == -1 else text_token_index
        self.example_token_index = self.vocab_size + 2 if example_token_index == -1 else example_token_index
        self.hidden_size = self.encoder_config.hidden_size if hidden_size is None else hidden_size
        self.projector_hidden_act = projector_hidden_act
        self.scorer_type = scorer_type
        self.scorer_num_heads = scorer_num_heads
        self.scorer_mlp_hidden_size = scorer_mlp_hidden_size
        self.pooling_strategy = pooling_strategy
        self.class_token_pooling = class_token_pooling
        self.embed_class_token = embed_class_token
        self.extract_text_features = extract_text_features
        self.normalize_features = normalize_features
        self.logit_scale_init_value = logit_scale_init_value
        self.architecture_type = architecture_type
        self.prompt_first = prompt_first
        self.squeeze_layers = squeeze_layers
        self.encoder_layer_id = encoder_layer_id
        self.use_lstm = use_lstm
        self.use_segment_embeddings = use_segment_embeddings
        self.dropout = dropout
        self.max_num_classes = max_num_classes
        self.initializer_range = initializer_range
        super().__init__(problem_type=problem_type, **kwargs)


def _as_config(encoder: PretrainedConfig | dict[str, Any] | None) -> PretrainedConfig:
    if isinstance(encoder, PretrainedConfig):
        config = encoder
    else:
        fields = dict(encoder or {})
        # The first checkpoints leave the type out; they were all DeBERTa.
        config = AutoConfig.for_model(fields.pop("model_type", "deberta-v2"), **fields)
    # The dtype that the encoder was once saved in must not decide the dtype of this model's weights.
    config.dtype = None
    return config
