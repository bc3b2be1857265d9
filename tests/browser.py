"""Debian's headless Chromium, driven over its DevTools protocol, as a reader would use it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

CHROMIUM = shutil.which("chromium")
HANG_S = 600  # a guard alone
KEYS = {"Enter": 13, "Escape": 27}


@dataclass(slots=True)
class Tab:
    """A page in the browser; `said` has what it logged and raised, `asked` each request."""

    socket: Connection
    session: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol and return what it answers."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, "sessionId": self.session}
        self.socket.send(json.dumps(message))
        while True:
            heard = self._hear()
            if heard.get("id") == number and heard.get("sessionId") == self.session:
                assert "error" not in heard, heard
                return heard["result"]

    def until(self, method: str) -> None:
        """Wait for an event."""
        while self._hear().get("method") != method:
            pass

    def _hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self.socket.recv(HANG_S))
        method, params = heard.get("method"), heard.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.said.append(f"dialog: {params['message']}")
        return heard

    def open(self, path: Path, *, width: int = 1440, dark: bool = False) -> None:
        """Open a file in a window of this width."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.navigate", url=path.as_uri())
        self.until("Page.loadEventFired")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression of the page's language."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, or type one character."""
        code = KEYS.get(key, 0)
        text = {} if code else {"text": key}
        named = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click on the middle of an element that can be seen."""
        place = self.ask(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            " one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        at = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **at)


@contextmanager
def chromium(folder: Path) -> Iterator[Tab]:
    """Start the browser with a profile of its own, and yield a tab that may use the clipboard."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--remote-debugging-port=0",
        f"--user-data-dir={folder / 'profile'}", "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = (line for line in process.stderr if line.startswith("DevTools listening on "))
            address = next(said).split()[-1]
            Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop it
            with connect(address, max_size=None) as socket:
                yield _tab(socket)
        finally:
            process.kill()


def _tab(socket: Connection) -> Tab:
    browser = Tab(socket, "")
    numbers = iter(range(-1, -9, -1))

    def call(method: str, **params: Any) -> Any:
        number = next(numbers)
        socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (heard := browser._hear()).get("id") != number:
            pass
        return heard["result"]

    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    call("Browser.grantPermissions", permissions=allowed)
    target = call("Target.createTarget", url="about:blank")["targetId"]
    attached = call("Target.attachToTarget", targetId=target, flatten=True)
    return Tab(socket, attached["sessionId"])
