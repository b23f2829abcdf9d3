# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the docsite into build/docsite/html: the modules as antsibull-docs renders them, and the Markdown pages of docs/.

"make docsite" calls it. The pages, and the files that they link to, are copied to the same paths below the source folder of Sphinx, so
that their links need no change.
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
# A line break between two Chinese characters, which a browser would show as a space.
CHINESE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
BROKEN_CHINESE = re.compile(rf"(?<={CHINESE})\n *(?={CHINESE})")

# Changes to the output of antsibull-docs: the title without capitals, no table of contents (the theme has one beside the page), the whole
# titles of the modules in the list of pages, and no links for which galaxy.yml has no address yet.
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
# Comments in docs/docsite/rst that list the Markdown pages of an index. A docsite of many collections has no such pages.
PAGES = re.compile(r"^\.\. pages:\n((?:   \S+\n)+)", re.MULTILINE)


def pages_and_linked_files() -> list[Path]:
    found: list[Path] = []
    queue = sorted((ROOT / "docs").glob("**/*.md"))
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


def index(text: str) -> str:
    """The tidied text of a .rst file with a table of contents for each list of pages. A pattern means all pages not listed otherwise."""
    for pattern, replacement in TIDY:
        text = pattern.sub(replacement, text)
    names = [name for block in PAGES.findall(text) for name in block.split()]

    def others(pattern: str) -> list[str]:
        found = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob(f"{pattern}.md"))
        return [name for name in found if name not in names]

    def toctree(block: re.Match[str]) -> str:
        listed = [found for name in block[1].split() for found in (others(name) if "*" in name else [name])]
        return ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   /{name}\n" for name in listed)

    return PAGES.sub(toctree, text)


def page(path: Path) -> str:
    """The text of a page without links to folders, which the site does not show, and without spaces in Chinese sentences."""

    def link(match: re.Match[str]) -> str:
        return match["text"] if (path.parent / match["target"]).is_dir() else match[0]

    text = path.read_text(encoding="utf-8")
    prose = [BROKEN_CHINESE.sub("", LINK.sub(link, part)) for part in FENCED.split(text)]
    return "".join(part + block for part, block in zip(prose, [*FENCED.findall(text), ""], strict=True))


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    source = SITE / "source"
    source.mkdir(parents=True, mode=0o755)
    (SITE / "antsibull-docs.cfg").write_text(CONFIG, encoding="utf-8")
    antsibull: list[str | Path] = [BIN / "antsibull-docs", "--config-file", SITE / "antsibull-docs.cfg", "collection"]
    options = ["--use-current", "--squash-hierarchy", "--no-indexes", "--fail-on-error"]
    # it calls the ansible-doc of its own environment
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([*antsibull, *options, "--dest-dir", source, "ctyun.eci"], env=environment, check=True)
    for path in source.glob("**/*.rst"):
        path.write_text(index(path.read_text(encoding="utf-8")), encoding="utf-8")
    # It lists the variables of configured plugins, and there are none; docs/docsite/rst has those of the modules.
    (source / "environment_variables.rst").unlink()
    for path in pages_and_linked_files():
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(page(path), encoding="utf-8")
        else:
            shutil.copyfile(path, target)
    options = ["-b", "html", "-W", "--keep-going", "-q", "-c", str(Path(__file__).parent)]
    subprocess.run([BIN / "sphinx-build", *options, "-d", SITE / "doctrees", source, SITE / "html"], check=True)
    print(f"The docsite is at {(SITE / 'html' / 'index.html').relative_to(ROOT)}.")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{Path(error.cmd[0]).name} failed, see above.")
