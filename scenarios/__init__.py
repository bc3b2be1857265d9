"""What is tried, how often: rules over small populations, for every engine."""
