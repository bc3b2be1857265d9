"""Judge what was said, and tell those who asked to hear of it."""
