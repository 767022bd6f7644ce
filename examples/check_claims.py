"""Check claims against a source, and rank headlines by how well the source supports them."""

import labelwise

SOURCE = "The museum will stay closed on Mondays from October and opens until nine in the evening on Fridays."
CLAIMS = [
    "The museum is open late on Fridays.",
    "The museum is open every day.",
    "The museum has a new director.",
]

model = labelwise.load()
for claim, verdict in zip(CLAIMS, model.entail(pairs=[(SOURCE, claim) for claim in CLAIMS]), strict=True):
    print(f"{verdict.label:14} {claim}")

best = model.rank(SOURCE, ["Longer opening hours on Fridays", "Museum destroyed by fire"], top_k=1)[0]
print(f"best headline: {best.text} ({best.score:.2f})")
