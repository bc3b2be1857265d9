"""Views of a leak by other tools, where they are installed: objgraph and memray."""

from __future__ import annotations

import importlib
import io
from pathlib import Path as File
from typing import Any

from ..lockstep.run import Runs, replay
from ..printable import file_name
from .investigate import Investigation

DEPTH = 8


def write_objgraph(found: Investigation, folder: File) -> str:
    """Write who holds one survivor as a graph in the language of dot; return where, or why not."""
    objgraph = _module("objgraph")
    survivors = found.ledger.survivors
    if objgraph is None:
        return "objgraph is not installed"
    if not survivors:
        return "objgraph has nothing to show: what leaks is no object"
    path = folder / f"{file_name(found.leak.path.name)}.dot"
    graph = io.StringIO()
    objgraph.show_backrefs([survivors[-1]], max_depth=DEPTH, output=graph)
    path.write_text(graph.getvalue(), "utf-8", "backslashreplace")
    return f"objgraph: {path}"


def write_memray(found: Investigation, runs: Runs, folder: File) -> str:
    """Record the allocations of one replay for memray's own reporters; return where, or why not."""
    memray = _module("memray")
    if memray is None:
        return "memray is not installed"
    path = folder / f"{file_name(found.leak.path.name)}.memray.bin"
    path.unlink(missing_ok=True)
    with memray.Tracker(path):
        replay(runs, found.trace.header, found.trace.operations)
    return f"memray: {path}; python -m memray table {path}"


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
