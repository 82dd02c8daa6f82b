"""What a Kubernetes API server answers, and what the client stumbles over, as our error tree. Pure; asks nobody.

Source: k8s.io/apimachinery/pkg/apis/meta/v1 (Status, StatusReason); kubernetes.io/docs/reference/using-api.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from backends.model.errors import BackendError, Conflict, Denied, NotFound, Protocol, TimedOut, Unreachable, Unsupported
from backends.model.ids import EngineId

_BODY_BYTES = 64 * 1024
_TITLE_LETTERS = 300
_WAITING = re.compile(r'container "?([^"\s]+)"? in pod "?([^"\s]+)"? is (?:waiting to start|not available)')
_NO_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')


def status_of(body: bytes) -> Mapping[str, Any]:
    """The Status object of an answer; empty where it is none."""
    try:
        value = json.loads(body[:_BODY_BYTES])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def from_answer(code: int, body: bytes, engine: EngineId, context: str) -> BackendError:
    """The error of an HTTP answer that is none of success."""
    return from_status(code, status_of(body) or {"message": body[:1000].decode("utf-8", "replace")}, engine, context)


def from_status(code: int, status: Mapping[str, Any], engine: EngineId, context: str) -> BackendError:
    """The error of a Status. context: of the kubeconfig, for what to do next."""
    words = str(status.get("message") or "").strip()
    first, _, rest = words.partition("\n")
    title = first[:1].upper() + first[1:_TITLE_LETTERS]
    detail = "; ".join([*rest.splitlines(), *_causes(status)]) or f"HTTP status {code}"
    if code == 401:
        return Denied(
            "The cluster does not accept your credentials",
            detail=words or detail,
            hint=f"They may have expired: log in again until `kubectl --context {context} get pods` answers; "
            "Tranship tries again by itself.",
            engine=engine,
        )
    if code == 403:
        hint = "Ask whoever runs the cluster for a Role that allows it, or choose another context or namespace."
        return Denied(title or "The cluster forbids it", detail=detail, hint=hint, engine=engine)
    if code == 404:
        missing = _NO_NAMESPACE.search(words)
        hint = f"Make it: kubectl --context {context} create namespace {missing.group(1)}" if missing else ""
        return NotFound(title or "It is not there", detail=detail, hint=hint, engine=engine)
    if code == 400 and (waiting := _WAITING.search(words)):
        title = f"{waiting.group(1)} has not started, so it has no log yet"
        return Conflict(title, detail=words, hint="Its state says what it waits for.", engine=engine)
    if code == 409:
        return Conflict(title or "Something stands in the way", detail=detail, engine=engine)
    if code in {400, 405, 406, 415, 422}:
        return Unsupported(title or "The cluster does not take it", detail=detail, engine=engine)
    if code in {408, 504}:
        return TimedOut(title or "The cluster did not answer in time", detail=detail, engine=engine)
    hint = "Tranship tries again by itself." if code >= 500 or code == 429 else ""
    return Protocol(
        title or f"The answer is HTTP status {code}, without a word", detail=detail, hint=hint, engine=engine
    )


def _causes(status: Mapping[str, Any]) -> list[str]:
    """What the server says of single fields, "field: message"."""
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    found = [one for one in causes or () if isinstance(one, Mapping)]
    return [": ".join(str(one[key]) for key in ("field", "message") if one.get(key)) for one in found]


def tls_failed(words: str, host: str, engine: EngineId) -> Denied:
    """The connection could not be made safe."""
    line = " ".join(words.split())
    if "CERTIFICATE_VERIFY_FAILED" in line and "expired" in line:
        hint = "The cluster's certificate has expired: whoever runs the cluster has to renew it."
    elif "match" in line and ("ostname" in line or "IP address" in line):
        hint = "The certificate is for another name: set tls-server-name in the kubeconfig, or another server address."
    elif "CERTIFICATE_VERIFY_FAILED" in line:
        hint = "Set certificate-authority-data of this cluster in the kubeconfig to the CA that signed its certificate."
    else:
        hint = "Check the server address, and client-certificate-data and client-key-data in the kubeconfig."
    return Denied(f"TLS with {host} failed", detail=line[:1000], hint=hint, engine=engine)


def unreachable(words: str, host: str, engine: EngineId) -> Unreachable:
    """Nothing answers, or the connection broke off."""
    line = " ".join(words.split())[:1000]
    if "refused" in line:
        hint = "The API server does not run, or the kubeconfig names another port. Tranship tries again by itself."
        return Unreachable(f"Nothing listens at {host}", detail=line, hint=hint, engine=engine)
    if "resolve" in line or "getaddrinfo" in line or "Name or service" in line:
        hint = "Check the server's name in the kubeconfig, the VPN and DNS of this machine."
        return Unreachable(f"The name in {host} is not known here", detail=line, hint=hint, engine=engine)
    hint = "Check that this machine reaches the cluster (VPN, proxy). Tranship tries again by itself."
    return Unreachable(f"The connection to {host} failed", detail=line, hint=hint, engine=engine)


def late(host: str, engine: EngineId, timeout_s: float | None = None) -> TimedOut:
    """No answer in time."""
    within = f" within {timeout_s:g} s" if timeout_s else ""
    hint = "The API server may be hung or very busy; Tranship tries again by itself."
    return TimedOut(f"No answer from {host}{within}", hint=hint, engine=engine)


__all__ = ["from_answer", "from_status", "late", "status_of", "tls_failed", "unreachable"]
