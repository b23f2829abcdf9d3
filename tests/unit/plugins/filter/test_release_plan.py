# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release orders and deletes, by what its registries say and what exists."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.ctyun.eci.plugins.filter.release_plan import FilterModule
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache

plan = FilterModule().filters()["release_plan"]

PLACES = {"vpcId": "v", "subnet_id": "s", "security_group_id": "g"}
WEB: dict[str, Any] = {"name": "web", "images": ["r/web:1", "r/jobs:1"], "az_info": {"az_name": "az1"}, **PLACES}
DAY = 86400


def answers(digest: str = "sha256:a", outcome: str = "found", image: str = "r/web:1") -> list[dict[str, Any]]:
    other = {"image": "r/jobs:1", "outcome": "found", "platform_digest": "sha256:j", "message": None}
    known = {"platform_digest": digest, "message": None} if outcome == "found" else {"platform_digest": None}
    return [{"image": image, "outcome": outcome, "message": f"it is {outcome}.", **known}, other]


def cache(
    name: str, minute: int = 0, status: str = "ready", release: str | None = "web", **more: Any
) -> dict[str, Any]:
    when = f"2026-11-01T00:{minute:02}:00Z"
    tags = [{"key": "release", "value": release}] if release else [{"key": "team", "value": "a"}]
    known = {"image_cache_id": f"imc-{name}", "image_cache_name": name, "status": status, "creation_time": when}
    return ImageCache(**{**known, "tags": tags, **more}).as_dict()


def name_of(digest: str = "sha256:a", **changes: Any) -> str:
    if "azInfo" in changes:
        changes = {**{key: value for key, value in WEB.items() if key != "az_info"}, **changes}
        return str(plan([changes], answers(digest), [])["web"]["wanted"]["name"])
    return str(plan([{**WEB, **changes}], answers(digest), [])["web"]["wanted"]["name"])


def expiring(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))


def test_the_name_follows_from_digests_size_and_zone() -> None:
    assert re.fullmatch("web-[0-9a-f]{8}", name_of())
    assert name_of() == name_of(image_cache_size=20) == name_of(imageCacheSize="20", images=["r/jobs:1", "r/web:1"])
    assert name_of() == name_of(azInfo={"azName": "az1"}, retention_days=7)
    different = [name_of("sha256:b"), name_of(image_cache_size=40), name_of(az_info={"az_name": "az2"})]
    assert len({name_of(), *different}) == 4


def test_another_image_with_the_same_digest_is_another_one() -> None:
    release = {**WEB, "images": ["r/web:2", "r/jobs:1"]}
    assert plan([release], answers(image="r/web:2"), [])["web"]["wanted"]["name"] != name_of()


@pytest.mark.parametrize("tags", [[{"key": "team", "value": "a"}], {"team": "a"}, '{"team": "a"}'])
def test_tags(tags: Any) -> None:
    found = plan([{**WEB, "tags": tags}], answers(), [])["web"]["wanted"]["tags"]
    assert found == [{"key": "team", "value": "a"}, {"key": "release", "value": "web"}]


def test_what_is_there_is_wanted_and_the_newest_others_stay() -> None:
    there = [cache(name_of()), *(cache(f"web-{number}", number) for number in (1, 3, 2)), cache("db-1", release="db")]
    found = plan([WEB], answers(), there)["web"]
    assert found == {
        "newest": "imc-web-3",
        "error": None,
        "wanted": {"name": name_of(), "tags": [{"key": "release", "value": "web"}]},
        "delete": ["imc-web-2", "imc-web-1"],
        "failed": [],
    }
    assert plan([WEB], answers(), there, keep=2)["web"]["delete"] == ["imc-web-1"]


def test_what_somebody_waits_for_or_deletes_stays_and_what_failed_goes() -> None:
    there = [cache("web-1", 1), cache("web-2", 2), cache("web-3", 3, "pending"), cache("web-4", 4, "deleting")]
    found = plan([WEB], answers(), [*there, cache("web-5", 5, "failed")])["web"]
    assert (found["newest"], found["delete"], found["failed"]) == ("imc-web-2", ["imc-web-1"], ["imc-web-5"])


def test_times_are_compared_whatever_their_form() -> None:
    there = [
        cache("web-1", creation_time="2026-11-01T09:00:00+08:00"),
        cache("web-2", creation_time="2026-11-01T02:00:00Z"),
    ]
    assert plan([WEB], answers(), there)["web"]["newest"] == "imc-web-2"


def test_one_that_failed_is_due_under_another_name() -> None:
    failed = cache(name_of(), status="failed")
    found = plan([WEB], answers(), [failed])["web"]
    again = found["wanted"]["name"]
    assert again != name_of()
    assert found["failed"] == [failed["image_cache_id"]]
    assert plan([WEB], answers(), [cache(again, 1)])["web"]["wanted"]["name"] == again
    assert plan([WEB], answers(), [failed, cache(again, 1)])["web"]["wanted"]["name"] == again
    assert plan([WEB], answers(), [cache(again, status="failed")])["web"]["wanted"]["name"] == name_of()


def test_one_that_is_on_its_way_is_not_ordered_twice_and_one_that_is_ready_goes_before_it() -> None:
    pending = cache(name_of(), 9, "pending")
    found = plan([WEB], answers(), [pending])["web"]
    assert (found["wanted"]["name"], found["newest"]) == (name_of(), None)
    again = plan([WEB], answers(), [cache(name_of(), status="failed")])["web"]["wanted"]["name"]
    assert plan([WEB], answers(), [pending, cache(again, 1)])["web"]["wanted"]["name"] == again


@pytest.mark.parametrize(("days", "renewed"), [(1, True), (-1, True), (8, False), (None, False)])
def test_one_that_expires_soon_is_due(days: float | None, renewed: bool) -> None:
    there = [cache(name_of(), expire_date_time=None if days is None else expiring(days))]
    found = plan([WEB], answers(), there, renew_before_days=7)["web"]
    assert (found["wanted"]["name"] != name_of()) is renewed
    assert (found["newest"], found["delete"], found["failed"]) == (there[0]["image_cache_id"], [], [])
    assert plan([WEB], answers(), there)["web"]["wanted"]["name"] == name_of()
    if renewed:
        there.append(cache(found["wanted"]["name"], 1, expire_date_time=expiring(30)))
        assert plan([WEB], answers(), there, renew_before_days=7)["web"]["wanted"] == found["wanted"]


def test_a_renewal_follows_a_renewal() -> None:
    there: list[dict[str, Any]] = []
    for minute in range(30):
        name = plan([WEB], answers(), there, renew_before_days=7)["web"]["wanted"]["name"]
        assert name not in {one["image_cache_name"] for one in there}
        there = [*there[-1:], cache(name, minute, expire_date_time=expiring(1))]


def test_where_a_registry_does_not_answer_the_newest_one_stays(capsys: pytest.CaptureFixture[str]) -> None:
    there = [cache("web-1", 1), cache("web-2", 2), cache("web-3", 3, "failed"), cache("web-4", 0)]
    found = plan([WEB], answers(outcome="unknown"), there)["web"]
    assert (found["wanted"], found["error"], found["newest"]) == (None, None, "imc-web-2")
    assert "image cache imc-web-2 of web is kept" in " ".join(capsys.readouterr().err.split())


def test_where_there_is_none_ready_that_release_fails_and_others_go_on() -> None:
    releases = [{**WEB, "name": "db"}, {**WEB, "images": ["r/jobs:1"]}]
    found = plan(releases, answers(outcome="unknown"), [cache("db-1", 1, "pending", release="db")])
    assert (found["db"]["error"], found["db"]["wanted"]) == ("it is unknown.", None)
    assert found["web"]["wanted"]["name"]


@pytest.mark.parametrize("outcome", ["not_found", "refused"])
def test_an_image_that_is_not_there_is_an_error(outcome: str) -> None:
    found = plan([WEB], answers(outcome=outcome), [cache("web-1")])["web"]
    assert (found["error"], found["wanted"], found["newest"]) == (f"it is {outcome}.", None, "imc-web-1")


def test_where_the_service_shows_no_tags_names_count_and_nothing_is_deleted() -> None:
    there = [cache(f"web-0000000{number}", number, tags=None) for number in range(4)]
    failed = cache("web-aaaaaaaa", status="failed", tags=None)
    found = plan([WEB], answers(outcome="unknown"), [*there, failed, cache("web-x", 9, tags=None)])["web"]
    assert (found["newest"], found["delete"], found["failed"]) == ("imc-web-00000003", [], [])


def test_what_has_no_tag_of_the_release_is_not_its_own() -> None:
    found = plan([WEB], answers(), [cache(f"web-0000000{number}", release=None) for number in range(4)])["web"]
    assert (found["newest"], found["delete"]) == (None, [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "db"}, r"release_image_caches\[2\].name: is the same as in release_image_caches\[1\]"),
        (
            {"tags": [{"key": "release", "value": "x"}]},
            r"release_image_caches\[2\].tags: must not have the key release",
        ),
        ({"state": "absent"}, r"release_image_caches\[2\].state: is not an option here"),
        ({"image_cache_id": "imc-1"}, r"release_image_caches\[2\].image_cache_id: is not an option here"),
        ({"images": "r/web:1"}, r"release_image_caches\[2\].images: must be a list"),
        ({"az_info": None}, r"release_image_caches\[2\].az_info: is required"),
        ({"image": "x"}, r"release_image_caches\[2\].image: is not an option here"),
        ({"image_registry_credentials": [["planted"]]}, r"release_image_caches\[2\].image_registry_credentials\[0\]"),
    ],
)
def test_releases_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message) as caught:
        plan([WEB, {**WEB, "name": "db"}, {**WEB, "name": "c", **changes}], [], [])
    assert "planted" not in str(caught.value)
    assert "db" not in str(caught.value)


def test_the_name_of_a_release_is_its_name() -> None:
    nameless = {key: value for key, value in WEB.items() if key != "name"}
    with pytest.raises(AnsibleFilterError, match=r"release_image_caches\[0\].name: is required"):
        plan([{**nameless, "image_cache_name": "web"}], [], [])


def test_one_older_image_cache_stays_at_least() -> None:
    with pytest.raises(AnsibleFilterError, match="release_keep: must be at least 1"):
        plan([WEB], [], [], keep=0)


def test_many_releases_take_a_linear_time() -> None:
    def seconds(number: int) -> float:
        releases = [{**WEB, "name": f"web{one}"} for one in range(number)]
        there = [cache(f"web{one}-{old}", old, release=f"web{one}") for one in range(number) for old in range(3)]
        begun = time.process_time()
        plan(releases, answers(), there)
        return time.process_time() - begun

    assert seconds(2000) < 40 * max(min(seconds(100) for _time in range(3)), 0.001)
