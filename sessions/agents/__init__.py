"""Agents, and what runs them for a user."""
