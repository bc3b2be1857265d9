"""What is right: contracts, operations, reference models and invariants."""
