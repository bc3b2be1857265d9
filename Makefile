# The run that makes another sample each night; CI gives the number of its own.
RUN ?= $(shell date -u +%Y%j)

.PHONY: test nightly lint types bench
test: ; uv run pytest -n auto
nightly: ; uv run pytest -n auto -m "slow or not slow" && uv run threadline nightly $(ARGS) && uv run threadline sight --sample 100 --seed $(RUN)
lint: ; uv run ruff check . && uv run ruff format --check .
types: ; uv run mypy
bench: ; uv run python -m tests.bench.search && uv run python -m tests.bench.throughput && uv run python -m tests.bench.leaks
