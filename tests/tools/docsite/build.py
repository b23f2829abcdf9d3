# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the docsite into build/docsite/html: the modules as antsibull-docs renders them, and the pages of docs/.

    python -m tests.tools.docsite.build

The pages stay where they are, since GitHub shows them there and tests run them. They are copied to the same places below the
source folder of Sphinx, with the files that they link to, so their links need no change. "make docsite" calls this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SITE = ROOT / "build" / "docsite"
BIN = Path(sys.executable).parent

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")

# A line that goes on in Chinese after Chinese: the end of the line would be shown as a space.
CHINESE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
BROKEN_CHINESE = re.compile(rf"(?<={CHINESE})\n *(?={CHINESE})")

# What antsibull-docs writes and this site does better: a title with capitals, a table of contents (the theme has one beside the
# page), the whole title of a module in the list of pages, a list without the guides, and links for which galaxy.yml has no
# address yet.
TIDY = (
    (re.compile(r"^Ctyun\.Eci\b", re.MULTILINE), "ctyun.eci"),
    (re.compile(r"^\.\. contents::.*\n( *:.*\n)*", re.MULTILINE), ""),
    (re.compile(r"^    :maxdepth: 1$", re.MULTILINE), "    :maxdepth: 2"),
    (re.compile(r"^    (\w+)_module$", re.MULTILINE), r"    \1 <\1_module>"),
    (re.compile(r'^  - title: .*\n    url: "(?!https?://).*\n    external: true\n', re.MULTILINE), ""),
)
CONFIG = """\
collection_install = {
  ctyun.eci = ansible-galaxy collection install build/dist/ctyun-eci-*.tar.gz
}
"""


# Comments in docs/docsite/rst that say which pages belong there. A docsite of many collections has no Markdown pages.
PAGES = re.compile(r"^\.\. pages:\n((?:   \S+\n)+)", re.MULTILINE)


def pages() -> list[Path]:
    return sorted((ROOT / "docs").glob("**/*.md"))


def with_what_they_link(pages: list[Path]) -> list[Path]:
    """These pages, the files and pages that they link to, and so on."""
    found: list[Path] = []
    queue = list(pages)
    while queue:
        path = queue.pop(0)
        if path in found:
            continue
        found.append(path)
        if path.suffix == ".md":
            links = LINK.finditer(FENCED.sub("", path.read_text(encoding="utf-8")))
            targets = [(path.parent / link["target"]).resolve() for link in links if "://" not in link["target"]]
            queue += [target for target in targets if target.is_file()]
    return found


def tidy(text: str) -> str:
    """What antsibull-docs wrote, as this site wants it."""
    for pattern, replacement in TIDY:
        text = pattern.sub(replacement, text)
    return text


def with_toctrees(text: str) -> str:
    """The text of an index with a table of contents for each list of pages. A pattern stands for all that is listed nowhere else."""
    names = [name for block in PAGES.findall(text) for name in block.split()]

    def toctree(block: re.Match[str]) -> str:
        listed = [found for name in block[1].split() for found in (others(name) if "*" in name else [name])]
        return ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   /{name}\n" for name in listed)

    def others(pattern: str) -> list[str]:
        found = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob(f"{pattern}.md"))
        return [name for name in found if name not in names]

    return PAGES.sub(toctree, text)


def as_page(path: Path) -> str:
    """The text of a page as the site wants it: no links to folders, which it does not show, and no spaces in Chinese sentences."""

    def link(match: re.Match[str]) -> str:
        return match["text"] if (path.parent / match["target"]).is_dir() else match[0]

    def prose(text: str) -> str:
        return BROKEN_CHINESE.sub("", LINK.sub(link, text))

    text = path.read_text(encoding="utf-8")
    blocks = FENCED.findall(text)
    between = FENCED.split(text)
    return "".join(prose(text) + block for text, block in zip(between, [*blocks, ""], strict=True))


def copy(source: Path) -> None:
    for path in with_what_they_link(pages()):
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(as_page(path), encoding="utf-8")
        else:
            shutil.copyfile(path, target)


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    source = SITE / "source"
    source.mkdir(parents=True, mode=0o755)
    (SITE / "antsibull-docs.cfg").write_text(CONFIG, encoding="utf-8")
    antsibull: list[str | Path] = [BIN / "antsibull-docs", "--config-file", SITE / "antsibull-docs.cfg", "collection"]
    options = ["--use-current", "--squash-hierarchy", "--no-indexes", "--fail-on-error"]
    # it calls ansible-doc, that of its own environment
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([*antsibull, *options, "--dest-dir", source, "ctyun.eci"], env=environment, check=True)
    for path in source.glob("**/*.rst"):
        path.write_text(with_toctrees(tidy(path.read_text(encoding="utf-8"))), encoding="utf-8")
    # It lists those of plugins that are configured, of which there are none; docs/docsite/rst has those of modules.
    (source / "environment_variables.rst").unlink()
    copy(source)
    sphinx: list[str | Path] = [
        BIN / "sphinx-build",
        "-b",
        "html",
        "-c",
        Path(__file__).parent,
        "-W",
        "--keep-going",
        "-q",
    ]
    subprocess.run([*sphinx, "-d", SITE / "doctrees", source, SITE / "html"], check=True)
    print(f"The docsite is at {(SITE / 'html' / 'index.html').relative_to(ROOT)}.")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed, see above.")
