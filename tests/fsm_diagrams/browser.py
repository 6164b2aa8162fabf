"""A page in headless Chromium, driven over a pipe: real clicks, keys and pictures."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

import pytest

__all__ = ["CHROMIUM", "Page", "needs_chromium", "opened"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH")

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--remote-debugging-pipe",
)
#: A page answers in milliseconds; a minute is for a machine that does much else.
_ANSWER_LIMIT_S = 60.0


class Page:
    """A page, by the words of the DevTools protocol."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._rest = b""
        self._count = 0
        self._session: str | None = None
        self.seen: list[Mapping[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> Any:
        """One call and its result; what the page reports meanwhile is kept in `seen`."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._count:
                assert "error" not in found, found
                return found["result"]
            self.seen.append(found)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select([self._reads], [], [], _ANSWER_LIMIT_S)
            assert ready, "chromium does not answer"
            piece = os.read(self._reads, 1 << 20)
            assert piece, "chromium has gone"
            self._rest += piece
        raw, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(raw)
        return answer

    def open(self, path: Path, width: int = 1400, height: int = 900) -> None:
        """Open a file, and wait until its script has run."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.call("Page.navigate", url=path.as_uri())
        wait = "document.documentElement?.dataset.ready === 'yes'"
        for _ in range(600):
            if self.run(wait):
                return
            self.run("new Promise(done => setTimeout(done, 50))")
        raise AssertionError(f"the script of {path} has not run: {self.complaints()}")

    def size(self, width: int, height: int) -> None:
        """Give the window a size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """The text of the first such element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    def place(self, selector: str) -> tuple[float, float]:
        """The middle of the first such element in the window."""
        script = f"""(() => {{
            const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = self.run(script)
        return float(x), float(y)

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        self.drag(*self.place(selector))

    def drag(self, x: float, y: float, dx: float = 0, dy: float = 0) -> None:
        """Press the mouse somewhere, move it, and release it."""
        for kind, at in (
            ("mousePressed", (x, y)),
            ("mouseMoved", (x + dx, y + dy)),
            ("mouseReleased", (x + dx, y + dy)),
        ):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=at[0],
                y=at[1],
                button="left",
                buttons=1,
                clickCount=1,
            )

    def wheel(self, x: float, y: float, turn: float) -> None:
        """Turn the wheel over a place; away from the reader is less than zero."""
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=turn)

    def touch(self, *frames: list[tuple[float, float]]) -> None:
        """Put fingers down at the first frame, move them through the others, and lift them."""
        for number, fingers in enumerate(frames):
            points = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(fingers)]
            kind = "touchMove" if number else "touchStart"
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, name: str, text: str = "") -> None:
        """Press a key of this name."""
        parameters: dict[str, Any] = {"key": name, "code": name, **({"text": text} if text else {})}
        if name == "Enter":
            parameters |= {"windowsVirtualKeyCode": 13, "text": "\r"}
        if name == "Tab":
            parameters |= {"windowsVirtualKeyCode": 9}
        self.call("Input.dispatchKeyEvent", type="keyDown", **parameters)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name)

    def prefer(self, scheme: str) -> None:
        """Let the reader's system ask for light or dark."""
        wish = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[wish])
        # The page is told of it with its next picture.
        self.picture()
        self.run("new Promise(done => setTimeout(done))")

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def complaints(self) -> list[Mapping[str, Any]]:
        """Errors of the script and what the page's own policy has refused."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [each for each in self.seen if each.get("method") in kinds]

    def requests(self) -> list[str]:
        """What the page has asked for, by address."""
        sent = [each for each in self.seen if each.get("method") == "Network.requestWillBeSent"]
        return [str(each["params"]["request"]["url"]) for each in sent]


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """A Chromium of its own, with an empty profile, ended with all its processes."""
    assert CHROMIUM is not None
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    # The pipes must be descriptors 3 and 4 in the browser, whatever numbers they have here.
    command = f'exec 5<&{their_in} 6>&{their_out}; exec 3<&5 4>&6 5<&- 6>&-; exec "$@"'
    process = subprocess.Popen(  # noqa: S603 - found on PATH, with our own words
        ["/bin/bash", "-c", command, "-", CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(their_in, their_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for each in (their_in, their_out):
        os.close(each)
    page = Page(our_in, our_out)
    try:
        yield page
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for each in (our_in, our_out):
            os.close(each)
