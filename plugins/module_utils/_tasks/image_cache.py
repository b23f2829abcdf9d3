# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache, and what it has in common with image_caches. Private to the collection."""

from __future__ import annotations

import functools
import json
from typing import Any, Iterator, Mapping

from .._api.client import Client
from .._arguments import specs
from .._arguments.schema import Path, Violation
from .._arguments.specs import OFF, Spec
from .._arguments.validation import missing_fields
from .._image_cache.batch import Item
from .._image_cache.plan import Desired
from .._image_cache.reconcile import Context, reconcile
from .._polling import Wait
from .._task import Arguments, Result, Task
from .._text import printable
from .image_names import check_images

# In check mode the ID of an image cache that an earlier task would have created is empty.
NULLABLE = ("image_cache_id",)


def _spec() -> Spec:
    return {
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
        **specs.body_spec(),
        **specs.policy_spec(),
        **specs.preflight_spec(),
        **specs.registry_spec(),
        **specs.wait_spec(),
        **specs.connection_spec(),
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    return check_desired(values, values, (), check_mode)


def is_present(values: Arguments, entry: Arguments) -> bool:
    """Return True unless the image cache is to be absent; ``values`` are the options of the whole task."""
    return (entry.get("state") or values.get("state")) != "absent"


def check_desired(values: Arguments, entry: Arguments, path: Path, check_mode: bool) -> Iterator[Violation]:
    """Check one image cache of a task; ``values`` are the options of the whole task."""
    present = is_present(values, entry)
    by_id = "image_cache_id" in entry
    if by_id and not entry["image_cache_id"] and not check_mode:
        yield Violation((*path, "image_cache_id"), "must not be empty; leave it out to select one by its name")
    if not (present or by_id or entry.get("image_cache_name")):
        yield Violation((*path, "image_cache_name"), "is required, or image_cache_id, to delete one")
    # an image cache selected by its ID exists, so nothing else is required, unless it is replaced
    if present and not (by_id and values.get("drift") != "recreate"):
        yield from check_images(entry, path)
        for field, advice in missing_fields(entry):
            yield Violation(path + field, advice)


def desired(arguments: Arguments, entry: Arguments) -> Desired:
    """Return the desired state of one image cache; ``arguments`` are the options of the whole task."""
    return Desired(
        state=entry["state"] or arguments["state"],
        body=specs.request_body(entry),
        image_cache_id=entry["image_cache_id"],
        purge_tags=arguments["purge_tags"],
        drift=arguments["drift"],
        wait=arguments["wait"],
        duplicates=arguments["duplicates"],
    )


def context(arguments: Arguments, client: Client, diff_mode: bool) -> Context:
    """Return the context that the image caches of a task share."""
    ctx = Context(client, Wait(arguments["wait_timeout"], arguments["wait_interval"]), diff_mode=diff_mode)
    if arguments["preflight"] != OFF:
        # most tasks do without the client of registries
        from .._registry.client import look_up
        from .._registry.preflight import Preflight
        from .._registry.session import Settings

        settings = Settings(
            addresses=arguments["registry_addresses"] or {},
            # validate_certs is about the endpoint: passwords of registries go to nobody whose certificate is not valid
            ca_path=arguments["ca_path"],
            timeout=arguments["timeout"],
            retries=arguments["retries"],
            retry_max_delay=arguments["retry_max_delay"],
            platform=arguments["platform"],
            redact=client.redact,
            clock=client.clock,
        )
        look_up_with = functools.partial(look_up, settings=settings, write=client.write)
        ctx.preflight = Preflight(arguments["preflight"] == "fail", arguments["size_factor"], look_up_with)
    return ctx


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    wanted = desired(arguments, arguments)
    outcome = reconcile([wanted], context(arguments, client, diff_mode), check_mode=check_mode, by_name=True)
    (item,) = outcome.items
    values = item.result()
    if diff_mode and item.diff is not None:
        values["diff"] = {**item.diff, **{side: _text(item.diff[side]) for side in ("before", "after")}}
    if item.error:
        values.update(msg=item.error.message, failure=item.error.failure())
    else:
        # no fact is left of an image cache that is gone
        values["ansible_facts"] = {"imageCacheId": item.image_cache_id if wanted.is_present else None}
    return Result(values, outcome.warnings + item.warnings, failed=item.error is not None)


def _text(shown: Mapping[str, Any]) -> str:
    """Return one side of a diff as JSON; Ansible's own would show Chinese as escape sequences."""
    text = json.dumps(shown, ensure_ascii=False, indent=4, sort_keys=True) + "\n"
    return printable(text, keep="\n") if shown else ""


TASK = Task(_spec, _check, _run, NULLABLE, empty=Item(Desired("present", {})).result())
