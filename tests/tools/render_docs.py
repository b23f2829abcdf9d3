# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the pages on the request body, in both languages, from the schema in the code.

"make docs" runs this. It writes the files that differ and prints their names. A test fails if a file is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
<!--
Copyright (c) ctyun.eci contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Rendered by "make docs" from plugins/module_utils/_arguments/schema.py: change that file, not this one. -->
"""


@dataclass(frozen=True)
class Words:
    """The words of a page in one language."""

    head: str
    body: str
    columns: str
    yes: str
    lists: str
    between: str
    not_empty: str
    at_least: str
    none_empty: str
    matches: str
    comma: str
    semicolon: str
    meanings: Mapping[str, str]


ENGLISH = Words(
    head="""
# The request body of createImageCache

[中文](createImageCache.zh-CN.md)

The modules check a request body against this [JSON Schema](createImageCache.schema.json) (draft 2020-12) before they send it. Its rules
are those of CTYun's page: see [API notes](api_notes.md) for the source. A required text or list that is empty counts as missing. Fields
that are not listed are refused.

The option is the field's name in snake_case. The field's own name and the other names in the column work as well.
""",
    body="The body",
    columns="field | option | type | required | rule | meaning | example",
    yes="yes",
    lists="array of {}s",
    between="from {} to {}",
    not_empty="not empty",
    at_least="at least {}",
    none_empty="none empty",
    matches="matches `{}`",
    comma=", ",
    semicolon="; ",
    meanings={},  # the descriptions in the schema
)

CHINESE = Words(
    head="""
# createImageCache 的请求体

[English](createImageCache.md)

模块在发送请求之前，按这个 [JSON Schema](createImageCache.schema.json)（draft 2020-12）检查请求体。规则与天翼云的页面相同，
来源见 [API 协议细节](api_notes.zh-CN.md)。必填的文本或列表为空时，视为缺少。没有列出的字段会被拒绝。

选项名是字段名的 snake_case 写法，也可以使用字段名本身和该列中的其他名称。
""",
    body="请求体",
    columns="字段 | 选项 | 类型 | 必填 | 规则 | 含义 | 示例",
    yes="是",
    lists="{} 的列表",
    between="{} 到 {}",
    not_empty="不能为空",
    at_least="至少 {} 个",
    none_empty="各项不能为空",
    matches="匹配 `{}`",
    comma="、",
    semicolon="；",
    meanings={
        "imageCacheName": "镜像缓存的名称。",
        "imageCacheSize": "镜像缓存的大小，单位 GB。默认 20。",
        "retentionDays": "镜像缓存的保留天数。默认永久保留，0 也表示永久保留。",
        "tags": "标签。",
        "tags.key": "标签的键。",
        "tags.value": "标签的值。",
        "securityGroupId": "安全组的 ID。",
        "vSwitchId": "子网的 ID。",
        "azInfo": "可用区。",
        "azInfo.azName": "可用区的名称。",
        "imageRegistryCredentials": "镜像仓库凭证。",
        "imageRegistryCredentials.server": "镜像仓库的地址，不带 http:// 或 https://。",
        "imageRegistryCredentials.userName": "用户名。",
        "imageRegistryCredentials.password": "密码。",
        "images": "镜像缓存所包含的镜像。",
        "eip": "弹性 IP，没有 NAT 网关时用于拉取公网镜像。",
        "eip.eipInstanceId": "弹性 IP 的 ID。",
        "vpcId": "VPC 的 ID。",
    },
)


def rendered() -> dict[str, str]:
    """The text of each file by its name below the root."""
    sys.path.insert(0, str(ROOT))
    import_module("conftest")  # makes the collection importable
    from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import CREATE_IMAGE_CACHE
    from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec

    return {
        "docs/createImageCache.schema.json": json.dumps(CREATE_IMAGE_CACHE, indent=2, ensure_ascii=False) + "\n",
        "docs/createImageCache.md": _page(ENGLISH, CREATE_IMAGE_CACHE, body_spec()),
        "docs/createImageCache.zh-CN.md": _page(CHINESE, CREATE_IMAGE_CACHE, body_spec()),
    }


def _page(words: Words, schema: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    return HEAD + words.head + "".join(_sections(words, "", schema, spec))


def _sections(words: Words, path: str, schema: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[str]:
    """A section with a table for an object, and one for each object in it."""
    yield f"\n## {f'`{path}`' if path else words.body}\n\n"
    yield f"| {words.columns} |\n|---|---|---|---|---|---|---|\n"
    inner: list[str] = []
    for field, rules in schema["properties"].items():
        option = next((name for name, given in spec.items() if field in (name, *given.get("aliases", ()))), field)
        names = [option, *(alias for alias in spec[option].get("aliases", ()) if alias != field)]
        full = f"{path}.{field}" if path else field
        meaning = words.meanings[full.replace("[]", "")] if words.meanings else rules["description"]
        cells = [
            f"`{field}`",
            words.comma.join(f"`{name}`" for name in names),
            words.lists.format(rules["items"]["type"]) if "items" in rules else rules["type"],
            words.yes if field in schema.get("required", ()) else "",
            words.semicolon.join(_rules(words, rules)),
            meaning,
            f"`{json.dumps(rules['examples'][0], ensure_ascii=False)}`" if "examples" in rules else "",
        ]
        yield f"| {' | '.join(cells)} |\n".replace("|  |", "| |").replace("|  |", "| |")
        below = rules.get("items", rules)
        if "properties" in below:
            inner += _sections(words, full + "[]" * ("items" in rules), below, spec[option]["options"])
    yield from inner


def _rules(words: Words, rules: Mapping[str, Any]) -> Iterator[str]:
    if "minimum" in rules:
        yield words.between.format(rules["minimum"], rules["maximum"])
    if "minLength" in rules:
        yield words.not_empty
    if "minItems" in rules:
        yield words.at_least.format(rules["minItems"])
    if "minLength" in rules.get("items", {}):
        yield words.none_empty
    if "pattern" in rules:
        yield words.matches.format(rules["pattern"])


def main() -> None:
    for name, text in rendered().items():
        path = ROOT / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"{name} is rendered.")


if __name__ == "__main__":
    main()
