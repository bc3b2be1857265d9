"""Wiring: loads the plugin that runs scenarios as tests."""

pytest_plugins = ("harness.plugin",)
