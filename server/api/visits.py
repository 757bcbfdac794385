"""Visits that set valves: the lists, and what they brought."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from dispatch_core.ids import ApplicationId, VisitId
from dispatch_core.suspensions import RecordResults, Result
from dispatch_core.suspensions.commands import Outcome
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.policies import Policies
from server.adapters.suspension_reads import SuspensionReads, VisitFilter, VisitPage, VisitTrace
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.usecases.visits import RecordVisit, VisitAnswer


class ResultBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the visit brought for one household's application."""

    application: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    outcome: Outcome
    seal: Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[\w .-]+\Z")] | None = None


class ResultsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All results, or those so far, of the visit as the caller saw it."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    results: Annotated[list[ResultBody], msgspec.Meta(max_length=500)]


EXAMPLE = {
    "version": 1,
    "results": [
        {"application": "261012-004711", "outcome": "sealed", "seal": "F-20931"},
        {"application": "261012-004712", "outcome": "nobody_home"},
    ],
}
ANSWER_EXAMPLE = {"id": "261012-004711-1", "version": 3, "action": "close", "done": 1}


def create_handlers(
    gate: Gate,
    commits: Commits,
    clock: BusinessClock,
    policies: Policies,
    reads: SuspensionReads,
) -> list[BaseRouteHandler]:
    """`/api/visits`."""

    @get("/api/visits", tags=["suspensions"])
    async def visits(
        request: Request[Any, Any, Any],
        *,
        still_open: Annotated[bool | None, Parameter(query="open")] = None,
        building: str | None = None,
        late: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> VisitPage:
        """Visits, the first due first."""
        principal = await gate.principal(request)
        wanted = VisitFilter(
            open=still_open, building=building, late=late, limit=limit, after=after
        )
        return await reads.visits(principal.company, wanted, clock.now())

    @get("/api/visits/{visit_id:str}", tags=["suspensions"])
    async def visit(request: Request[Any, Any, Any], visit_id: str) -> VisitTrace:
        """One visit, everything that happened to it, and whether its chain holds."""
        principal = await gate.principal(request)
        record = await reads.visit(principal.company, visit_id, clock.now())
        return found(record, "visit", visit_id)

    @post(
        "/api/visits/{visit_id:str}/results",
        status_code=200,
        tags=["suspensions"],
        operation_class=described(ResultsBody, EXAMPLE, VisitAnswer, ANSWER_EXAMPLE),
    )
    async def results(request: Request[Any, Any, Any], visit_id: str) -> Response[bytes]:
        """What the visit brought: valves set, or households to be visited again."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, ResultsBody)
        doors = found(await reads.doors(principal.company, visit_id), "visit", visit_id)
        given = [
            Result(application=ApplicationId(r.application), outcome=r.outcome, seal=r.seal)
            for r in body.results
        ]
        use_case = RecordVisit(
            visit=VisitId(visit_id),
            command=RecordResults(version=body.version, by=principal.actor, results=given),
            policy=await policies.at(principal.company, clock.now()),
            doors=doors,
        )
        route = f"POST /api/visits/{visit_id}/results"
        answer = await commits.submit(principal, route, key, body_hash(raw), use_case)
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [visits, visit, results]
