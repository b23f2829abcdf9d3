# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  access_key:
    description:
      - The access key (AK) of the account. If not given, it is read from E(CTYUN_AK), or else from E(CTAPI_AK).
    type: str
  secret_key:
    description:
      - The secret key (SK) of the account. If not given, it is read from E(CTYUN_SK), or else from E(CTAPI_SK).
    type: str
  region_id:
    description:
      - The ID of the region, for example V(bb9fdb42056f11eda1610242ac110002). If not given, it is read from E(CTYUN_REGION_ID).
    type: str
  endpoint:
    description:
      - The address of the service, without a path. If not given, it is read from E(CTYUN_ECI_ENDPOINT), or else from
        E(CTAPI_ECI_DOMAIN).
    type: str
    default: https://eci-global.ctapi.ctyun.cn
  validate_certs:
    description:
      - Whether to validate the certificate of the endpoint. Turn this off for tests only, since requests contain registry
        passwords.
    type: bool
    default: true
  ca_path:
    description:
      - The file or directory with the CA certificates to trust. If not given, it is read from E(REQUESTS_CA_BUNDLE), or else from
        E(CURL_CA_BUNDLE), or else the one of C(requests) is used. A relative path needs a local connection.
    type: path
  timeout:
    description:
      - The timeout in seconds for connecting, for each read, and for the whole body of the reply.
    type: float
    default: 30
  retries:
    description:
      - How many times a failed request is repeated if that is safe, at most V(1000).
    type: int
    default: 5
  retry_max_delay:
    description:
      - The longest pause before a retry in seconds, even if the service asks for a longer one.
    type: float
    default: 30
requirements:
  - requests >= 2.25
  - jsonschema >= 4.0
notes:
  - Environment variables, E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) among them, are read on the machine where the module runs.
    C(~/.netrc) is not read. See the guide R(Authentication,ansible_collections.ctyun.eci.docsite.authentication).
"""
