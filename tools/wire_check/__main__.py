# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe how the live service behaves where that is not documented. For maintainers who have an account.

    python -m tools.wire_check
    python -m tools.wire_check --create --vpc ID --subnet ID --security-group ID --zone NAME --image IMAGE

Without --create, it only reads. The keys and the region are CTYUN_AK, CTYUN_SK and CTYUN_REGION_ID in the environment.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import redactor, secrets
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import connection_spec
from ansible_collections.ctyun.eci.plugins.module_utils._cancel import Cancellation, cancel_on_signals
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, internal_error
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi

from .observe import OTHER, OwnImageCache, Probe

FORMAT = 1
# No ID, key or address has this form; 800 is a status code.
_WORD = re.compile(r"(?=.{1,32}$)[A-Za-z]+(?:[ _-][A-Za-z]+){0,2}|800")

# By the name of the emulator's setting, if it has one: the question with its answers, and what docs/api_notes.md knows.
QUESTIONS = {
    "status_code_style": ("statusCode of success: 200 as a number (int), as a text (str), or 800", "int"),
    "http_errors": ("A failure has an HTTP status of its own, not 200", "nothing"),
    "missing_reason": ("The reason with which describeImageCache refuses an unknown ID", "nothing"),
    "delete_known": ("deleteImageCache is known under its path", "in one source: CTYun's SDK has never sent one"),
    "null_fields": ("Fields without a value are null, not left out", "CTYun's SDK leaves them out"),
    "region_returned": ("The region returned is that of the header (asked), or needs the query (query)", "asked"),
    "quota": ("The number of image caches that the account may have", "listUsage returns it"),
    "list_needs_images": ("A list requires the filter images", "yes, but a real call did without"),
    "list_total": ("A list has the total", "yes"),
    "list_order": ("A list begins with the oldest or the newest", "nothing"),
    "max_page": ("The number of image caches on a page, if there are several", "1000 by default"),
    "time_form": ("creationTime has an offset, is in utc with a Z, or bare", "offset and utc in examples"),
    "unique_names": ("A name is unique", "nothing"),
    "name_match": ("imageCacheName matches exact, as a prefix, any part (fuzzy), or is ignored (off)", "nothing"),
    "images_filter": ("The filter images matches all, any, or is ignored (off)", "nothing"),
    "tags_filter": ("The filter tags matches all, any, the key alone, or is ignored (off)", "nothing"),
    "filters_match": ("Several filters match all or any", "all, for virtual nodes"),
    "tags_shown": ("A list shows tags", "no, but CTYun's SDK has the field"),
    "tags_update": ("updateImageCache replaces tags (replace) or adds to them (merge)", "replace, for a sibling"),
    "pending_status": ("The status before it is ready", "pending in an example"),
    "ready_status": ("The status when it is ready", "ready in a real reply"),
    "failed_status": ("The status when its creation has failed", "nothing"),
    "deleting_status": ("The status during a deletion", "nothing"),
    "delete_failed_status": ("The status after a deletion that failed", "nothing"),
    "zone_returned": ("The zone is the one sent (same), another of the region (listed), or unlisted", "nothing"),
    "images_returned": ("The images are those sent (same), or prefixed with a registry", "nothing"),
    "size_returned": ("The size is the one sent (same), larger, or smaller", "nothing"),
    "list_lag": ("Seconds until a list shows a new image cache", "nothing"),
    "delete_after": ("Seconds until no list shows a deleted one", "nothing"),
}
SIZE = 10  # in GB, the smallest that is known to become ready
PLACE = {"vpc": "ID", "subnet": "ID", "security-group": "ID", "zone": "NAME", "image": "IMAGE"}


def main() -> int:
    options = _options()
    given = {"endpoint": options.endpoint, "ca_path": options.ca, "timeout": options.timeout}
    given = {option: value for option, value in given.items() if value is not None}
    settings = ArgumentSpecValidator(connection_spec()).validate(given).validated_parameters  # reads the environment
    redact = redactor(secrets(connection_spec(), settings))

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # a closed terminal must not keep an image cache from being deleted
            print(redact(line), file=sys.stderr, flush=True)

    try:
        transport = Transport(connection(settings), pool_size=1)
    except EciError as error:
        say(error.message)
        return 1
    cancellation = Cancellation()
    probe = Probe(Client(transport, redact=redact, cancellation=cancellation))
    own = OwnImageCache(probe, ImageCachesApi(Client(transport, redact=redact)), _body(options), say)
    status = 0
    with cancel_on_signals(cancellation):
        signal.signal(signal.SIGHUP, lambda *_arguments: cancellation.cancel("SIGHUP"))
        try:
            probe.read()
            if options.create:
                own.check(options.duplicate)
        except Exception as error:  # noqa: BLE001
            status = 1
            # that of the deletion may follow another one
            for each in (error.__context__, error if isinstance(error, EciError) else internal_error(error, redact)):
                if isinstance(each, EciError):
                    say(each.message)
    for note in probe.notes:
        say(note)
    found = report(probe.answers, created=bool(own.ids))
    with contextlib.suppress(OSError):
        print(*lines(found["habits"]), sep="\n", flush=True)
    options.report.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    say(f"The report is in {options.report.resolve()}.")
    return status


def report(answers: Mapping[str, Any], created: bool) -> dict[str, Any]:
    """Return the report. It can hold no ID, name, key or address; an answer that was not observed is null."""
    habits = {name: answers.get(name) for name in QUESTIONS}
    for name, answer in habits.items():
        if not (answer is None or isinstance(answer, int) or _WORD.fullmatch(str(answer))):
            habits[name] = OTHER
    return {"wire_report": FORMAT, "created": created, "habits": habits}


def lines(habits: Mapping[str, Any]) -> list[str]:
    """Return a line for each question."""
    return [
        f"{name}: {question}. Documented: {documented}. Observed: {json.dumps(habits[name]).replace('null', 'nothing')}."
        for name, (question, documented) in QUESTIONS.items()
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.wire_check", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--endpoint", metavar="URL", help="CTYUN_ECI_ENDPOINT, or that of CTYun, by default")
    add("--ca", metavar="FILE", type=os.path.abspath, help="the CA bundle to trust")
    add("--timeout", metavar="SECONDS", type=float, help="for each reply, 30 by default")
    add("--report", metavar="FILE", type=Path, default="wire_report.json", help="where to write the report")
    add("--overwrite", action="store_true", help="replace a report that is there")
    add("--create", action="store_true", help="create an image cache, observe and delete it. It is billed")
    add("--duplicate", action="store_true", help="with --create: order a second one of the same name")
    for name, metavar in PLACE.items():
        add(f"--{name}", metavar=metavar, help="required with --create")
    add("--eip", metavar="ID", help="an elastic IP, for an image from the internet")
    options = parser.parse_args()
    if options.report.exists() and not options.overwrite:
        parser.error(f"there is a file {options.report.resolve()} already; give --overwrite, or another --report")
    missing = [f"--{name}" for name in PLACE if not getattr(options, name.replace("-", "_"))]
    if options.create and missing:
        parser.error(f"--create requires {', '.join(missing)}")
    return options


def _body(options: argparse.Namespace) -> dict[str, object]:
    return {
        "vpcId": options.vpc,
        "vSwitchId": options.subnet,
        "securityGroupId": options.security_group,
        "azInfo": {"azName": options.zone},
        "images": [options.image],
        "imageCacheSize": SIZE,
        **({"eip": {"eipInstanceId": options.eip}} if options.eip else {}),
    }


if __name__ == "__main__":
    sys.exit(main())
