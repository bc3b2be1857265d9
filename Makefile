.PHONY: test nightly lint types bench
test: ; uv run pytest -n auto
nightly: ; uv run pytest -n auto -m "slow or not slow" && uv run threadline nightly $(ARGS)
lint: ; uv run ruff check . && uv run ruff format --check .
types: ; uv run mypy
bench: ; uv run python -m tests.bench.search && uv run python -m tests.bench.throughput && uv run python -m tests.bench.leaks
