"""How each system is reached: one file a system."""
