"""Ready-made contracts: each a model, and the scenario that tries it."""
