"""Agents: who answers a user, and one that goes wrong as it is told."""
