# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of one image cache: each transition, the requests that it takes, and what the result says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import StateConflict, Unanswered, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    REGION,
    UPDATE,
    USAGE,
    A,
    B,
    RunOne,
    operations,
    present,
    seed,
)

# What is there, by name.
EXISTING: dict[str, dict[str, Any]] = {
    "plain": {},
    "tagged": {"tags": [A]},
    "other images": {"images": ["redis:7"]},
    "failed": {"status": "failed"},
}


# What the task says about tags, by name: tags and purge_tags.
TAGS: dict[str, tuple[Any, bool]] = {
    "unset": (None, True),
    "empty": ([], True),
    "a": ([A], True),
    "b": ([B], True),
    "b more": ([B], False),
    "a more": ([A], False),
}


# What becomes of what is there with state present: by what the task says about tags, and about drift.
#   existing       tags      warn     fail     recreate
PRESENT = """
    nothing      | unset   | create | create | create
    nothing      | empty   | create | create | create
    nothing      | a       | create | create | create
    nothing      | b more  | create | create | create
    plain        | unset   | -      | -      | -
    plain        | empty   | -      | -      | -
    plain        | a       | retag  | retag  | retag
    plain        | b more  | retag  | retag  | retag
    tagged       | unset   | -      | -      | -
    tagged       | empty   | retag  | retag  | retag
    tagged       | a       | -      | -      | -
    tagged       | b       | retag  | retag  | retag
    tagged       | b more  | retag  | retag  | retag
    tagged       | a more  | -      | -      | -
    other images | unset   | warn   | fail   | replace
    other images | empty   | warn   | fail   | replace
    other images | a       | retag+ | fail   | replace
    failed       | unset   | warn   | fail   | replace
    failed       | b more  | retag+ | fail   | replace
"""


# What each of them sends after it has looked.
SENT = {
    "create": [CREATE, LIST],
    "retag": [UPDATE, LIST],
    "retag+": [UPDATE, LIST],
    "replace": [REGION, USAGE, LIST, DELETE, LIST, CREATE, LIST],
    "delete": [DELETE],
    "-": [],
    "warn": [],
    "fail": [],
}


TRANSITIONS = [
    pytest.param("present", existing, tags, drift, becomes, id=f"{existing}-{tags}-{drift}")
    for line in PRESENT.strip().splitlines()
    for existing, tags, *columns in [[part.strip() for part in line.split("|")]]
    for drift, becomes in zip(("warn", "fail", "recreate"), columns, strict=True)
] + [
    pytest.param("absent", existing, "a", "warn", "-" if existing == "nothing" else "delete", id=f"absent-{existing}")
    for existing in ("nothing", *EXISTING)
]


@pytest.mark.parametrize("wait", [False, True], ids=["", "wait"])
@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
@pytest.mark.parametrize(("state", "existing", "tags", "drift", "becomes"), TRANSITIONS)
def test_transition(
    emulator: Emulator,
    run_one: RunOne,
    state: str,
    existing: str,
    tags: str,
    drift: str,
    becomes: str,
    check_mode: bool,
    wait: bool,
) -> None:
    old_id = seed(emulator, **EXISTING[existing]) if existing in EXISTING else None
    wanted_tags, purge_tags = TAGS[tags]
    options: dict[str, Any] = {"drift": drift, "check_mode": check_mode, "wait": wait, "purge_tags": purge_tags}
    if wanted_tags is not None:
        options["tags"] = wanted_tags
    fails = becomes == "fail" or (wait and becomes in ("warn", "retag+") and existing == "failed")

    if fails:
        with pytest.raises(StateConflict if becomes == "fail" else WaitFailed) as caught:
            run_one(state, **options)
        outcome = caught.value.item
    else:
        outcome = run_one(state, **options)

    changing = [operation for operation in operations(emulator) if operation in (CREATE, UPDATE, DELETE)]
    assert changing == ([] if check_mode else [step for step in SENT[becomes] if step in (CREATE, UPDATE, DELETE)])
    if not wait and not check_mode:
        lists = 1 + (state == "present" and existing not in ("nothing", "tagged") and bool(wanted_tags))
        assert operations(emulator) == [LIST] * lists + SENT[becomes]
    assert outcome.changed is (becomes in ("create", "retag", "retag+", "replace", "delete"))
    assert bool(outcome.drift) is (becomes in ("warn", "fail", "retag+", "replace"))
    assert bool(outcome.warnings) is (becomes in ("warn", "retag+"))
    assert list(outcome.result()) == [
        "changed",
        "image_cache_id",
        "image_cache",
        "request_id",
        "drift",
        "duplicates",
        "waited",
    ]
    _check_what_is_there(emulator, outcome, becomes, old_id, check_mode)
    if becomes in ("create", "retag", "replace") and not check_mode:
        tagged = [A] if existing == "tagged" and not purge_tags else []
        cache = emulator.service.caches()[0]
        assert cache["tags"] == [*(tag for tag in tagged if tag not in (wanted_tags or [])), *(wanted_tags or [])]


def _check_what_is_there(emulator: Emulator, outcome: Item, becomes: str, old_id: str | None, check_mode: bool) -> None:
    there = present(emulator)
    if becomes == "delete":
        assert (outcome.image_cache, outcome.image_cache_id) == (None, old_id)
        assert there == ([old_id] if check_mode else [])
    elif becomes in ("create", "replace"):
        assert outcome.image_cache
        assert outcome.image_cache_id == (None if check_mode else there[0])
        assert len(there) == (bool(old_id) if check_mode else 1)
        assert check_mode or there != [old_id]
    else:
        assert outcome.image_cache_id == old_id
        assert bool(outcome.image_cache) is bool(old_id)
        assert there == ([old_id] if old_id else [])
    if check_mode or becomes in ("-", "warn", "fail"):
        assert outcome.request_id is None


def test_the_body_on_the_wire_is_the_one_that_the_task_gives(emulator: Emulator, run_one: RunOne) -> None:
    outcome = run_one()
    assert emulator.sent(CREATE)[0].body == BODY
    assert outcome.request_id


def test_the_prediction_equals_what_is_created(run_one: RunOne) -> None:
    predicted = run_one(check_mode=True, tags=[B, A])
    real = run_one(tags=[B, A])
    assert predicted.image_cache and real.image_cache
    unknown = {"image_cache_id", "status", "creation_time"}
    for key in set(predicted.image_cache.as_dict()) - unknown:
        assert getattr(predicted.image_cache, key) == getattr(real.image_cache, key), key
    assert predicted.diff == real.diff
    assert real.diff and real.diff["after"]["image_cache_name"] == "web"


def test_names_are_compared_exactly(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.name_match = "fuzzy"
    for name in ("web2", "my-web", "WEB"):
        seed(emulator, name)
    outcome = run_one()
    assert outcome.changed
    assert len(emulator.service.caches()) == 4


def test_every_page_is_looked_at(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"name_match": "fuzzy", "max_page": 3})
    for number in range(7):
        seed(emulator, f"web-{number}")
    wanted = seed(emulator)
    outcome = run_one()
    assert (outcome.changed, outcome.image_cache_id) == (False, wanted)
    assert operations(emulator) == [LIST] * 3


def test_several_of_a_name_are_an_error_with_their_ids(emulator: Emulator, run_one: RunOne) -> None:
    ids = [seed(emulator), seed(emulator)]
    for state in ("present", "absent"):
        with pytest.raises(StateConflict) as caught:
            run_one(state)
        assert all(image_cache_id in caught.value.message for image_cache_id in ids)
        assert "image_cache_id" in caught.value.message
    assert set(operations(emulator)) == {LIST}


def test_a_list_that_may_hide_the_name_makes_nothing(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator)
    emulator.inject(Fault("nameless", LIST, times=2))
    with pytest.raises(StateConflict, match="so 'web' may exist"):
        run_one()
    assert CREATE not in operations(emulator)


def test_a_token_that_repeats_ends_in_an_error(emulator: Emulator, run_one: RunOne) -> None:
    emulator.inject(Fault("repeat_token", times=None))
    seed(emulator)
    with pytest.raises(Unanswered, match="nextToken repeats"):
        run_one()
    assert operations(emulator) == [LIST] * 2


def test_one_that_is_going_makes_its_name_not_ambiguous(emulator: Emulator, run_one: RunOne) -> None:
    going, staying = seed(emulator, status="deleting"), seed(emulator)
    outcome = run_one()
    assert (outcome.changed, outcome.image_cache_id) == (False, staying)
    assert run_one("absent").image_cache_id == staying
    assert present(emulator) == [going]


def test_one_that_is_going_is_not_adopted(emulator: Emulator, run_one: RunOne) -> None:
    emulator.inject(Fault("reset", CREATE))

    def appear(record: Record) -> None:
        if record.operation == CREATE and len(emulator.sent(CREATE)) == 1:
            seed(emulator, status="deleting")

    emulator.before = appear
    outcome = run_one()
    assert outcome.image_cache and outcome.image_cache.status == "pending"
