"""A headless Chromium, driven over a pipe: no driver, no port, no package."""

import base64
import contextlib
import json
import os
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "RESTORE_GUARD_TEST_BROWSER"


def find():
    """The browser; skips where there is none, unless the environment names one that must be there."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if named:
        assert found, f"{VARIABLE}={named}: no such browser"
    if found is None or os.name == "nt":
        pytest.skip(f"no {' or '.join(NAMES[:3])} on PATH; {VARIABLE} demands one")
    return found


class Browser:
    """One page of a Chromium; what a page logs as an error is in `errors`."""

    def __init__(self, folder):
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]

        def connect():
            # It reads commands from 3 and writes answers to 4.
            read, write = os.dup(to_read), os.dup(to_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [find(), *options, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=connect,
            pass_fds=(3, 4, to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._rest, self._number, self._session = b"", 0, None
        self.errors, self._loaded = [], False
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self.requests = []

    def close(self):
        with contextlib.suppress(OSError):
            os.close(self._to)
            os.close(self._from)
        self._process.terminate()
        self._process.wait(30)

    def open(self, path, *, dark=False, width=1280, height=900):
        self.errors.clear()
        self.requests.clear()
        self._loaded = False
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._ask("Emulation.setEmulatedMedia", features=scheme)
        self._ask("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._hear()

    def run(self, script):
        """The value of an expression of JavaScript, waited for where it is a promise."""
        done = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key, text=None, times=1):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        for _ in range(times):
            about = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            self._ask("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": text} if text else {}))
            self._ask("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text):
        self._ask("Input.insertText", text=text)

    def accessible(self):
        """[(role, name, properties)] as a screen reader is told, without what is ignored."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        return [
            (
                node["role"]["value"],
                node.get("name", {}).get("value", ""),
                {item["name"]: item["value"].get("value") for item in node.get("properties", ())},
            )
            for node in nodes
            if not node["ignored"]
        ]

    def picture(self, path):
        shot = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _ask(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == message["id"]:
                assert "error" not in heard, heard["error"]
                return heard["result"]

    def _hear(self):
        while b"\0" not in self._rest:
            read = os.read(self._from, 1 << 20)
            assert read, "the browser has ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        heard = json.loads(line)
        about = heard.get("params", {})
        match heard.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                self.errors.append(about["exceptionDetails"])
            case "Log.entryAdded" if about["entry"]["level"] == "error":
                self.errors.append(about["entry"])
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
        return heard
