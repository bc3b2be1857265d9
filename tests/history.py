"""Git repositories for tests: a small chat log, its model and its driver, over many commits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

COMMITS = 40
SIGNATURE = "isolation-read"
SYSTEM = '''"""A chat log, in revision {number}."""


class ChatLog:
    def __init__(self):
        self.said = {{}}

    def say(self, user, thread, text):
        self.said.setdefault(self.key(user, thread), []).append(text)

    def read(self, user, thread):
        return list(self.said.get(self.key(user, thread), []))

    def key(self, user, thread):
        return {key}
'''
RIGHT, WRONG = "(user, thread)", 'f"{user}:{thread}"'
MINE = '''"""What a chat log must do, and its driver."""

from threadline import Driver, Model, Pool, operation, pool

from chat import ChatLog

USERS, THREADS = pool("ana", "ana:b"), pool("t", "b:t")


class Chat(Model):
    """What a user says on a thread is read there, by that user alone."""

    def __init__(self):
        self.said = {}

    @operation(user=USERS, thread=THREADS, text=Pool(lambda now: [f"m{now.step}"]))
    def say(self, user, thread, text):
        """Say something."""
        self.said.setdefault((user, thread), []).append(text)

    @operation(user=USERS, thread=THREADS)
    def read(self, user, thread):
        """Read what was said."""
        return self.said.get((user, thread), [])

    def belongs_to(self, value):
        return {user for (user, _), texts in self.said.items() if value in texts}


class MyChat(Driver[Chat]):
    """Calls a ChatLog."""

    through = "log"

    def __init__(self):
        self.log = ChatLog()
'''
TRACE: list[dict[str, object]] = [
    {"threadline": 1, "contract": "chat", "driver": "mine:MyChat", "signature": SIGNATURE},
    {"step": 1, "operation": "say", "user": "ana:b", "thread": "t", "text": "m1"},
    {"step": 2, "operation": "read", "user": "ana", "thread": "b:t"},
]
Files = Callable[[int], Mapping[str, str]]


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def joined_from(first: int, last: int = COMMITS) -> Files:
    """Return the files of each commit, where those from first to last join the keys."""

    def files(number: int) -> Mapping[str, str]:
        key = WRONG if first <= number <= last else RIGHT
        return {"chat.py": SYSTEM.format(number=number, key=key), "mine.py": MINE}

    return files


def write_history(folder: Path, files: Files, commits: int = COMMITS) -> list[str]:
    """Make a repository with so many commits and a trace in a folder; return their hashes."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    stream = bytearray()
    for number in range(1, commits + 1):
        day = 1_700_000_000 + number * 86_400
        subject = f"change {number}"
        stream += f"commit refs/heads/main\nmark :{number}\n".encode()
        stream += f"author Ana <ana@example.org> {day} +0000\n".encode()
        stream += f"committer Ana <ana@example.org> {day} +0000\n".encode()
        stream += f"data {len(subject)}\n{subject}\ndeleteall\n".encode()
        for name, text in files(number).items():
            data = text.encode("utf-8")
            stream += f"M 100644 inline {name}\ndata {len(data)}\n".encode() + data + b"\n"
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    subprocess.run(command, check=True, capture_output=True, input=bytes(stream))
    git(folder, "reset", "--quiet", "--hard", "main")
    lines = "".join(f"{json.dumps(line)}\n" for line in TRACE)
    (folder / "trace.jsonl").write_text(lines, "ascii")
    return git(folder, "rev-list", "--reverse", "main").split()
