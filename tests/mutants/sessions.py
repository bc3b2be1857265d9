"""Session managers of which one line has a bug."""

from __future__ import annotations

from functools import partial

from drivers.sessions import SessionsDriver
from tests.mutants import line as of

line = partial(of.line, SessionsDriver, "sessions")
leak = partial(of.leak, SessionsDriver, "sessions")
