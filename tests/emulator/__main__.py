# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: serve until a signal, or for as long as a command runs."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from . import like, worlds
from .documented import PASSWORD, documented, fill
from .runner import Emulator
from .settings import Settings, parse_setting

_STOPPING = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    own, command = _split(list(arguments))
    parser = _parser()
    options = parser.parse_args(own)
    if options.registry and (options.tls or not command):
        parser.error("--registry needs a command, and goes without --tls: each has authorities of its own")
    try:
        emulator = Emulator(tls=options.tls, **_settings(options).as_dict())
        if options.world:
            worlds.prepare(emulator, options.world)
    except ValueError as error:
        parser.error(str(error))
    try:
        emulator.start()
        if options.env_file is not None:
            _write(options.env_file, _exports(emulator))
    except (OSError, ImportError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    try:
        if options.registry:
            with documented(PASSWORD) as registry:
                fill(registry)
                return _run(command, {**emulator.environment, **registry.environment, "REGISTRY_PASSWORD": PASSWORD})
        return _run(command, {**_nothing_else(emulator), **emulator.environment}) if command else _serve(emulator)
    finally:
        emulator.stop()


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    position = arguments.index("--")
    return arguments[:position], arguments[position + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulator",
        usage="%(prog)s [options] [-- COMMAND ARGUMENT...]",
        description="Emulates CTYun's ECI image-cache service on 127.0.0.1. With a command: runs it with the"
        " emulator's environment, in which nothing else is reached over https, and ends with its exit status.",
    )
    parser.add_argument("--tls", action="store_true", help="serve https, with a certificate made for this run")
    parser.add_argument("--registry", action="store_true", help="have a Docker Hub and a registry of CTYun as well")
    parser.add_argument("--world", metavar="W", help=f"start with image caches that exist: {', '.join(worlds.names())}")
    parser.add_argument("--latency-ms", type=float, metavar="N", help="milliseconds each request takes")
    parser.add_argument("--ready-after", type=float, metavar="S", help="seconds until a new cache is ready")
    parser.add_argument("--quota", type=int, metavar="N", help="how many image caches there may be")
    parser.add_argument("--like", type=Path, metavar="F", help="have the habits in a report of tools/wire_check")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting")
    parser.add_argument("--env-file", type=Path, metavar="F", help="write export lines to F once ready")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    given: dict[str, object] = {
        "latency": None if options.latency_ms is None else options.latency_ms / 1000,
        "ready_after": options.ready_after,
        "quota": options.quota,
    }
    settings = Settings()
    if options.like is not None:
        likeness = like.read(options.like)
        settings.update(likeness.settings)
        if likeness.left:
            print(f"{options.like}: not taken over: {', '.join(likeness.left)}", file=sys.stderr)
    settings.update({name: value for name, value in given.items() if value is not None})
    settings.update(dict(parse_setting(text) for text in options.set))
    return settings


def _exports(emulator: Emulator) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in emulator.environment.items())


def _write(path: Path, text: str) -> None:
    # Nobody who waits for the file may see half of it.
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _serve(emulator: Emulator) -> int:
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in _STOPPING:
        signal.signal(number, end)
    print(f"{_exports(emulator)}# This is an emulator, not CTYun. Ctrl-C ends it.", flush=True)
    ended.wait()
    return 0


def _nothing_else(emulator: Emulator) -> dict[str, str]:
    """What keeps a command from the real service, also where a playbook names its endpoint: the emulator as a proxy, which makes no tunnels."""
    direct = "127.0.0.1,localhost"
    return {"https_proxy": emulator.url, "HTTPS_PROXY": emulator.url, "no_proxy": direct, "NO_PROXY": direct}


def _run(command: list[str], environment: dict[str, str]) -> int:
    running: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        # Ctrl-C reaches the command by itself: both are in the terminal's foreground group.
        if number != signal.SIGINT:
            for process in running:
                process.send_signal(number)

    # Handlers, not SIG_IGN, which the command would inherit.
    for number in _STOPPING:
        signal.signal(number, forward)
    try:
        running.append(subprocess.Popen(command, env={**os.environ, **environment}))
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    status = running[0].wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
