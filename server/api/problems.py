"""Refusals and failures as application/problem+json (RFC 9457),
each with a stable code and what to do."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from dispatch_core.errors import Kind, Refused
from server.api.gate import Unauthenticated

log = logging.getLogger(__name__)

STATUS: dict[Kind, int] = {
    "invalid": 422,
    "not_found": 404,
    "conflict": 409,
    "forbidden": 403,
    "too_large": 413,
    "unavailable": 503,
}
MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What every refusal looks like.
    `present` is the record as it stands now, where that is why."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    what_to_do: str
    present: dict[str, Any] | None = None


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers or {},
    )


def problem_of(error: Refused) -> Problem:
    """A refusal as it is told."""
    status = 401 if isinstance(error, Unauthenticated) else STATUS[error.kind]
    if error.code == "too_many_attempts":
        status = 429
    return Problem(
        type=f"urn:heatops:{error.code}",
        title=error.code.replace("_", " "),
        status=status,
        code=error.code,
        detail=error.detail,
        what_to_do=error.what_to_do,
        present=error.extra or None,
    )


def refused(_: Request[Any, Any, Any], error: Refused) -> Response[bytes]:
    """A refusal of the core or of an adapter."""
    problem = problem_of(error)
    headers = {429: {"Retry-After": "60"}, 503: {"Retry-After": "2"}}.get(problem.status)
    return _answer(problem, headers)


def http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The framework's own refusals: a body that does not fit, a path that does not exist,
    a wrong method."""
    status = 422 if isinstance(error, ValidationException) else error.status_code
    code = {
        400: "bad_request",
        404: "no_such_page",
        405: "wrong_method",
        413: "too_large",
        422: "bad_request",
    }.get(status, "refused")
    detail = str(error.detail)
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        detail = "; ".join(f"{e.get('key', 'body')}: {e.get('message', '')}" for e in error.extra)
    return _answer(
        Problem(
            type=f"urn:heatops:{code}",
            title=code.replace("_", " "),
            status=status,
            code=code,
            detail=detail or "The request does not fit.",
            what_to_do="Compare the request with its description and examples at /docs.",
        ),
        dict(error.headers or {}),
    )


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect of ours: logged whole, told without innards."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(
        Problem(
            type="urn:heatops:internal",
            title="internal",
            status=500,
            code="internal",
            detail="heatops could not carry this out; the failure is in its log.",
            what_to_do="Send the same request again with the same Idempotency-Key;"
            " if it fails again, report it.",
        )
    )


HANDLERS: ExceptionHandlersMap = {
    Refused: refused,
    HTTPException: http_error,
    Exception: unexpected,
}
