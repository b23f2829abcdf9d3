# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  access_key:
    description:
      - The access key (AK) of the account.
      - If it is not given, the environment variables E(CTYUN_AK) and E(CTAPI_AK) are looked at, in this order.
    type: str
  secret_key:
    description:
      - The secret key (SK) that belongs to O(access_key).
      - If it is not given, the environment variables E(CTYUN_SK) and E(CTAPI_SK) are looked at, in this order.
    type: str
  region_id:
    description:
      - The ID of the region, for example V(bb9fdb42056f11eda1610242ac110002).
      - If it is not given, the environment variable E(CTYUN_REGION_ID) is looked at.
    type: str
  endpoint:
    description:
      - Where the service is, without a path.
      - If it is not given, the environment variables E(CTYUN_ECI_ENDPOINT) and E(CTAPI_ECI_DOMAIN) are looked at, in
        this order.
    type: str
    default: https://eci-global.ctapi.ctyun.cn
  validate_certs:
    description:
      - Whether the certificate of the endpoint must be valid. Turn this off for tests only, since passwords of image
        registries travel in the requests.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory with the certificates of authorities to trust, instead of the ones that are built in.
      - A relative path is looked for as Ansible finds files, in C(files) of the role and beside the playbook. That takes
        a local connection; for other hosts give the absolute path that it has there.
    type: path
  timeout:
    description:
      - Seconds for one request, from the connection to the end of the reply, V(2678400) (31 days) at most.
    type: float
    default: 30
  retries:
    description:
      - How often a request is repeated at most where that is safe and may help. V(0) turns this off, V(1000) is the most.
      - With C(-vvv) each repetition is told.
      - A createImageCache is never simply repeated, see the notes.
    type: int
    default: 5
  retry_max_delay:
    description:
      - The longest pause in seconds between two attempts. Pauses grow, are random, and respect what the service asks
        for up to this limit. V(2678400) (31 days) at most.
    type: float
    default: 30
requirements:
  - requests
  - jsonschema >= 4.0
notes:
  - The proxy variables of the environment (E(HTTPS_PROXY), E(HTTP_PROXY), E(NO_PROXY)) are respected. Redirects are not
    followed, and C(~/.netrc) is not read.
  - Credentials are needed where the module runs. If that is the controller, set O(ignore:delegate_to=localhost) on the
    task or the play.
  - A V(null) for an option that has a default stands for the default. An option that is given under two of its names is
    refused, also if one of them is V(null).
  - The API is known from CTYun's documentation and SDK. This collection has not been run against the live service.
"""
