# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the Markdown pages for docs.ansible.com, and build a docsite of this collection alone.

    python -m tests.tools.docsite render    # README*.md and docs/*.md -> docs/docsite/rst, with pandoc
    python -m tests.tools.docsite build     # build/docsite/build/html, with "antsibull-docs sphinx-init"

Galaxy reads Markdown in docs/, antsibull-docs reads RST in docs/docsite/rst. "make docs" renders. Each rendered file has the checksum
of its page, so that a test without pandoc finds one that is out of date.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RST = ROOT / "docs" / "docsite" / "rst"
SITE = ROOT / "build" / "docsite"
BIN = Path(sys.executable).parent
LABEL = "ansible_collections.ctyun.eci.docsite."
HEAD = """\
..
  Copyright (c) ctyun.eci contributors
  GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later
  Rendered by "make docs" from {name}: change that file, not this one. {checksum}

.. _{label}:

"""
# What sphinx-init cannot set: no inventories of other projects, since they would be downloaded, and so no errors for labels of Ansible's
# own documentation; Chinese words in the search.
CONF = """
intersphinx_mapping = {}
suppress_warnings = ['ref.ref']
html_search_language = 'zh'
"""

Node = dict[str, Any]


def pages() -> dict[Path, Path]:
    """The pages for users, each with its rendered file."""
    found = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    names = {page: page.stem.replace("README", "readme").replace(".zh-CN", "_zh") for page in found}
    return {page: RST / f"{name}.rst" for page, name in names.items()}


def linked() -> set[str]:
    """The anchors to which a page links. Only these headings get a label."""
    texts = [page.read_text(encoding="utf-8") for page in pages()]
    return {anchor for text in texts for anchor in re.findall(r"\]\([^)\s]*#([^)\s]+)\)", text)}


def checksum(page: Path) -> str:
    return f"sha256:{hashlib.sha256(page.read_bytes()).hexdigest()[:16]}"


def nodes(tree: Any) -> Iterator[Node]:
    """Each element of a document as pandoc has it in JSON."""
    if isinstance(tree, dict):
        if "t" in tree:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from nodes(part)


def plain(inlines: list[Node]) -> str:
    return "".join(" " if "c" not in one else one["c"] if one["t"] == "Str" else one["c"][1] for one in inlines)


def link(page: Path, node: Node) -> None:
    """Turn a link to a page into a reference, and a link to another file of the repository, which has no public address, into text."""
    text, (target, _title) = node["c"][1], node["c"][2]
    path, _mark, anchor = target.partition("#")
    if "://" in target:
        return
    rendered = pages().get((page.parent / path).resolve() if path else page)
    if rendered:
        label = f"{LABEL}{rendered.stem}" + (f".{anchor}" if anchor else "")
        node.update(t="Code", c=[["", ["interpreted-text"], [["role", "ref"]]], f"{plain(text)} <{label}>"])
    else:
        node.update(t="Span", c=[["", [], []], text])


def converted(page: Path) -> str:
    import pypandoc  # of requirements/docsite.txt

    document = json.loads(pypandoc.convert_file(str(page), "json", format="gfm+east_asian_line_breaks"))
    label = f"{LABEL}{pages()[page].stem}"
    blocks: list[Node] = []
    for block in document["blocks"]:
        if block["t"] == "Header":
            # pandoc would make a label of it, which antsibull-docs refuses
            anchor, block["c"][1][0] = block["c"][1][0], ""
            if anchor in linked():
                blocks.append({"t": "RawBlock", "c": ["rst", f".. _{label}.{anchor}:"]})
        if block["t"] != "RawBlock":  # a comment
            blocks.append(block)
    for node in list(nodes(blocks)):
        if node["t"] == "Link":
            link(page, node)
        elif node["t"] == "Image" and "://" not in node["c"][2][0]:
            picture = base64.b64encode((page.parent / node["c"][2][0]).read_bytes()).decode()
            node["c"][2][0] = f"data:image/svg+xml;base64,{picture}"
    document["blocks"] = blocks
    options = ["--wrap=preserve", "--list-tables"]
    text = str(pypandoc.convert_text(json.dumps(document), "rst", format="json", extra_args=options))
    text = re.sub(r"^(\.\. _[^\n]+:)$", r"\1\n", text, flags=re.MULTILINE)  # a label needs a blank line after it
    name = page.relative_to(ROOT).as_posix()
    return HEAD.format(name=name, checksum=checksum(page), label=label) + text


def render() -> None:
    for page, target in pages().items():
        target.write_text(converted(page), encoding="utf-8")


def build() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True, mode=0o755)
    # it calls the ansible-doc and the Sphinx of its own environment
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    names = ["--title", "ctyun.eci", "--project", "ctyun.eci", "--copyright", "ctyun.eci contributors"]
    front_page = ["--index-rst-source", str(ROOT / "docs" / "docsite" / "index.rst")]
    init = ["antsibull-docs", "sphinx-init", "--use-current", "--fail-on-error", "--dest-dir", str(SITE)]
    subprocess.run([*init, *front_page, *names, "ctyun.eci"], env=environment, check=True)
    with (SITE / "conf.py").open("a", encoding="utf-8") as file:
        file.write(CONF)
    # galaxy.yml has no address yet, and antsibull-docs makes a link of the words in its place
    script = (SITE / "build.sh").read_text(encoding="utf-8")
    no_link = 'sed -i \'/url: "not published yet"/{N;d}; /title: "Repository (Sources)"/d\' rst/collections/ctyun/eci/index.rst\n'
    (SITE / "build.sh").write_text(script.replace("sphinx-build", no_link + "sphinx-build"), encoding="utf-8")
    subprocess.run(["bash", SITE / "build.sh"], env=environment, check=True)
    print(f"The docsite is at {(SITE / 'build' / 'html' / 'index.html').relative_to(ROOT)}.")


if __name__ == "__main__":
    {"render": render, "build": build}[sys.argv[1]]()
