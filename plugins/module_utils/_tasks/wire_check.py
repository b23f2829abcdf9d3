# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module wire_check. Private to the collection."""

from __future__ import annotations

from .._arguments.body import request_body
from .._arguments.validation import check as check_options
from .._arguments.validation import check_body
from .._arguments.schema import Violation
from .._arguments.specs import Spec, body_spec, connection_spec, merged, wait_spec
from .._api.client import Client
from .._task import Arguments, Result, Task, outcome_result
from .._polling import Wait
from .._wire_check.check import check
from .._wire_check.own import order

# These fields of the request body the check chooses itself.
CHOSEN = ("image_cache_name", "tags", "retention_days")


def _spec() -> Spec:
    return merged(
        {"create": {"type": "bool", "default": False}, "twin": {"type": "bool", "default": False}},
        {option: rules for option, rules in body_spec().items() if option not in CHOSEN},
        {option: rules for option, rules in wait_spec().items() if option != "wait"},
        connection_spec(),
    )


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    spec = _spec()
    values, violations = check_options(spec, given)
    creates = bool(values.get("create"))
    if values.get("twin") and not creates:
        violations.append(Violation(("twin",), "is for create: true only"))
    # the name is the check's own, so that of the body that is looked at does not matter
    return violations + check_body(spec, given, (), {**values, "image_cache_name": "any"}, creates)


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    body = order(request_body(arguments)) if arguments["create"] else None
    wait = Wait(arguments["wait_timeout"], arguments["wait_interval"])
    return outcome_result(check(client, body, wait, arguments["twin"], check_mode), diff_mode)


TASK = Task(_spec, _check, _run)
