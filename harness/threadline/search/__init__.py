"""The engines: how the next operation is chosen."""
