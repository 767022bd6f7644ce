"""Sort support tickets into queues, with a place for what fits none of them."""

import labelwise

TICKETS = [
    "My card was charged twice for the same coffee",
    "The parcel should have been here on Monday",
    "What is the capital of Australia?",
]
QUEUES = {
    "billing": "a problem with a payment or an invoice",
    "delivery": "a late or lost parcel",
    "returns": "sending a product back",
}

model = labelwise.load()
for result in model.classify(TICKETS, labels=QUEUES, none_label="something else"):
    print(f"{result.best.label:15} {result.best.score:.2f}  {result.text}")
