"""Read a text that is longer than the model's window: nothing is cut, and the result says how it was read."""

import labelwise

FILLER = "The committee met again and went through the minutes of the last session. " * 60
REPORT = FILLER + "A fire broke out in the north wing and two people were hurt. " + FILLER

model = labelwise.load()
result = model.classify(REPORT, labels=["a fire", "a football match"], multi_label=True)
print(f"{result.num_tokens} tokens in {result.windows_read} windows")
for label in result.labels:
    print(f"{label.score:.2f}  {label.label}")
