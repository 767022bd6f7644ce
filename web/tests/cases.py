"""The texts that page and package are compared on: many scripts, long ones, hostile ones."""

# ruff: noqa: RUF001 - letters that look like others are what is tested.

from __future__ import annotations

import random

__all__ = ["answer_cases", "classify_cases", "entail_cases", "fuzzed_texts"]

_NUM_TEXTS = 200
_WORDS_BY_SCRIPT = {
    "latin": (
        "the parcel came late refund invoice café naïve Straße señor señora screen broken please money back "
        "garçon œuvre Ångström delivery support angry happy 42 3.14 a.m. it's won't e-mail km/h"
    ),
    "cyrillic": (
        "посылка пришла поздно верните деньги экран сломан спасибо поддержка ёлка Москва счёт Київ їжак "
        "доставка сегодня завтра очень плохо хорошо"
    ),
    "chinese": "包裹 晚了 两天 屏幕 坏了 请 退款 谢谢 客服 很 好 北京 东京 發票 訂單 我 想要",
    "japanese": "荷物 が 遅れました 画面 壊れて います 返金 ください ありがとう サポート ﾊﾝｶｸ",
    "arabic": "وصل الطرد متأخرا الشاشة مكسورة أريد استرداد المال شكرا الدعم مُتَأَخِّر ٢٠٢٦",
    "greek": "το δέμα άργησε Η ΟΘΌΝΗ ΈΣΠΑΣΕ ΟΔΥΣΣΕΎΣ χρήματα πίσω ευχαριστώ",
    "hindi": "पार्सल देर से आया स्क्रीन टूटी हुई है पैसे वापस धन्यवाद",
    "korean": "소포 늦게 도착 화면 깨졌어요 환불 해주세요 감사합니다",
}
_HOSTILE = [
    "[CLS] refund [SEP] praise [SEP]",
    "[PAD][PAD][UNK][MASK] ##ing ## # [unused1] [unused99]",
    "a\u0000b\ufffdc\u200bd\u202ee\ufefff",
    "zalgo t\u0301\u0302\u0303\u0316e\u0334\u0345x\u0307t",
    "👍🏽 family 👨\u200d👩\u200d👧 flag 🇪🇺 heart ❤️",
    "x" * 101 + " " + "y" * 100 + " " + "漢" * 120,
    "<script>alert(1)</script> & {} {0} $& $1 %s ${x} \\n",
    "line\r\nline\tpara\u2028graph\u2029\u0085\u00a0\u3000\u1680 end",
    "İstanbul ISPARTA ıi ẞß ﬁ ﬂ Ⅷ ① ½ ™ ℃ ǆ Ǆ",
    "“quotes” ‘single’ «guillemets» — – … ¿¡ § ¶ ± × ÷ ^ ` ~ | < > = + $ €",
    "\u0645\u0640\u0640\u0640\u0631\u062d\u0628\u0627 \u200f(RTL)\u200e 123",
    "\U0010ffff0 \U0010ffff1 \ue000 \U000f0000 \ud7ff \ufdd0",
]
_LABELS = [
    ["refund", "late delivery", "damaged goods", "praise"],
    ["возврат денег", "доставка", "экран", "a [SEP] label"],
    ["退款", "配送", "شكوى", "complaint about $& a {} thing"],
    ["only one label"],
    ["billing", "shipping", "hardware", "software", "other", "travel", "sports", "health", "food", "music"],
]
_HYPOTHESES = ["The customer wants money back.", "Клиент доволен.", "屏幕坏了。", "[SEP] الطرد متأخر"]
_QUESTIONS = ["What is broken?", "  When did it come?", "Что сломано?", "什么坏了？"]


def classify_cases() -> list[dict[str, object]]:
    """Return 200 texts with labels: by turns in each script, mixed ones, long ones and hostile ones."""
    rng = random.Random(7)
    scripts = [words.split() for words in _WORDS_BY_SCRIPT.values()]
    any_script = [word for words in scripts for word in words]
    texts = list(_HOSTILE)
    # Long texts, which take several windows of the model.
    texts += [_text(rng, scripts[place], 500) for place in (0, 1, 4)]
    while len(texts) < _NUM_TEXTS:
        words = scripts[len(texts) % len(scripts)] if len(texts) % 5 else any_script
        texts.append(_text(rng, words, rng.randint(1, 24)))
    return [
        {"text": text, "labels": _LABELS[place % len(_LABELS)], "isMultiLabel": place % 2 == 1}
        for place, text in enumerate(texts)
    ]


def entail_cases() -> list[dict[str, str]]:
    """Return premises with hypotheses, a long one among them."""
    texts = [str(case["text"]) for case in classify_cases()]
    chosen = [*texts[:13], *texts[20::8]]
    return [
        {"premise": text, "hypothesis": _HYPOTHESES[place % len(_HYPOTHESES)]}
        for place, text in enumerate(chosen)
    ]


def answer_cases() -> list[dict[str, str]]:
    """Return questions with contexts, a long one among them."""
    texts = [str(case["text"]) for case in classify_cases()]
    chosen = [*texts[:13], *texts[21::8]]
    return [
        {"question": _QUESTIONS[place % len(_QUESTIONS)], "context": text}
        for place, text in enumerate(chosen)
    ]


def fuzzed_texts(number: int) -> list[str]:
    """Return random strings of characters that tokenizers trip over."""
    rng = random.Random(11)
    pools = [
        [chr(code) for code in range(0x20, 0x250)],
        [chr(code) for code in range(0x300, 0x370)],
        [chr(code) for code in range(0x400, 0x600)],
        [chr(code) for code in range(0x600, 0xA00)],
        [chr(code) for code in range(0x2000, 0x2100)],
        [chr(code) for code in range(0x3000, 0x3100)],
        [chr(code) for code in range(0x4E00, 0x4F00)],
        [chr(code) for code in range(0xAC00, 0xAD00)],
        [chr(code) for code in range(0x1F600, 0x1F650)],
        list("abcdefghijklmnopqrstuvwxyz '-.,#[]"),
    ]
    return ["".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(0, 40))) for _ in range(number)]


def _text(rng: random.Random, words: list[str], number: int) -> str:
    chosen = " ".join(rng.choice(words) for _ in range(number))
    return chosen.capitalize() + rng.choice([".", "!", "?", "。", ""])
