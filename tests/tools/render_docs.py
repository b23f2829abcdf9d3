# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render what is made of something else: the request body from the schema in the code, the pictures of the READMEs, and their figures
from docs/benchmarks.md.

    python tests/tools/render_docs.py            write the files that differ, and say which
    python tests/tools/render_docs.py --check    write nothing; fail if one differs, and say which

It prints nothing if all are up to date. "make docs" calls it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
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
<!-- Rendered by "make docs" from plugins/module_utils/_options/schema.py: change that file, not this one. -->

# The request body of createImageCache

What the modules check before anything is sent, as a [JSON Schema](createImageCache.schema.json) (draft 2020-12) and
below. It says what CTYun's page says: [wire.md](wire.md) names the source. A required text or list that is empty counts
as missing; there are no other limits, since the page states none. Fields that are not listed are refused.

The option is the field's name in snake_case. The field's own name may be used in its place, and the other names after
the comma as well.
"""


def rendered() -> dict[str, str]:
    """The files, by their names below the root, and what shall be in them."""
    sys.path.insert(0, str(ROOT))
    import_module("conftest")  # makes the collection importable
    from ansible_collections.ctyun.eci.plugins.module_utils._options.schema import CREATE_IMAGE_CACHE
    from ansible_collections.ctyun.eci.plugins.module_utils._options.specs import body_spec
    from tests.tools import draw, figures

    benchmarks = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    shown = {}
    for language, suffix in (("en", ""), ("zh", ".zh-CN")):
        readme = f"README{suffix}.md"
        table = figures.table(benchmarks, language)
        shown[readme] = figures.placed((ROOT / readme).read_text(encoding="utf-8"), table)
        shown[f"docs/pictures/overview{suffix}.svg"] = draw.overview(language)
        shown[f"docs/pictures/speed{suffix}.svg"] = draw.bars(language, figures.bars(benchmarks, language))

    return {
        "docs/createImageCache.schema.json": json.dumps(CREATE_IMAGE_CACHE, indent=2, ensure_ascii=False) + "\n",
        "docs/createImageCache.md": HEAD + "".join(_sections("", CREATE_IMAGE_CACHE, body_spec())),
        **shown,
    }


def _sections(path: str, schema: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[str]:
    """A section with a table for an object, and one for each object in it."""
    yield f"\n## {f'`{path}`' if path else 'The body'}\n\n"
    yield "| field | option | type | required | rule | meaning | example |\n|---|---|---|---|---|---|---|\n"
    inner: list[str] = []
    for field, rules in schema["properties"].items():
        option = next((name for name, given in spec.items() if field in (name, *given.get("aliases", ()))), field)
        names = [option, *(alias for alias in spec[option].get("aliases", ()) if alias != field)]
        cells = [
            f"`{field}`",
            ", ".join(f"`{name}`" for name in names),
            _type(rules),
            "yes" if field in schema.get("required", ()) else "",
            "; ".join(_rules(rules)),
            rules["description"],
            f"`{json.dumps(rules['examples'][0], ensure_ascii=False)}`" if "examples" in rules else "",
        ]
        yield f"| {' | '.join(cells)} |\n".replace("|  |", "| |").replace("|  |", "| |")
        below = rules.get("items", rules)
        if "properties" in below:
            name = f"{path}.{field}" if path else field
            inner += _sections(name + "[]" * ("items" in rules), below, spec[option]["options"])
    yield from inner


def _type(rules: Mapping[str, Any]) -> str:
    return f"{rules['type']} of {rules['items']['type']}s" if "items" in rules else str(rules["type"])


def _rules(rules: Mapping[str, Any]) -> Iterator[str]:
    if "minimum" in rules:
        yield f"from {rules['minimum']} to {rules['maximum']}"
    if "minLength" in rules:
        yield "not empty"
    if "minItems" in rules:
        yield f"at least {rules['minItems']}"
    if "minLength" in rules.get("items", {}):
        yield "none empty"
    if "pattern" in rules:
        yield f"matches `{rules['pattern']}`"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file differs")
    check = parser.parse_args().check
    differing = [
        (name, text)
        for name, text in rendered().items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    for name, text in differing:
        if check:
            print(f'{name} is not what it is made of: run "make docs".')
        else:
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"{name} is rendered anew.")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
