# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role release: what it orders and deletes, the IDs that it returns, and what it does where something fails."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.conftest import ROOT
from tests.emulator import Emulator, Fault, Misbehaviour, Registry
from tests.emulator.documented import PASSWORD, documented, fill
from tests.tools.page import blocks
from tests.unit.plugins.emulated import CREATE, DELETE, LIST, names, operations, seed

from .conftest import BODY, Ansible, Play, push, release

QUICK = {"group/ctyun.eci.eci": {"retries": 0, "retry_max_delay": 0.01}}
CHANGING = {CREATE, DELETE, "updateImageCache"}
FORGED = [
    "x\nIMAGE_CACHE_ID_EVIL=1",
    "{{ lookup('pipe', 'touch RAN') }}",
    "$(touch RAN)",
    "'; touch RAN; '",
    "\x1b[2J",
    '"}, {"',
]


# Writing them takes as long as the rest of the role.
FILES = {"release_json_file": "ids.json", "release_dotenv_file": "ids.env"}
SHOW = {"ansible.builtin.debug": {"msg": "IDs: {{ release_image_cache_ids | default({}) | to_json }}"}}


def keywords(*entries: dict[str, Any], **variables: Any) -> dict[str, Any]:
    own = {"release_image_caches": list(entries), "release_wait_interval": 0.1, **variables}
    role = {"ansible.builtin.include_role": {"name": "ctyun.eci.release"}}
    return {"module_defaults": QUICK, "vars": own, "tasks": [{"block": [role], "always": [SHOW]}]}


def ids(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The IDs that the role returned, also where it failed."""
    (shown,) = re.findall(r'"msg": ("IDs: .*")', done.stdout)
    found: dict[str, str] = json.loads(json.loads(shown).removeprefix("IDs: "))
    return found


def of(emulator: Emulator, name: str = "web") -> list[dict[str, Any]]:
    """The image caches of a release, the eldest first."""
    tag = {"key": "release", "value": name}
    return [cache for cache in emulator.service.caches() if tag in cache["tags"]]


def recap(done: subprocess.CompletedProcess[str]) -> tuple[int, int]:
    """The number of changed tasks, and the exit code."""
    return int(re.findall(r"changed=(\d+)", done.stdout)[-1]), done.returncode


def test_it_orders_once_until_the_tag_moves_and_keeps_one_older(
    play: Play, emulator: Emulator, registry: Registry, tmp_path: Path
) -> None:
    entries = release(registry, tags={"team": "a"}), release(registry, "db-main")
    wanted = keywords(*entries, **FILES)
    push(registry, 1, "db-main")
    newest = []
    for number in range(1, 4):
        push(registry, number)
        done = play(wanted if number == 3 else keywords(*entries))
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        newest.append(ids(done)["web"])
        assert [cache["imageCacheId"] for cache in of(emulator)] == newest[-2:]
    assert len(of(emulator, "db-main")) == 1
    cache = of(emulator)[-1]
    assert re.fullmatch("web-[0-9a-f]{8}", cache["imageCacheName"])
    assert sorted(tag["key"] for tag in cache["tags"]) == ["release", "team"]

    before = len(operations(emulator))
    assert recap(play(wanted)) == (0, 0)
    assert operations(emulator)[before:] == [LIST, LIST]
    assert json.loads((tmp_path / "ids.json").read_text(encoding="utf-8")) == ids(done)
    lines = (tmp_path / "ids.env").read_text(encoding="utf-8").splitlines()
    assert lines == [f"IMAGE_CACHE_ID_WEB={newest[-1]}", f"IMAGE_CACHE_ID_DB_MAIN={ids(done)['db-main']}"]

    push(registry, 2)  # back to the one before: it is there
    done = play(wanted)
    assert recap(done) == (2, 0)  # the files
    assert ids(done)["web"] == newest[1]
    assert len(emulator.sent(CREATE)) == 4


def test_check_mode_orders_nothing(play: Play, emulator: Emulator, registry: Registry, tmp_path: Path) -> None:
    push(registry, 1)
    old = [seed(emulator, f"web-{n}", age=9 - n, tags=[{"key": "release", "value": "web"}]) for n in range(3)]
    done = play(keywords(release(registry), release_keep=2, **FILES), "--check", "--diff")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.search(r"\+ web-[0-9a-f]{8} create, 20 GB", done.stdout)
    assert "- web-0 delete" not in done.stdout  # it selects by the ID
    assert f"- {old[0]} delete" in done.stdout
    assert f"- {old[1]} delete" not in done.stdout
    assert ids(done) == {"web": old[2]}
    assert CHANGING.isdisjoint(operations(emulator))
    assert not (tmp_path / "ids.json").exists()


def test_a_registry_that_does_not_answer(play: Play, emulator: Emulator, registry: Registry) -> None:
    wanted = keywords(release(registry), release(registry, "db"))
    push(registry, 1)
    first = ids(play(keywords(release(registry))))["web"]
    push(registry, 2, "web")
    push(registry, 2, "db")
    registry.inject(Misbehaviour("registry", "status", times=None, only="/web/", status=503))
    done = play(wanted)
    assert done.returncode == 0, done.stdout
    assert f"The newest image cache {first} of web is kept" in " ".join(done.stderr.split())
    assert len(of(emulator)) == len(of(emulator, "db")) == 1
    assert ids(done) == {"web": first, "db": of(emulator, "db")[0]["imageCacheId"]}

    def replace(_request: object) -> None:
        if of(emulator)[0]["imageCacheId"] == first:
            seed(emulator, "web-0123abcd", tags=[{"key": "release", "value": "web"}])
            emulator.service.remove(first)

    registry.before = replace  # another run, which got an answer
    assert ids(play(wanted))["web"] == of(emulator)[0]["imageCacheId"] != first


def test_where_there_is_none_that_release_fails_and_the_others_go_on(
    play: Play, emulator: Emulator, registry: Registry
) -> None:
    push(registry, 2, "db")
    push(registry, 1)
    registry.inject(Misbehaviour("registry", "status", times=None, only="/web/", status=503))
    missing = release(registry, "lost")
    done = play(keywords(release(registry), missing, release(registry, "db")))
    assert done.returncode == 2
    assert list(ids(done)) == ["db"]
    failure = done.stdout.partition("Report the releases that failed]")[2]
    assert "web: " in failure
    assert "lost: " in failure and "has no lost" in failure
    assert "db: " not in failure
    other = play(keywords(release(registry, "db"), release_platform="linux/arm64"))
    assert re.search("db: .*linux/arm64", other.stdout)
    assert [cache["imageCacheName"][:3] for cache in emulator.service.caches()] == ["db-"]


def test_one_that_failed_is_due_and_none_pile_up(play: Play, emulator: Emulator, registry: Registry) -> None:
    wanted = keywords(release(registry), release(registry, "db"))
    push(registry, 1)
    push(registry, 1, "db")
    first = ids(play(wanted))
    assert len(first) == 2
    push(registry, 2)
    push(registry, 2, "db")
    emulator.settings.update({"fail_images": ["/web:"]})
    for attempt in range(1, 4):
        done = play(wanted)
        assert done.returncode == 2
        assert "web: The image cache" in done.stdout
        assert [cache["status"] for cache in of(emulator)] == ["ready", "failed"]
        assert ids(done)["web"] == first["web"]
        assert ids(done)["db"] != first["db"]
        assert len(emulator.sent(CREATE)) == 3 + attempt
    emulator.settings.update({"fail_images": []})
    done = play(wanted)
    assert done.returncode == 0, done.stdout
    assert [cache["status"] for cache in of(emulator)] == ["ready", "ready"]
    assert ids(done)["web"] == of(emulator)[1]["imageCacheId"]
    assert recap(play(wanted)) == (0, 0)


def test_the_expiry_that_the_service_shows_is_heeded(play: Play, emulator: Emulator, registry: Registry) -> None:
    push(registry, 1)
    wanted = keywords(release(registry, retention_days=30), release_renew_before_days=7)
    for shown in (True, False):
        emulator.settings.expiry_shown = shown
        first = ids(play(wanted))["web"]
        assert recap(play(wanted)) == (0, 0)
        seen = len(of(emulator))
        # in place of the time, which the signature of a request needs
        (cache,) = (one for one in emulator.service._caches.values() if one.identifier == first)
        cache.rest["retentionDays"] = 6
        assert (ids(play(wanted))["web"] != first) is shown
        assert len(of(emulator)) == seen + shown
        assert recap(play(wanted)) == (0, 0)


def test_a_plain_prune_leaves_them(play: Play, emulator: Emulator, registry: Registry) -> None:
    push(registry, 1)
    team = [{"key": "team", "value": "a"}]
    assert play(keywords(release(registry, tags=team))).returncode == 0
    seed(emulator, "old", tags=team)
    task = {"image_caches": [{"name": "new", "images": ["nginx:1"], "tags": team, **BODY}], "wait": True, "prune": True}
    tasks = [
        {"ctyun.eci.image_caches": {**task, "prune_tags": team}, "register": "pruned"},
        {"ansible.builtin.debug": {"msg": "{{ pruned.kept | map(attribute='reason') }} {{ pruned.pruned | length }}"}},
    ]
    done = play({"tasks": tasks})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "['release'] 1" in done.stdout
    assert len(of(emulator)) == 1


@pytest.mark.parametrize("what", ["the list fails", "the new one is gone", "the new one fails", "a deletion fails"])
def test_where_deleting_goes_wrong(what: str, play: Play, emulator: Emulator, registry: Registry) -> None:
    """The role lists, the order lists twice, and the fourth list is the one before the deletion."""
    push(registry, 1)
    old = [seed(emulator, f"web-{n}", age=9 - n, tags=[{"key": "release", "value": "web"}]) for n in range(3)]

    def remove(record: Any) -> None:
        if record.operation == LIST and len(emulator.sent(LIST)) == 4:
            emulator.service.remove(emulator.service.caches()[-1]["imageCacheId"])

    if what == "the new one is gone":
        emulator.before = remove
    elif what == "the new one fails":
        emulator.settings.update({"fail_images": ["/web:"]})
    else:
        fails, skip = (LIST, 3) if what == "the list fails" else (DELETE, 0)
        emulator.inject(Fault("status", fails, skip=skip, status=403, reason="Forbidden"))
    done = play(keywords(release(registry)))
    assert done.returncode == 2, done.stdout
    there = [cache["imageCacheId"] for cache in emulator.service.caches()]
    failure = done.stdout.partition("Report the releases that failed]")[2]
    if what == "the new one fails":
        assert there[:-1] == old
        assert ids(done) == {"web": old[2]}
    elif what == "the new one is gone":
        assert there == old
        assert f"is not deleted, since '{ids(done)['web']}' failed" in failure
    else:
        assert there[:-1] == (old if fails == LIST else [there[0], old[2]])
        assert ids(done) == {"web": there[-1]}
        assert failure.count("injected: Forbidden") >= 1


def test_what_others_did_to_its_image_cache(play: Play, emulator: Emulator, registry: Registry) -> None:
    """Another run, of another machine, ordered it at the same moment; and a person gave it a tag."""
    push(registry, 1)
    assert play(keywords(release(registry))).returncode == 0
    (cache,) = of(emulator)
    emulator.service.remove(cache["imageCacheId"])
    given = {"images": cache["images"], "imageCacheSize": 20}
    tags = [*cache["tags"], {"key": "cost", "value": "7"}]
    first = seed(emulator, cache["imageCacheName"], **given, tags=tags, age=1000)
    seed(emulator, cache["imageCacheName"], **given, tags=cache["tags"], age=999)
    assert play(keywords(release(registry))).returncode == 0
    (left,) = emulator.service.caches()
    assert (left["imageCacheId"], left["tags"]) == (first, tags)


def test_a_hundred_releases_take_as_many_tasks_as_one(play: Play, emulator: Emulator, registry: Registry) -> None:
    entries = [release(registry, f"r{number:03}") for number in range(100)]
    for number, entry in enumerate(entries):
        push(registry, number, entry["name"])
    done = play(keywords(*entries))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert Counter(operations(emulator)) == {LIST: 3, CREATE: 100, "region": 1, "listUsage": 1}
    assert done.stdout.count("TASK [ctyun.eci.release :") == 13
    for number, entry in enumerate(entries):
        push(registry, number + 200, entry["name"])
    assert play(keywords(*entries)).returncode == 0
    seen = len(registry.requests)
    emulator.records.clear()
    assert recap(play(keywords(*entries)))[0] == 0
    assert operations(emulator) == [LIST, LIST]
    assert len(registry.requests) - seen <= 220
    assert len(emulator.service.caches()) == 200


def test_what_the_service_writes_stays_a_text(
    play: Play, emulator: Emulator, registry: Registry, tmp_path: Path
) -> None:
    """IDs, names, statuses and tags of image caches of the releases and of others."""
    entries = [release(registry, f"web{number}") for number in range(len(FORGED))]
    expected = {}
    for entry, text in zip(entries, FORGED, strict=True):
        push(registry, 1, entry["name"])
        tags = [{"key": "release", "value": entry["name"]}, {"key": text, "value": text}]
        first = seed(emulator, text, tags=tags, age=9, azName=text, images=[text])
        seed(emulator, f"2{text}", tags=tags, age=8, status=f"failed {text}")
        newest = seed(emulator, f"3{text}", tags=tags, age=7, imageCacheId=f"imc-{text}")
        seed(emulator, f"4{text}", tags=[{"key": "release", "value": text}])
        expected[entry["name"]] = newest if text.isprintable() else first  # another one is no ID
    registry.inject(Misbehaviour("registry", "status", times=None, status=503))
    done = play(keywords(*entries, **FILES))
    assert done.returncode == 2, done.stdout
    odd = {name for name, text in zip(expected, FORGED, strict=True) if text.isprintable()}
    assert set(re.findall(r"(\w+): its ID cannot be written as dotenv", done.stdout)) == odd
    assert json.loads((tmp_path / "ids.json").read_text(encoding="utf-8")) == ids(done) == expected
    path = tmp_path / "ids.env"
    lines = [f"IMAGE_CACHE_ID_{name.upper()}={expected[name]}" for name in expected if name not in odd]
    assert path.read_text(encoding="utf-8").splitlines() == lines
    subprocess.run(["sh", "-c", f". {shlex.quote(str(path))}"], cwd=tmp_path, check=True, timeout=10)

    registry.reset()
    done = play(keywords(*entries, **FILES), "-vvvv")
    assert done.returncode == 0, done.stdout
    assert all(re.fullmatch("imc-[0-9a-z]{16}", found) for found in ids(done).values())
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize(
    ("names_", "word"),
    [(["a-b", "a_b"], "IMAGE_CACHE_ID_A_B, IMAGE_CACHE_ID_A_B"), (["数", "库"], "IMAGE_CACHE_ID__, IMAGE_CACHE_ID__")],
)
def test_names_that_a_dotenv_file_cannot_tell_apart(
    names_: list[str], word: str, play: Play, emulator: Emulator, registry: Registry
) -> None:
    entries = [release(registry, "web", name=name) for name in names_]
    done = play(keywords(*entries, release_dotenv_file="ids.env"))
    assert done.returncode == 2
    assert word in done.stdout
    assert emulator.requests == registry.requests == []
    push(registry, 1)
    assert play(keywords(*entries)).returncode == 0
    assert sorted(name[:-9] for name in names(emulator)) == sorted(names_)


def test_what_the_preflight_refuses_is_not_ordered(play: Play, emulator: Emulator, registry: Registry) -> None:
    push(registry, 1)
    done = play(keywords(release(registry, az_info={"az_name": "az9"})))
    assert done.returncode == 2
    assert "'az9' is not a zone of this region" in done.stdout
    assert CHANGING.isdisjoint(operations(emulator))


def test_logins_reach_the_registry_and_nothing_else(play: Play, emulator: Emulator) -> None:
    with Registry(
        "basic", users={"me": "planted-password", "you": "planted-too"}, rights={"me": "web", "you": "db"}
    ) as own:
        push(own, 1)
        push(own, 1, "db")
        one = {"server": f"{own.address}/web", "user_name": "me", "password": "planted-password"}
        two = {"server": f"{own.address}/db", "userName": "you", "password": "planted-too"}
        logins = {"image_registry_credentials": [one]}, {"imageRegistryCredentials": [two]}
        wanted = keywords(release(own, **logins[0]), release(own, "db", **logins[1]))
        done = play(wanted, "-vvvv")
    assert done.returncode == 0, done.stdout
    assert len(ids(done)) == 2
    assert "planted" not in done.stdout + done.stderr
    assert [len(r.body["imageRegistryCredentials"]) for r in emulator.sent(CREATE)] == [1, 1]


@pytest.mark.parametrize("role", ["image_caches", "release"])
def test_the_example_of_the_readme_runs(role: str, ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    (example,) = (block for block in blocks(ROOT / "roles" / role / "README.md") if block.kind == "yaml")
    playbook = tmp_path / "example.yml"
    playbook.write_text(example.text, encoding="utf-8")
    with documented(PASSWORD) as registry:
        fill(registry)
        done = ansible("playbook", playbook, **emulator.environment, **registry.environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f': "{emulator.service.caches()[0]["imageCacheId"]}"' in done.stdout


def test_the_example_of_the_filter_runs(play: Play) -> None:
    text = (ROOT / "plugins" / "filter" / "release_plan.py").read_text(encoding="utf-8")
    done = play({"tasks": yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.search('"name": "web-[0-9a-f]{8}"', done.stdout)
