# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the exceptions of HTTP libraries into errors of this collection. Private to the collection."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Iterator

from .. import _errors as errors
from .._errors import NO_FILES, NO_MEMORY, NONE, POSSIBLE, EciError
from .._text import Redact, sanitize

_UNTRUSTED = "No trusted TLS connection to {host}: {why}. {check}"
_PROXY = "The proxy does not connect to {host}: {why}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
_NO_CONNECTION = "Cannot connect to {host}: {why}. {advice}"
_NOT_IN_TIME = "Cannot connect to {host} within {timeout:g} s (option timeout). {advice}"
_INVALID = "Cannot build a request to {host}: {why}."
_SLOW = "No complete reply from {host} within {timeout:g} s (option timeout)."
_NO_TLS = "The TLS connection to {host} failed: {why}. If the server has no TLS, begin the address with http://."
_BROKEN_OFF = "The connection to {host} was lost: {why}."

# The first row counts that has the class of an exception or of one of its causes. The effect is NONE only where the
# connection phase failed for certain: urllib3 says the same of a handshake and of a request that breaks off.
_TABLE: tuple[tuple[set[str], type[EciError], str, str], ...] = (
    ({"MemoryError"}, errors.MachineLimit, POSSIBLE, NO_MEMORY),
    ({"SSLCertVerificationError", "CertificateError"}, errors.UntrustedEndpoint, NONE, _UNTRUSTED),
    ({"tunnel refused"}, errors.Unreachable, NONE, _PROXY),
    ({"NewConnectionError", "gaierror"}, errors.Unreachable, NONE, _NO_CONNECTION),
    ({"ConnectTimeoutError"}, errors.Unreachable, NONE, _NOT_IN_TIME),
    ({"LocationValueError", "InvalidURL", "UnicodeError"}, errors.InvalidArguments, NONE, _INVALID),
    ({"own timeout", "ReadTimeoutError"}, errors.Unanswered, POSSIBLE, _SLOW),
    ({"SSLEOFError", "SSLZeroReturnError", "SSLSyscallError"}, errors.Unanswered, POSSIBLE, _BROKEN_OFF),
    ({"SSLError"}, errors.UntrustedEndpoint, POSSIBLE, _NO_TLS),
    ({"Exception"}, errors.Unanswered, POSSIBLE, _BROKEN_OFF),
)


def transport_error(error: Exception, host: str, timeout: float, advice: str, redact: Redact) -> EciError:
    """Return the error for a request to ``host`` without a complete reply."""
    chain = list(_chain(error))
    root = chain[-1]
    classes = {kind.__name__ for link in chain for kind in type(link).__mro__}
    if str(root).startswith("Tunnel connection failed"):  # http.client has no class for this
        classes.add("tunnel refused")
    if isinstance(root, socket.timeout) and root.errno is None:  # the system's have a number
        classes.add("own timeout")
    _classes, kind, effect, text = next(row for row in _TABLE if row[0] & classes)
    if _is_out_of_files(root, "NewConnectionError" in classes):
        return errors.MachineLimit(f"{NO_FILES}, so no connection can be made.", effect=effect)
    if effect == NONE and "ProxyError" in classes:
        text = _PROXY
    # without the connection object that urllib3 puts in front
    why = re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", str(root)).strip().rstrip(".") or type(root).__name__
    text = text.format(host=host, why=why, timeout=timeout, advice=advice, check=_certificate_advice(root))
    return kind(sanitize(text, redact), effect=effect)


def unusable(error: Exception, what: str, why: str, advice: str) -> EciError:
    """Return the error for a request that cannot even be made."""
    if _is_out_of_files(error):
        return errors.MachineLimit(f"{NO_FILES}, so no connection can be made.")
    return errors.InvalidArguments(f"{what} cannot be used ({why}). {advice}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the causes within it, down to the first one."""
    yield error
    inner = next((argument for argument in reversed(error.args) if isinstance(argument, BaseException)), None)
    if inner is None and type(error).__module__.startswith("urllib3."):
        inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if inner is not None and not isinstance(inner, EciError):  # that is what this request was sent for
        yield from _chain(inner)


def _certificate_advice(root: BaseException) -> str:
    code = getattr(root, "verify_code", None)  # OpenSSL's
    if code in (9, 10):
        return "Renew the certificate, unless the clock of this machine is wrong."
    if code in (62, 64) or type(root).__name__ == "CertificateError":
        return "It is for another host: check the address, and whether a proxy or DNS record points elsewhere."
    return "If an authority of your own signed the certificate, give its file in ca_path."


def _is_out_of_files(root: BaseException, may_be_hidden: bool = False) -> bool:
    if may_be_hidden:  # a resolver that cannot open its files gives any other reason
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as limit:
            root = limit
    return isinstance(root, OSError) and root.errno in (errno.EMFILE, errno.ENFILE)
