"""The licence that a model card states."""

from __future__ import annotations

import re
from pathlib import Path

from labelwise.checkpoints.checkpoint import Checkpoint

__all__ = ["CARD_FILES", "fetch_card", "licence_in", "read_licence"]

# The hub's name first; the bundled model's card is not a folder's README.
CARD_FILES = ("README.md", "MODEL_CARD.md")
# A card is a few KB; the front matter stands at its very start.
_MAX_CHARACTERS = 200_000
_MAX_LICENCE_CHARACTERS = 80
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"^(license|license_name):[ \t]*(.*)$", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*-[ \t]+(.+)$")
_SENTENCE = re.compile(
    r"^[ \t]*[-*]?[ \t]*\**licen[cs]e\**[ \t]*:\**[ \t]*([\w.+-]*\w)", re.IGNORECASE | re.MULTILINE
)


def read_licence(folder: Path) -> str | None:
    """Return the licence that the card in a folder states; None when there is no card or it states none."""
    for name in CARD_FILES:
        try:
            with (folder / name).open(encoding="utf-8", errors="replace") as stream:
                licence = licence_in(stream.read(_MAX_CHARACTERS))
        except OSError:
            continue
        if licence is not None:
            return licence
    return None


def licence_in(card: str) -> str | None:
    r"""Return the licence of a card: ``license`` in its YAML front matter, else a line "Licence: NAME".

    >>> licence_in("---\nlicense: mit\n---\n# A model")
    'mit'
    """
    front_matter = _FRONT_MATTER.match(card.replace("\r\n", "\n"))
    if front_matter is not None:
        found = _from_front_matter(front_matter.group(1))
        if found is not None:
            return found
    sentence = _SENTENCE.search(card)
    return None if sentence is None else sentence.group(1)[:_MAX_LICENCE_CHARACTERS]


def fetch_card(checkpoint: Checkpoint) -> None:
    """Bring a hub model's card into the cache, where loading the model leaves it out; without one go on."""
    is_hub_snapshot = checkpoint.folder.parent.name == "snapshots" and not Path(checkpoint.ref).is_dir()
    if not is_hub_snapshot or (checkpoint.folder / CARD_FILES[0]).is_file():
        return
    import huggingface_hub  # slow to import, and only hub ids need it

    # A missing card or network is no reason to fail: the description then says that no licence is stated.
    # All of the hub's errors for these (no entry, no repository, offline, HTTP) are kinds of OSError.
    try:
        huggingface_hub.hf_hub_download(checkpoint.ref, CARD_FILES[0], revision=checkpoint.folder.name)
    except OSError:
        return


def _from_front_matter(block: str) -> str | None:
    values = {key: _value(block, match_end, inline) for key, match_end, inline in _keys(block)}
    name = values.get("license")
    # "other" means: see the name that the makers gave it.
    shown = values.get("license_name") or name if name in (None, "other") else name
    return shown[:_MAX_LICENCE_CHARACTERS] if shown else None


def _keys(block: str) -> list[tuple[str, int, str]]:
    return [(match.group(1), match.end(), match.group(2)) for match in _KEY.finditer(block)]


def _value(block: str, end: int, inline: str) -> str:
    inline = inline.split(" #")[0].strip()
    if inline:
        return ", ".join(part.strip().strip("\"'") for part in inline.strip("[]").split(","))
    items = []
    for line in block[end:].lstrip("\n").split("\n"):
        item = _LIST_ITEM.match(line)
        if item is None:
            break
        items.append(item.group(1).strip().strip("\"'"))
    return ", ".join(items)
