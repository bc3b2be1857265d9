.PHONY: test lint types
test: ; uv run pytest -n auto
lint: ; uv run ruff check . && uv run ruff format --check .
types: ; uv run mypy
