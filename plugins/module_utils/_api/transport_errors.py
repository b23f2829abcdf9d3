# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong where no reply came: the error of a library -> one of ours, with what to change. Private to the collection.

Whether the request was sent is not read from the error here, it is told by who watched the connection.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from typing import Any, Mapping

from .._errors import (
    NO_FILES,
    NO_MEMORY,
    NONE,
    POSSIBLE,
    EciError,
    InvalidArguments,
    MachineLimit,
    Unanswered,
    Unreachable,
    UntrustedEndpoint,
)
from .config import Connection
from .._text import Redact as Hide
from .._text import sanitize as told

try:
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        LocationValueError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )
except ImportError:
    pass

# OpenSSL's numbers of why a certificate is not accepted
_NOT_YET_OR_NO_LONGER_VALID = (9, 10)
_OTHER_HOST = (62, 64)
# TLS that could come about another time, unlike one that is refused
_BROKEN_OFF = (socket.timeout, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def sending_error(
    error: Exception, sent: bool, connection: Connection, known: Mapping[str, Any], hide: Hide = str
) -> EciError:
    """The error for a request without a reply. ``sent`` says whether a byte of it may have reached the service."""
    root = root_of(error)
    if _is_out_of_files(error, root):
        return MachineLimit(
            f"{NO_FILES}, so no connection can be made.",
            effect=POSSIBLE if sent else NONE,
            **known,
        )
    if isinstance(root, MemoryError):
        return MachineLimit(NO_MEMORY, effect=POSSIBLE if sent else NONE, **known)
    if sent:
        return _unanswered(error, root, connection, known, hide)
    return _unreached(error, root, connection, known, hide)


def unsendable(error: Exception, connection: Connection, known: Mapping[str, Any], hide: Hide = str) -> EciError:
    """The error for a request that cannot even be made."""
    return InvalidArguments(
        f"No request to {connection.endpoint} can be made: {text_of(root_of(error), hide)}.", **known
    )


def _unanswered(
    error: Exception, root: BaseException, connection: Connection, known: Mapping[str, Any], hide: Hide
) -> EciError:
    host = connection.endpoint
    if _is_over(error, root):
        text = f"No complete reply from {host} {_limit(connection)}."
    elif isinstance(error, SSLError):
        text = f"The TLS connection to {host} broke off: {text_of(root, hide)}."
    else:
        text = f"The connection to {host} broke off: {text_of(root, hide)}."
    return Unanswered(text, effect=POSSIBLE, **known)


def _unreached(
    error: Exception, root: BaseException, connection: Connection, known: Mapping[str, Any], hide: Hide
) -> EciError:
    host = connection.endpoint
    text = text_of(root, hide)
    if isinstance(error, ProxyError):
        kind: type[EciError] = UntrustedEndpoint if isinstance(root, ssl.SSLCertVerificationError) else Unreachable
        return kind(
            f"The proxy does not connect to {host}: {text}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.", **known
        )
    if isinstance(error, SSLError) and not isinstance(root, _BROKEN_OFF):
        return UntrustedEndpoint(f"No trusted TLS connection to {host}: {text}. {_advice(root)}", **known)
    if _is_over(error, root):
        return Unreachable(f"No connection to {host} {_limit(connection)}.", **known)
    if isinstance(error, (NewConnectionError, ConnectTimeoutError)):
        return Unreachable(f"No connection to {host}: {text}. Check endpoint and the network.", **known)
    if isinstance(error, (HTTPError, OSError)) and not isinstance(error, LocationValueError):
        return Unreachable(f"The connection to {host} broke off before the request: {text}.", **known)
    return unsendable(error, connection, known, hide)


def _advice(root: BaseException) -> str:
    """What to do about a TLS connection that did not come about."""
    reason = getattr(root, "verify_code", None)
    if reason in _NOT_YET_OR_NO_LONGER_VALID:
        return "Whoever runs the endpoint has to renew the certificate, unless the clock of this machine is off."
    if reason in _OTHER_HOST or type(root).__name__ == "CertificateError":  # the second is urllib3's own
        return (
            "The certificate is that of another host: check endpoint, and whether a proxy or a DNS entry leads astray."
        )
    if reason:
        return "If an authority of your own signed the certificate, give its file in ca_path."
    if getattr(root, "library", None) == "SSL":
        return "If the service speaks plain HTTP there, write http://."
    return "Check the file of authorities that ca_path, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names."


def _is_out_of_files(error: Exception, root: BaseException) -> bool:
    # a resolver that cannot open its files does not say so, and may leave any number behind
    if isinstance(root, socket.gaierror) or isinstance(error, NewConnectionError):
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as limit:
            root = limit
    return isinstance(root, OSError) and root.errno in (errno.EMFILE, errno.ENFILE)


def _is_over(error: Exception, root: BaseException) -> bool:
    """Whether it was our own limit that was reached: when the system gives up, its error has a number."""
    return isinstance(error, ReadTimeoutError) or (isinstance(root, socket.timeout) and root.errno is None)


def _limit(connection: Connection) -> str:
    return f"within {connection.timeout:g} s (option timeout)"


def root_of(error: BaseException) -> BaseException:
    """The first cause, from under the wrappers that requests and urllib3 put around it."""
    inner = next((argument for argument in reversed(error.args) if isinstance(argument, BaseException)), None)
    if inner is None:
        inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException) and isinstance(error, HTTPError):
        inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return root_of(inner) if isinstance(inner, BaseException) else error


def text_of(error: BaseException, hide: Hide) -> str:
    """An error's text in one line, without the connection object that urllib3 puts in front of it."""
    text = re.sub(r"^(<[^>]*>|\w+\([^)]*\)): ", "", str(error))
    return told(text, hide).rstrip(".") or type(error).__name__
