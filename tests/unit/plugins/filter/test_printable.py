# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.ctyun.eci.plugins.filter.printable import FilterModule

printable = FilterModule().filters()["printable"]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_every_character_comes_back(loader: Any) -> None:
    every = [chr(code) for code in range(0x3000) if not 0xD800 <= code <= 0xDFFF]
    for text in [
        *every,
        "\ufeff",
        "\uffff",
        "\U0001f600",
        "\U0010ffff",
        "\\n",
        '\\"',
        "",
        " a ",
        "- x",
        "null",
        "".join(every),
    ]:
        written = printable(text, quote=True)
        assert written.isprintable()
        assert yaml.load(f"x: {written} # {written}\n", loader) == {"x": text}


def test_a_lone_surrogate_can_be_read() -> None:
    assert yaml.load(printable("a\ud800", quote=True), yaml.CSafeLoader) == "a?"


def test_without_quotes_only_what_is_not_printable_changes() -> None:
    assert printable('a "b" \\n {{ c }}\n\x1b[2J\x9b\u202e库') == 'a "b" \\n {{ c }}\\n\\x1b[2J\\x9b\\u202e库'


@pytest.mark.parametrize("value", [None, 5, ["x"], b"x"])
def test_only_a_text_is_taken(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs a string"):
        printable(value)
