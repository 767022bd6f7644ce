"""Classify a stream: a generator goes in, a generator comes out, memory stays flat."""

from collections import Counter
from collections.abc import Iterator

import labelwise


def reviews() -> Iterator[str]:
    """Yield texts one at a time, as a file or a queue would."""
    for number in range(400):
        yield ["I love it, works perfectly", "Broke after a day, very disappointed"][number % 2]


model = labelwise.load()
counts = Counter(result.best.label for result in model.classify(reviews(), labels=["praise", "complaint"]))
print(dict(counts))
