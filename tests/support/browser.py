"""A headless Chromium, spoken to by the Chrome DevTools Protocol through two pipes.

python tests/support/browser.py PAGE PICTURE WIDTH HEIGHT      a picture of a page
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HOME = Path(__file__).resolve().parents[2] / ".venv/chromium"
SECONDS = 20


class Browser:
    """One page. `complaints` are what the browser says against it: errors of scripts, styles and loading."""

    def __init__(self, page: Path, width: int, *, dark: bool = False, height: int = 900) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="tierra-browser-")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        self._process = subprocess.Popen(
            # Its own sandbox needs rights that a container lacks; the page is ours.
            [HOME / "chromium", "--headless", "--remote-debugging-pipe", "--no-sandbox", "--no-zygote",
             "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={self._place.name}", "about:blank"],
            env={
                **os.environ,
                "LD_LIBRARY_PATH": f"{HOME / 'lib'}:{HOME}",
                "FONTCONFIG_FILE": str(HOME / "fonts.conf"),
                "HOME": self._place.name,
            },
            close_fds=False,
            preexec_fn=lambda: _third_and_fourth(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._rest = b""
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=page.resolve().as_uri())
        end = time.monotonic() + SECONDS
        while self.value("document.readyState + location.protocol") != "completefile:":
            assert time.monotonic() < end, "the page does not load"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._place.cleanup()

    _session: str | None = None

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; what happens meanwhile is looked at for complaints."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            while b"\0" in self._rest:
                text, _, self._rest = self._rest.partition(b"\0")
                heard = json.loads(text)
                if heard.get("id") == number:
                    assert "error" not in heard, (method, heard["error"])
                    answer: dict[str, Any] = heard["result"]
                    return answer
                self._look(heard)
            if select.select([self._in], [], [], 1)[0]:
                self._rest += os.read(self._in, 1 << 20)
        raise TimeoutError(f"{method}: the browser does not answer")

    def _look(self, heard: dict[str, Any]) -> None:
        kind, said = heard.get("method", ""), heard.get("params", {})
        complaint = kind in ("Runtime.exceptionThrown", "Network.loadingFailed") or (
            kind == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning")
        )
        if complaint or kind == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(said))

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])


def _third_and_fourth(reading: int, writing: int) -> None:
    """Chromium reads commands from the descriptor 3 and answers to 4; either may be one of the two now."""
    reading, writing = fcntl.fcntl(reading, fcntl.F_DUPFD, 10), fcntl.fcntl(writing, fcntl.F_DUPFD, 10)
    os.dup2(reading, 3)
    os.dup2(writing, 4)


if __name__ == "__main__":
    page, picture, width, height = sys.argv[1:]
    with Browser(Path(page), int(width), height=int(height)) as browser:
        Path(picture).write_bytes(browser.picture())
