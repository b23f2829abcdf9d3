# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a README from the top, as a reader who has Python, Git and make and nothing else.

    python -m tests.tools.follow [--fresh] README.md README.zh-CN.md

All its blocks are taken in their order, in one shell whose home is empty and which stands in a copy of the checkout: a ``yaml`` block that begins
with the comment "# NAME.yml" is saved under that name, a ``shell`` block is run, and the lines of the ``text`` blocks must be in what was
printed, in their order. The first command that fails ends it.

The copy borrows the virtual environment of this checkout. With --fresh, it is a clone without one, and belongs to the user nobody if root says so.

The block that sets the access key is run as it stands, with the values that stand there. From that block on the shell is in a network
whose only way out is a proxy, behind which the emulator stands in for the service, with a certificate for the service's name, and takes
these values for the right ones. So nothing has to be changed in the commands, and they cannot reach the service.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.emulator import Emulator, Proxy, Record
from tests.tools import tree
from tests.tools.shown import missing

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "eci-global.ctapi.ctyun.cn:443"
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\A# (?P<name>[\w.-]+\.yml)\n")
KEYS = re.compile(r"\b(CTYUN_AK|CTYUN_SK|CTYUN_REGION_ID)=(\S+)")
# How a machine reaches the registries of packages; all else of the environment is left behind.
KEPT = re.compile(r"PIP_\w+|SSL_CERT_(FILE|DIR)|\w*CA_?BUNDLE|GIT_SSL_CAINFO|https?_proxy|no_proxy", re.IGNORECASE)
NOT_KEPT = ("PIP_CACHE_DIR", "PIP_TARGET", "PIP_USER", "PIP_PREFIX")


class Block(NamedTuple):
    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The name under which a reader saves it."""
        name = FILE.match(self.text) if self.kind == "yaml" else None
        return name["name"] if name else None

    @property
    def commands(self) -> list[str]:
        """What is run, without the comments."""
        return [line for line in (re.sub(r" *(^| )# .*", "", line) for line in self.text.splitlines()) if line]


class Followed(NamedTuple):
    """How far it went."""

    status: int
    printed: str
    lost: list[str]
    requests: list[Record]


def blocks(path: Path) -> list[Block]:
    return [Block(block["kind"], block["text"]) for block in BLOCK.finditer(path.read_text(encoding="utf-8"))]


def script(found: list[Block], stand_in: dict[str, str]) -> str:
    """One shell script of all blocks. The variables of the stand-in come right before the access key."""
    lines = ["set -eu"]
    for block in found:
        if block.file:
            lines.append(f"cat > {shlex.quote(block.file)} <<'END OF FILE'\n{block.text}END OF FILE")
        elif block.kind == "shell":
            if "CTYUN_AK=" in block.text:
                lines += [
                    "unset CTYUN_ECI_ENDPOINT",
                    *(f"export {name}={shlex.quote(stand_in[name])}" for name in stand_in),
                ]
            lines += [f"printf '%s\\n' {shlex.quote('$ ' + line)}\n{line}" for line in block.text.splitlines()]
    return "\n".join(lines) + "\n"


def copy(target: Path) -> None:
    """What Git would commit of this checkout, as a repository with one commit."""
    for name in tree.wanted():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    (target / ".venv").unlink(missing_ok=True)
    identity = ["-c", "user.name=reader", "-c", "user.email=reader@example.invalid"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=checkout"]):
        subprocess.run(["git", "-C", str(target), *arguments], check=True)


def borrow(target: Path) -> None:
    """The virtual environment of this checkout, taken for up to date."""
    (target / ".venv").symlink_to((ROOT / ".venv").resolve())
    with (target / ".git" / "info" / "exclude").open("a") as excluded:
        excluded.write("/.venv\n")
    for requirements in (target / "requirements").iterdir():
        os.utime(requirements, (0, 0))


@contextlib.contextmanager
def stand_in(found: list[Block]) -> Iterator[tuple[Emulator, dict[str, str]]]:
    """The service behind a proxy, with the keys of the page."""
    keys = {name: value for block in found if block.kind == "shell" for name, value in KEYS.findall(block.text)}
    values = {"access_key": keys["CTYUN_AK"], "secret_key": keys["CTYUN_SK"], "region_id": keys["CTYUN_REGION_ID"]}
    with Emulator(tls=True, ready_after=0, **values) as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with Proxy({SERVICE: port}) as proxy:
            assert emulator.ca_file
            os.chmod(emulator.ca_file, 0o644)
            os.chmod(Path(emulator.ca_file).parent, 0o755)
            variables = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"), proxy.url)
            variables |= {"no_proxy": "", "NO_PROXY": "", "REQUESTS_CA_BUNDLE": emulator.ca_file}
            yield emulator, variables


def follow(path: Path, *, fresh: bool = False, python: str | None = None) -> Followed:
    """Follow the page in a copy, or in a fresh clone."""
    found = blocks(path)
    with tempfile.TemporaryDirectory(prefix="reader-") as folder, stand_in(found) as (emulator, variables):
        place = Path(folder)
        checkout, home, tools = place / "checkout", place / "home", place / "bin"
        home.mkdir()
        tools.mkdir()
        user = None
        if fresh:
            copy(place / "origin")
            subprocess.run(["git", "clone", "--quiet", str(place / "origin"), str(checkout)], check=True)
            if os.geteuid() == 0:
                user = pwd.getpwnam("nobody")
                place.chmod(0o755)
                _give(place, user)
        else:
            checkout.mkdir()
            copy(checkout)
            borrow(checkout)
        (tools / "python3").symlink_to(_python(python, user))
        kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name) and name not in NOT_KEPT}
        run = subprocess.run(
            ["bash", "-c", script(found, variables)],
            cwd=checkout,
            env={**kept, "HOME": str(home), "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "PWD": str(checkout)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=900,
            check=False,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        shown = [line for block in found if block.kind == "text" for line in block.text.splitlines()]
        return Followed(run.returncode, run.stdout, missing(shown, run.stdout, ""), emulator.requests)


def _python(wanted: str | None, user: pwd.struct_passwd | None) -> str:
    """A Python that the reader can run and that can make virtual environments: of root's own, nobody may have none."""
    candidates = (
        [wanted] if wanted else [os.path.realpath(sys.executable), "/usr/local/bin/python3", "/usr/bin/python3"]
    )
    check = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    for candidate in candidates:
        with contextlib.suppress(OSError):
            run = subprocess.run(
                [candidate, "-c", check],
                cwd="/",
                capture_output=True,
                check=False,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
            if run.returncode == 0:
                return candidate
    sys.exit(f"None of these is a Python 3.11 or newer, with venv, that the reader can run: {', '.join(candidates)}.")


def _give(place: Path, user: pwd.struct_passwd) -> None:
    for folder, folders, files in os.walk(place):
        for name in (".", *folders, *files):
            os.chown(Path(folder) / name, user.pw_uid, user.pw_gid, follow_symlinks=False)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.follow", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--fresh", action="store_true", help="in a clone without a virtual environment")
    parser.add_argument("--python", help="the Python that the reader has, if not this one")
    parser.add_argument("page", nargs="+", type=Path)
    options = parser.parse_args()
    failed = False
    for path in options.page:
        print(f"Following {path.name}", flush=True)
        followed = follow(path, fresh=options.fresh, python=options.python)
        print(followed.printed)
        for line in followed.lost:
            print(f"{path.name} shows what was not printed: {line}")
        bad = bool(followed.status or followed.lost)
        print(f"{path.name}: {'FAILED, see above' if bad else 'followed to its end'}", flush=True)
        failed = failed or bad
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
