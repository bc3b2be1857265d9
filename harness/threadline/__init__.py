"""Run a reference model and a real system side by side, and stop where they part."""
