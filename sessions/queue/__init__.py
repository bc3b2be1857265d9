"""Let messages wait in order, and handle them."""
