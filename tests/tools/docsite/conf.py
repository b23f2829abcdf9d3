# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of Sphinx; see build.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.search.en import SearchEnglish

project = "ctyun.eci"
project_copyright = "ctyun.eci contributors"
html_title = "ctyun.eci"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
antsibull_ext_color_scheme = "none"  # pages.css has the colors

html_theme = "furo"
html_static_path = [str(Path(__file__).with_name("pages.css"))]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
smartquotes = False
pygments_style = "ansible"
pygments_dark_style = "monokai"
highlight_language = "YAML+Jinja"

default_role = "any"
nitpicky = True

# The pages of Ansible that antsibull-docs refers to by name. Sphinx itself would download a list of all pages.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
PAGES_OF_ANSIBLE = {
    "action_plugins": "plugins/action.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}

html_search_language = "en+zh"
HAN = re.compile("[\u4e00-\u9fff]{2,}")

# The pages use the anchors that GitHub gives to headings.
myst_heading_anchors = 6


class Search(SearchEnglish):
    """Index English words and pairs of Chinese characters: without spaces, a Chinese sentence would be one word."""

    lang = html_search_language

    def split(self, text: str) -> list[str]:
        words = super().split(text)
        pairs = {run[at : at + 2] for run in HAN.findall(text) for at in range(len(run) - 1)}
        return [*words, *sorted(pairs)]


def name_the_language(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Set the language of a page: browsers choose fonts and hyphens by it."""
    if page.startswith("docs/zh-CN/") or page.endswith("_zh"):
        context["language"] = "zh-CN"


def link_to_ansible(_app: Any, _env: Any, reference: Any, text: Any) -> nodes.reference | None:
    page = PAGES_OF_ANSIBLE.get(reference["reftarget"])
    return nodes.reference("", "", text, refuri=ANSIBLE + page, internal=False) if page else None


def setup(app: Any) -> None:
    app.add_search_language(Search)
    app.connect("missing-reference", link_to_ansible)
    app.connect("html-page-context", name_the_language)
