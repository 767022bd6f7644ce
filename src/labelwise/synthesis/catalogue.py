"""What texts can be asked for: genres, topics, length bands and reading levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from labelwise.errors import InputError

__all__ = ["GENRES", "LENGTH_BANDS", "READING_LEVELS", "TOPICS", "LengthBand"]

# Models miscount words: this far outside the band that was asked for, a text still counts as in it.
_SHORTEST_SHARE: Final = 0.6
_LONGEST_SHARE: Final = 1.5


@dataclass(frozen=True, slots=True)
class LengthBand:
    """How long the texts of a bundle shall be, in words set apart by white space."""

    name: str
    min_words: int
    max_words: int

    def __post_init__(self) -> None:
        if not 0 < self.min_words <= self.max_words:
            raise InputError(f"length band {self.name!r} runs from {self.min_words} to {self.max_words}")

    def allows(self, text: str) -> bool:
        """Whether a text is long and short enough, with some grace for models that miscount."""
        num_words = len(text.split())
        return self.min_words * _SHORTEST_SHARE <= num_words <= self.max_words * _LONGEST_SHARE


LENGTH_BANDS: Final[dict[str, LengthBand]] = {
    band.name: band
    for band in (
        LengthBand("line", 5, 14),
        LengthBand("short", 15, 40),
        LengthBand("medium", 41, 90),
        LengthBand("long", 91, 180),
        LengthBand("page", 181, 350),
    )
}

READING_LEVELS: Final[dict[str, str]] = {
    "A1": "a beginner: the commonest words, very short main clauses",
    "A2": "an elementary reader: everyday words, short sentences, plain past and future",
    "B1": "an intermediate reader: clear standard language, some subordinate clauses",
    "B2": "an upper-intermediate reader: varied vocabulary, abstract as well as concrete matters",
    "C1": "an advanced reader: idiom, nuance, long and well-built sentences",
    "C2": "an expert reader: dense, precise, with irony, allusion or technical terms where they fit",
}

GENRES: Final[tuple[str, ...]] = (
    "news report", "breaking news alert", "opinion column", "letter to the editor", "press release",
    "product review", "restaurant review", "book review", "film review", "complaint to a company",
    "support ticket", "reply from customer service", "chat message", "group chat", "social media post",
    "forum question", "forum answer", "work email", "newsletter", "meeting notes",
    "status report", "incident report", "bug report", "release notes", "code review comment",
    "technical documentation", "how-to guide", "recipe", "safety instructions", "patient information leaflet",
    "doctor's note", "lab report", "research abstract", "lecture transcript", "textbook paragraph",
    "encyclopedia entry", "exam question", "student essay", "teacher's feedback", "job advertisement",
    "cover letter", "performance review", "contract clause", "court ruling summary", "privacy notice",
    "insurance claim", "bank message", "financial analysis", "earnings call excerpt", "property listing",
    "classified advertisement", "travel diary", "travel guide", "weather bulletin", "sports commentary",
    "interview answer", "podcast transcript", "speech", "sermon", "obituary",
    "diary entry", "personal letter", "short story scene", "dialogue from a play", "poem in free verse",
    "joke or anecdote", "horoscope", "public notice", "petition", "police report",
)  # fmt: skip

TOPICS: Final[tuple[str, ...]] = (
    "household appliances", "public transport", "air travel", "cars and repairs", "cycling",
    "cooking at home", "farming", "gardening", "forests and wildlife", "oceans and fishing",
    "climate and weather", "energy supply", "water and waste", "mining and metals", "chemistry",
    "physics", "astronomy and spaceflight", "geology", "biology and genetics", "mathematics",
    "medicine", "nursing and care", "mental health", "dentistry", "pharmacies and drugs",
    "sport clubs", "football", "mountaineering", "board games", "video games",
    "music", "painting and museums", "theatre and dance", "film and television", "literature",
    "history", "archaeology", "languages and translation", "religion", "philosophy",
    "schools", "universities", "childcare", "pets", "housing and rent",
    "construction", "architecture", "furniture and design", "clothing and fashion", "retail",
    "banking", "insurance", "taxes", "the stock market", "pensions",
    "elections", "local government", "courts and law", "policing", "migration",
    "software development", "data protection", "computer hardware", "mobile phones", "machine learning",
    "logistics", "manufacturing", "human resources", "advertising", "charity work",
)  # fmt: skip
