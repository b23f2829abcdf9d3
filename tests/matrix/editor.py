# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an editor shows of the collection: ask the language server that editors ask, as an editor does.

    python -m tests.matrix.editor

The server comes from npm, in the release that package.json names, which runs from Node.js 14 on. Without node it is left out.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .environments import FOLDER, ROOT

NODE = FOLDER / "node"
SERVER = NODE / "node_modules" / ".bin" / "ansible-language-server"
# An editor that waits longer than this for an answer shows none.
_LONGEST = 120.0

# Where something is asked stands a mark, which is taken out: what may stand here, or what the word here means.
_PLAYBOOK = """\
---
- name: An image cache
  hosts: localhost
  tasks:
    - name: Create it
      ctyun.eci.image_cache:
        name: web
        @option@
    - name: Create it in a zone
      ctyun.eci.image_cache:
        az_info:
          @zone@
    - name: Create some
      ctyun.eci.image_caches:
        image_caches:
          - name: web
            @entry@
    - name: Say how large it is
      ctyun.eci.image_cache:
        image_cache_@size@size: 40
"""
# What has to be offered at a mark.
OFFERED = {
    "option": {
        "images",
        "image_cache_size",
        "vpc_id",
        "v_switch_id",
        "security_group_id",
        "az_info",
        "tags",
        "state",
        "vpcId",
    },
    "zone": {"az_name", "azName"},
    "entry": {"images", "vpc_id", "az_info", "tags"},
}
_WRONG = """\
---
- name: An image cache
  hosts: localhost
  tasks:
    - name: Create it
      ctyun.eci.image_cache:
        name: web
        tag: []
"""


class NoAnswer(Exception):
    """The server is silent, has ended, or said that it cannot answer."""


class Server:
    """A language server, spoken to by JSON-RPC over its standard input and output."""

    def __init__(self, folder: Path) -> None:
        command = ["node", str(SERVER), "--stdio"]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._number = 0
        # diagnostics by the address of a file, as they were told last
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, **parameters: Any) -> Any:
        """The result of a request. Raises NoAnswer."""
        self._number += 1
        number = self._number
        self._send(id=number, method=method, params=parameters)
        for message in self._messages():
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise NoAnswer(f"{method}: {message['error']}")
                return message.get("result")
        raise NoAnswer(method)

    def tell(self, method: str, **parameters: Any) -> None:
        self._send(method=method, params=parameters)

    def wait_for_diagnostics(self, uri: str) -> list[dict[str, Any]]:
        """What is wrong with a file. The server tells it first what it knows without a look, then again."""
        for _message in self._messages():
            if self.diagnostics.get(uri):
                return self.diagnostics[uri]
        raise NoAnswer("textDocument/publishDiagnostics")

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What the server says, until it is silent for too long. What it asks itself is answered here."""
        until = time.monotonic() + _LONGEST
        while (left := until - time.monotonic()) > 0:
            try:
                message = self._said.get(timeout=left)
            except queue.Empty:
                return
            if message is None:
                raise NoAnswer("the server has ended")
            if "method" in message and "id" in message:
                # the settings: an empty object for each that is asked for stands for the server's own
                wants = message["params"].get("items", []) if message["method"] == "workspace/configuration" else None
                self._send(id=message["id"], result=None if wants is None else [{} for _one in wants])
            elif message.get("method") == "textDocument/publishDiagnostics":
                self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
            yield message

    def _send(self, **message: Any) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
            stream.flush()
        except OSError as error:
            raise NoAnswer("the server has ended") from error

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while (length := _length(stream)) is not None:
            self._said.put(json.loads(stream.read(length)))
        self._said.put(None)


def _length(stream: IO[bytes]) -> int | None:
    """The length that the head of the next message tells, or None at the end."""
    length = None
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return length


def placed(text: str) -> tuple[str, dict[str, dict[str, int]]]:
    """The text without its marks, and where each of them stood."""
    places: dict[str, dict[str, int]] = {}
    lines = text.splitlines()
    for row, line in enumerate(lines):
        before, mark, rest = line.partition("@")
        if mark:
            name, _mark, after = rest.partition("@")
            places[name] = {"line": row, "character": len(before)}
            lines[row] = before + after
    return "\n".join(lines) + "\n", places


def lacking(server: Server, folder: Path) -> list[str]:
    """What the server should have shown and did not."""
    uri = folder.as_uri()
    abilities = {"workspace": {"workspaceFolders": True, "configuration": True}}
    folders = [{"uri": uri, "name": folder.name}]
    server.ask("initialize", processId=os.getpid(), rootUri=uri, capabilities=abilities, workspaceFolders=folders)
    server.tell("initialized")
    text, places = placed(_PLAYBOOK)
    file = _open(server, folder / "playbook.yml", text)
    wrong: list[str] = []
    for name, labels in OFFERED.items():
        answer = server.ask("textDocument/completion", textDocument={"uri": file}, position=places[name])
        items = answer["items"] if isinstance(answer, dict) else answer or []
        missing = labels - {item["label"] for item in items}
        if missing:
            wrong.append(f"offers no {', '.join(sorted(missing))} ({name})")
    shown = server.ask("textDocument/hover", textDocument={"uri": file}, position=places["size"])
    if "size of the image cache in GB" not in json.dumps(shown):
        wrong.append("shows no documentation of image_cache_size")
    told = server.wait_for_diagnostics(_open(server, folder / "wrong.yml", _WRONG))
    if not any("Unsupported parameters" in one["message"] and "tag" in one["message"] for one in told):
        wrong.append(f"does not find that tag is no option, only {[one['message'] for one in told]}")
    return wrong


def _open(server: Server, path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    document = {"uri": path.as_uri(), "languageId": "ansible", "version": 1, "text": text}
    server.tell("textDocument/didOpen", textDocument=document)
    return path.as_uri()


def install() -> None:
    """Install the server, if it is not there in this release."""
    wanted = Path(__file__).with_name("package.json").read_text(encoding="utf-8")
    stamp = NODE / "package.json"
    if SERVER.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    NODE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")
    settings = {**os.environ, "HOME": os.environ.get("USER_HOME", os.environ["HOME"])}
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "install", *options], cwd=NODE, env=settings, check=True)


def main() -> int:
    if not (shutil.which("node") and shutil.which("npm")):
        print("skip            editor: there is no node with npm here, so what editors show was not tried")
        return 0
    began = time.monotonic()
    install()
    # the server passes over links, as the one below build/collections
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / "build" / "tree")
    with tempfile.TemporaryDirectory(prefix="ctyun-eci-") as folder:
        server = Server(Path(folder))
        try:
            wrong = lacking(server, Path(folder))
        except NoAnswer as error:
            wrong = [f"has no answer: {error}"]
        finally:
            server.close()
    print(f"{'FAIL' if wrong else 'ok':4} {time.monotonic() - began:6.1f} s  editor: completion, hover and diagnostics")
    for one in wrong:
        print(f"     it {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
