"""Mutation analysis: what the harness does not see of a system."""
