"""Open a peer by its kind; the library behind it is imported only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from labelwise.errors import CheckpointError, InputError, require

__all__ = ["PEER_KINDS", "PeerKind", "PeerOptions", "load_with_tokenizer", "open_peer", "package_folder"]

PeerKind = Literal["pipeline", "cross-encoder", "gliclass", "bi-encoder"]
PEER_KINDS: tuple[str, ...] = get_args(PeerKind)

_PACKAGE = "package:"
_DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerOptions:
    """How a peer runs.

    Attributes:
        revision: branch, tag or commit of a hub id.
        device: "auto" (a GPU where there is one), "cpu", "cuda", ...
        dtype: "auto" is float32, the same for every peer; or "bfloat16", "float16".
        batch_size: rows in one forward pass; peers plan by rows, not by tokens.
        threads: threads of torch; None leaves the choice to it.
    """

    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 32
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise InputError(f"the peer's batch size must be at least 1, got {self.batch_size}")
        if self.dtype not in ("auto", *_DTYPES):
            raise InputError(f"dtype {self.dtype!r} is not one of auto, {', '.join(_DTYPES)}")

    @property
    def torch_device(self) -> str:
        """The device by torch's name."""
        if self.device != "auto":
            return self.device
        return "cuda" if require("torch", extra="torch").cuda.is_available() else "cpu"

    @property
    def torch_dtype(self) -> Any:
        """The number type as torch's object."""
        return getattr(require("torch", extra="torch"), "float32" if self.dtype == "auto" else self.dtype)


def load_with_tokenizer(loader: str, reference: str, options: PeerOptions) -> tuple[Any, Any]:
    """Load a model by the transformers class of that name, such as ``AutoModel``, and its tokenizer."""
    transformers = require("transformers", extra="torch")
    settings = {"revision": options.revision} if options.revision else {}
    model = getattr(transformers, loader).from_pretrained(
        reference, dtype=options.torch_dtype, use_safetensors=True, **settings
    )
    return model, transformers.AutoTokenizer.from_pretrained(reference, **settings)


def open_peer(kind: str, reference: str, *, options: PeerOptions | None = None) -> Any:
    """Open a peer: it has ``tasks`` and the verbs of a labelwise model, as far as it can do them.

    Args:
        kind: "pipeline" (transformers' zero-shot pipeline), "cross-encoder" (sentence-transformers),
            "gliclass" (its own pipeline), or "bi-encoder" (sentence vectors and cosine, as a baseline).
        reference: a folder, a hub id, or ``package:NAME/FOLDER`` for weights inside a Python package.
        options: how it runs.

    Raises:
        InputError: the kind is unknown.
        CheckpointError: the reference names no package, or the library cannot load it.
        MissingExtraError: the library is not installed.
    """
    openers: dict[str, Callable[[str, PeerOptions], Any]] = {
        "pipeline": _open_pipeline,
        "cross-encoder": _open_cross_encoder,
        "gliclass": _open_gliclass,
        "bi-encoder": _open_bi_encoder,
    }
    if kind not in openers:
        raise InputError(f"peer {kind!r} is not one of {', '.join(openers)}")
    chosen = options or PeerOptions()
    resolved = str(package_folder(reference)) if reference.startswith(_PACKAGE) else reference
    if chosen.threads is not None:
        require("torch", extra="torch").set_num_threads(chosen.threads)
    try:
        return openers[kind](resolved, chosen)
    # transformers and its kin raise these for a folder without weights, a wrong id, a head they do not know.
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        first_line = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{reference!r} cannot be opened as {kind}: {first_line}") from error


def package_folder(reference: str) -> Path:
    """Return the folder behind ``package:NAME/FOLDER``.

    Raises:
        CheckpointError: the package is not installed or has no such folder.
    """
    name, _, inside = reference.removeprefix(_PACKAGE).partition("/")
    spec = find_spec(name) if name.isidentifier() else None
    if spec is None or spec.origin is None:
        raise CheckpointError(f"{reference!r} needs the package {name!r}, which is not installed")
    folder = Path(spec.origin).parent / inside
    if not folder.is_dir():
        raise CheckpointError(f"{reference!r}: there is no folder {inside!r} in the package {name!r}")
    return folder


def _open_pipeline(reference: str, options: PeerOptions) -> Any:
    from labelwise.evaluation.peers.pipeline import PipelinePeer

    return PipelinePeer.open(reference, options)


def _open_cross_encoder(reference: str, options: PeerOptions) -> Any:
    from labelwise.evaluation.peers.cross_encoder import CrossEncoderPeer

    return CrossEncoderPeer.open(reference, options)


def _open_gliclass(reference: str, options: PeerOptions) -> Any:
    from labelwise.evaluation.peers.gliclass import GliclassPeer

    return GliclassPeer.open(reference, options)


def _open_bi_encoder(reference: str, options: PeerOptions) -> Any:
    from labelwise.evaluation.peers.bi_encoder import BiEncoderPeer

    return BiEncoderPeer.open(reference, options)
