# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module api. Private to the collection."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping
from urllib.parse import quote, urlencode

from .._api.client import Client
from .._api.transport import Operation
from .._arguments.free_form import is_json
from .._arguments.schema import Violation
from .._arguments.specs import FREE_FORM, Spec, connection_spec
from .._errors import POSSIBLE, EciError
from .._task import Arguments, Result, Task
from .._text import redact_all

_PATH = "/eci/api/v1/"
_OPERATION = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_NOTHING = {"response": None, "request_id": None}
_READS = re.compile("(?:describe|list|get|query)(?![a-z])")


def _spec() -> Spec:
    return {
        "operation": {"type": "str", "required": True},
        "method": {"type": "str", "default": "post", "choices": ["get", "post", "put", "delete"]},
        "body": {"type": "dict"},
        "query": {"type": "dict"},
        "changes": {"type": "bool"},
        **connection_spec(),
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    operation, query = values.get("operation"), values.get("query")
    if isinstance(operation, str) and not _OPERATION.fullmatch(operation):
        advice = f"must be the path below {_PATH}, of letters, digits, - and _ between single slashes"
        yield Violation(("operation",), f"{advice}, for example containers/describeContainerGroups")
    for key, value in query.items() if isinstance(query, dict) else ():
        if not isinstance(value, (str, int, float)):
            yield Violation(("query", str(key)), "must be a string, a number, true or false")
    for option in FREE_FORM:
        if not is_json(values.get(option)):
            yield Violation((option,), "must not hold a number that JSON does not have, such as .nan or .inf")


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    operation = _operation(arguments)
    if operation.changes and check_mode:
        return Result({"changed": True, **_NOTHING})
    body = arguments["body"]
    try:
        reply = client.call(operation, {} if body is None and operation.method == "POST" else body)
    except EciError as error:
        if error.effect == POSSIBLE:
            error.add("It may have taken effect: read what there is before you send it again.")
        raise
    response = redact_all(reply.obj, client.redact)
    return Result({"changed": operation.changes, "response": response, "request_id": reply.request_id})


def _operation(arguments: Arguments) -> Operation:
    """Return the operation. Paths are ``group/name`` or ``group/name/ID``; a name alone is one as well."""
    path = arguments["operation"]
    name = path.split("/")[1 if "/" in path else 0]
    method = arguments["method"].upper()
    changes = arguments["changes"]
    if changes is None:
        changes = method not in ("GET", "POST") or not _READS.match(name)
    query = arguments["query"]
    target = _PATH + path + (f"?{urlencode(_texts(query), quote_via=quote, safe='')}" if query else "")
    return Operation(name, method, target, changes=changes, repeatable=not changes)


def _texts(query: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}


TASK = Task(_spec, _check, _run, empty=_NOTHING)
