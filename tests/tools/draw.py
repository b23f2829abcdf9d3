# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of the READMEs, as SVG. "make docs" writes them, see render_docs.py.

They have a ground of their own, so that they can be read on any page, and follow the reader's wish for dark or light.
No font is loaded: texts have room for the widest that a system may choose.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

HEAD = """\
<!--
Copyright (c) ctyun.eci contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Drawn by "make docs" with tests/tools/draw.py: change that file, not this one. -->
"""

STYLE = """\
text { font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-size: 15px; fill: #1f2328 }
.code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px }
.title { font-weight: 600; font-size: 16px }
.quiet { fill: #57606a; font-size: 14px }
.on { fill: #ffffff; font-weight: 600; font-size: 14px }
.ground { fill: #ffffff; stroke: #d0d7de }
.box { fill: #f6f8fa; stroke: #8c959f }
.line { fill: none; stroke: #57606a; stroke-width: 2 }
.head { fill: #57606a }
.good { fill: #1a7f37 }
.slow { fill: #9a6700 }
.axis { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .box { fill: #151b23; stroke: #656c76 }
  .line { stroke: #9198a1 }
  .head { fill: #9198a1 }
  .on { fill: #ffffff }
  .good { fill: #238636 }
  .axis { stroke: #3d444d }
}
"""

OVERVIEW = {
    "en": {
        "title": "A playbook keeps an image cache, from which container groups start without pulling images",
        "playbook": "your playbook",
        "check": "checked, signed,",
        "once": "created once",
        "cache": "image cache",
        "disk": ("a disk of CTYun ECI", "with the images", "unpacked on it"),
        "fact": "its ID",
        "groups": "container groups",
        "time": "From the request to a running container (not to scale)",
        "without": "without a cache",
        "with": "with a cache",
        "pull": "pull the images",
        "unpack": "unpack",
        "start": "start",
    },
    "zh": {
        "title": "playbook 维护镜像缓存，容器组用它启动，无需拉取镜像",
        "playbook": "您的 playbook",
        "check": "检查、签名，",
        "once": "只创建一次",
        "cache": "镜像缓存",
        "disk": ("天翼云 ECI 的云盘，", "镜像已经", "解压在上面"),
        "fact": "缓存 ID",
        "groups": "容器组",
        "time": "从请求到容器运行（示意，未按比例）",
        "without": "没有镜像缓存",
        "with": "有镜像缓存",
        "pull": "拉取镜像",
        "unpack": "解压",
        "start": "启动",
    },
}
CODE = [
    "- ctyun.eci.image_cache:",
    "    imageCacheName: web",
    "    images: [web:1.4]",
    "    azInfo: {azName: az1}",
    "    ...",
]

SPEED = {
    "en": "100 image caches: seconds for the whole playbook, against the emulator",
    "zh": "100 个镜像缓存：整个 playbook 的耗时（秒），对模拟器",
}


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    space = ' xml:space="preserve"' if kind == "code" else ""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}"{space}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str = "box", radius: float = 8) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" class="{kind}"/>'


def arrow(x: float, y: float, to: float, lower: float = 0) -> str:
    """From left to right, and down by ``lower``."""
    middle = (x + to - 8) / 2
    end = y + lower
    return (
        f'<path d="M{x:g} {y:g} C{middle:g} {y:g} {middle:g} {end:g} {to - 8:g} {end:g}" class="line"/>'
        f'<path d="M{to:g} {end:g} l-10 -5 v10 z" class="head"/>'
    )


def svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    return (
        f'{HEAD}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n'
        f"{box(0.5, 0.5, width - 1, height - 1, 'ground', 12)}\n" + "\n".join(parts) + "\n</svg>\n"
    )


def overview(language: str) -> str:
    """Playbook -> image cache -> container groups, and what is saved."""
    words = OVERVIEW[language]
    disk = words["disk"]
    assert isinstance(disk, tuple)
    word = {name: value for name, value in words.items() if isinstance(value, str)}
    parts = [
        text(150, 38, word["playbook"], "title"),
        box(24, 52, 252, 128),
        *(text(40, 80 + 22 * line, code, "code", "start") for line, code in enumerate(CODE)),
        text(352, 96, word["check"], "quiet"),
        arrow(290, 116, 414),
        text(352, 142, word["once"], "quiet"),
        text(510, 38, word["cache"], "title"),
        # a disk
        '<path d="M428 70 v92 a82 18 0 0 0 164 0 v-92" class="box"/><ellipse cx="510" cy="70" rx="82" ry="18" class="box"/>',
        *(text(510, 112 + 20 * line, words_) for line, words_ in enumerate(disk)),
        text(662, 64, word["fact"], "quiet"),
        *(arrow(604, 116, 722, lower) for lower in (-44, 0, 44)),
        text(800, 38, word["groups"], "title"),
        *(box(730, 56 + 44 * row, 140, 32) for row in range(3)),
        *(
            box(742 + 26 * column, 64 + 44 * row, 18, 16, "good", 3)
            for row in range(3)
            for column in range(2 + row % 2)
        ),
        text(24, 222, word["time"], "quiet", "start"),
        text(160, 256, word["without"], "", "end"),
        box(176, 238, 380, 28, "slow", 4),
        text(366, 257, word["pull"], "on"),
        box(560, 238, 150, 28, "slow", 4),
        text(635, 257, word["unpack"], "on"),
        box(714, 238, 100, 28, "good", 4),
        text(764, 257, word["start"], "on"),
        text(160, 296, word["with"], "", "end"),
        box(176, 278, 100, 28, "good", 4),
        text(226, 297, word["start"], "on"),
    ]
    return svg(896, 328, word["title"], parts)


def bars(language: str, rows: list[tuple[str, float, bool]]) -> str:
    """A bar for each row: what it is, its seconds, and whether it is ours."""
    title = SPEED[language]
    most = max(seconds for _name, seconds, _ours in rows)
    parts = [text(24, 36, title, "title", "start")]
    left, width = 310, 510
    for number, (name, seconds, ours) in enumerate(rows):
        top = 58 + 42 * number
        length = max(3.0, width * seconds / most)
        parts += [
            text(left - 12, top + 20, name, "", "end"),
            box(left, top, length, 28, "good" if ours else "slow", 4),
            text(left + length + 8, top + 20, f"{seconds:.1f} s", "", "start"),
        ]
    bottom = 58 + 42 * len(rows)
    parts.append(f'<path d="M{left} 52 V{bottom - 6}" class="axis"/>')
    return svg(896, bottom + 8, title, parts)
