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
      - If it is not given, it is read from the environment variable E(CTYUN_AK), or else from E(CTAPI_AK).
    type: str
  secret_key:
    description:
      - The secret key (SK) that belongs to O(access_key).
      - If it is not given, it is read from the environment variable E(CTYUN_SK), or else from E(CTAPI_SK).
    type: str
  region_id:
    description:
      - The ID of the region, for example V(bb9fdb42056f11eda1610242ac110002).
      - If it is not given, it is read from the environment variable E(CTYUN_REGION_ID).
    type: str
  endpoint:
    description:
      - The address of the service, without a path.
      - If it is not given, it is read from the environment variable E(CTYUN_ECI_ENDPOINT), or else from E(CTAPI_ECI_DOMAIN).
    type: str
    default: https://eci-global.ctapi.ctyun.cn
  validate_certs:
    description:
      - Whether the certificate of the endpoint must be valid. Turn this off for tests only, since requests contain the
        passwords of image registries.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory with the certificates of the authorities to trust.
      - If it is not given, the file that the environment variable E(REQUESTS_CA_BUNDLE) or else E(CURL_CA_BUNDLE) names is used,
        or else the certificates that come with C(requests).
      - A relative path is searched for where Ansible searches for files, in C(files) of the role and beside the playbook. This
        works with a local connection only. For other hosts, give the absolute path on that host.
    type: path
  timeout:
    description:
      - How many seconds connecting may take, each wait for the reply, and the whole body of the reply. At most V(2678400) (31 days).
    type: float
    default: 30
  retries:
    description:
      - How many times a request that failed is sent again, if that is safe and may help. V(0) turns this off. At most V(1000).
      - A createImageCache is sent again only if its name was listed and not found.
      - Five refusals in a row because of the rate of requests do not count.
    type: int
    default: 5
  retry_max_delay:
    description:
      - The longest pause between two attempts, in seconds. At most V(2678400) (31 days).
      - Pauses are random and grow. If the service asks for a certain pause, it is kept, up to this limit.
    type: float
    default: 30
requirements:
  - requests >= 2.25
  - jsonschema >= 4.0
notes:
  - The proxy variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) of the environment are used. Redirects are not followed,
    and C(~/.netrc) is not read.
  - Environment variables are read on the machine where the module runs. To use those of the controller, set
    O(ignore:delegate_to=localhost) on the task, or run the play on C(localhost).
  - A V(null) for an option that has a default means the default. An option that is given under two of its names is refused,
    even if one of them is V(null).
  - The API is known from CTYun's documentation and SDK. This collection has not been run against the live service.
"""
