"""Train one encoder with a head for labels, one for entailment and one for answers."""
