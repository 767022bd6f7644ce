"""Training of GliZNet models on texts with labels that are true and false of them."""
