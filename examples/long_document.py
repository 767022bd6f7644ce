"""Read a text that is longer than the model's window: nothing is cut, and the result says how it was read."""

import labelwise

MINUTES = "The committee met again and went through the minutes of the last session. " * 60
INCIDENT = (
    "At noon a fire broke out in the north wing. The flames spread to the roof within minutes, and smoke "
    "filled the stairs. Firefighters arrived with six engines and put the fire out in two hours. "
    "Two people were hurt. "
)

model = labelwise.load()
result = model.classify(MINUTES + INCIDENT + MINUTES, labels=["fire", "football"], multi_label=True)
print(f"{result.num_tokens} tokens in {result.windows_read} windows")
for label in result.labels:
    print(f"{label.score:.2f}  {label.label}")
