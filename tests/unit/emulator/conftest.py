# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.emulator import Emulator

PREFIX = "/eci/api/v1/"


class Client:
    """Signs by the book and without the emulator's help."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = emulator.ca_file or True

    def headers(self, body: bytes = b"", age: float = 0, **changes: str | None) -> dict[str, str]:
        access_key = changes.pop("access_key", None) or self._emulator.settings.access_key
        secret_key = changes.pop("secret_key", None) or self._emulator.settings.secret_key
        request_id = changes.pop("request_id", None) or str(uuid.uuid4())
        moment = datetime.now(UTC) + timedelta(hours=8) - timedelta(seconds=age)
        date = moment.strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        text = f"ctyun-eop-request-id:{request_id}\neop-date:{date}\n\n\n{digest}"
        time_key = hmac.new(secret_key.encode(), date.encode(), hashlib.sha256).digest()
        access = hmac.new(time_key, access_key.encode(), hashlib.sha256).digest()
        day = hmac.new(access, date[:8].encode(), hashlib.sha256).digest()
        signature = base64.b64encode(hmac.new(day, text.encode(), hashlib.sha256).digest()).decode()
        headers: dict[str, str | None] = {
            "Content-Type": "application/json",
            "regionId": self._emulator.settings.region_id,
            "ctyun-eop-request-id": request_id,
            "Eop-date": date,
            "Eop-Authorization": f"{access_key} Headers=ctyun-eop-request-id;eop-date Signature={signature}",
        }
        return {name: value for name, value in {**headers, **changes}.items() if value is not None}

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        timeout = options.pop("timeout", 5)
        headers = options.pop("headers", None) or self.headers(raw, **options)
        url = self._emulator.url + PREFIX + path
        return self._session.request(method, url, data=raw, headers=headers, timeout=timeout, allow_redirects=False)

    def create(self, **fields: Any) -> requests.Response:
        return self.send("POST", "imageCache/createImageCache", self.body(**fields))

    def created(self, **fields: Any) -> str:
        return str(self.create(**fields).json()["returnObj"]["imageCacheId"])

    def find(self, **fields: Any) -> requests.Response:
        return self.send("POST", "imageCache/describeImageCaches", fields)

    def listed(self, **fields: Any) -> list[str]:
        return [cache["imageCacheName"] for cache in self.find(**fields).json()["returnObj"]["imageCaches"]]

    def get(self, identifier: str) -> requests.Response:
        return self.send("GET", f"imageCache/describeImageCache/{identifier}")

    def status(self, identifier: str) -> str:
        return str(self.get(identifier).json()["returnObj"]["status"])

    def delete(self, identifier: str) -> requests.Response:
        return self.send("DELETE", f"imageCache/deleteImageCache/{identifier}")

    def update(self, identifier: str, **fields: Any) -> requests.Response:
        return self.send("PUT", "imageCache/updateImageCache", {"imageCacheId": identifier, **fields})

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self._session.request(method, f"{self._emulator.url}/_emulator/{path}", json=body, timeout=5)

    @staticmethod
    def body(**fields: Any) -> dict[str, Any]:
        body = {
            "imageCacheName": "base",
            "securityGroupId": "sg-test",
            "vSwitchId": "subnet-test",
            "vpcId": "vpc-test",
            "azInfo": {"azName": "az1"},
            "images": ["nginx:latest"],
            **fields,
        }
        return {name: value for name, value in body.items() if value is not ...}


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def secure_emulator() -> Iterator[Emulator]:
    with Emulator(tls=True) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def api(emulator: Emulator) -> Client:
    return Client(emulator)
