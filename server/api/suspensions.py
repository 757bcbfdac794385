"""Heating suspension: applying, deciding by hand, the valve, and the lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import Parameter

from dispatch_core import suspensions
from dispatch_core.errors import Invalid
from dispatch_core.ids import (
    ApplicationId,
    CheckCode,
    Department,
    PhotoId,
    StopKind,
    Words,
    unix,
)
from server.adapters.accounts import Role
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.suspension_reads import (
    ApplicationFilter,
    ApplicationPage,
    ApplicationTrace,
    SuspensionReads,
)
from server.adapters.suspension_summary import Summary
from server.adapters.vault import Vault, is_phone
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.ports import SecretPerson
from server.usecases.suspensions import (
    ApplicationAnswer,
    ApplyForStop,
    StepApplication,
)

MOST_WORDS = 10_000
DECIDE: tuple[Role, ...] = ("administrator", "manager", "seat")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Source = Annotated[
    str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^(?!system\Z)[a-z0-9_]+\Z")
]
"""`system` is how this house itself applies, at the end of a temporary stop."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800)]
_SEASON = re.compile(r"(\d{4})-(\d{4})", re.ASCII)


class ApplicantBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who applies; kept encrypted, the certificate only as a keyed digest."""

    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    certificate: Annotated[str, msgspec.Meta(max_length=60)] | None = None


class ApplicationBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An application of a household; a temporary stop says from when until when."""

    action: StopKind
    household: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    applicant: ApplicantBody
    source: Source
    photos: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[0-9a-z_-]+\Z")]],
        msgspec.Meta(max_length=20),
    ] = []
    words: str | None = None
    stop_from: Seconds | None = None
    stop_until: Seconds | None = None
    season: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class Seen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the application that the caller saw."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class ReasonBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why, where it is owed."""

    reason: Text | None = None


class RefuseBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Codes of the policy, or a written reason, or both."""

    because: Annotated[list[CheckCode], msgspec.Meta(max_length=20)] = []
    reason: Text | None = None


class ValveBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """How the valve was left, and the number of the seal."""

    valve: Literal["open", "closed", "sealed"]
    seal: Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[\w .-]+\Z")] | None = None


class KnownBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Which department has taken note."""

    department: Department


class _Command(NamedTuple):
    body: type
    make: Callable[[Any, ApplicationId, str, Words | None], suspensions.ApplicationCommand]
    by: Literal["person", "anybody"]
    example: dict[str, Any]
    summary: str


PERSON: Literal["person"] = "person"
ANYBODY: Literal["anybody"] = "anybody"
COMMANDS: dict[str, _Command] = {
    "approve": _Command(
        ReasonBody,
        lambda b, name, by, words: suspensions.Approve(
            application=name, version=b.version, by=by, reason=words
        ),
        PERSON, {"version": 2, "reason": "产权证明已核对"},
        "A person approves; a reason is owed if a check failed",
    ),
    "refuse": _Command(
        RefuseBody,
        lambda b, name, by, words: suspensions.Refuse(
            application=name, version=b.version, by=by, because=b.because, reason=words
        ),
        PERSON, {"version": 2, "because": ["owner"]},
        "A person refuses, by codes of the policy or in words",
    ),
    "withdraw": _Command(
        ReasonBody,
        lambda b, name, by, words: suspensions.Withdraw(
            application=name, version=b.version, by=by, reason=words
        ),
        ANYBODY, {"version": 2}, "The household takes it back, before its valve is set",
    ),
    "valve": _Command(
        ValveBody,
        lambda b, name, by, words: suspensions.SetValve(
            application=name, version=b.version, by=by, valve=b.valve, seal=b.seal
        ),
        ANYBODY, {"version": 3, "valve": "sealed", "seal": "F-20931"},
        "The valve was set; operations and finance are told, and must know within 24 h",
    ),
    "known": _Command(
        KnownBody,
        lambda b, name, by, words: suspensions.MakeKnown(
            application=name, version=b.version, by=by, department=b.department
        ),
        ANYBODY, {"version": 4, "department": "finance"},
        "A department has taken note; the loop closes when all have",
    ),
}  # fmt: skip


EXAMPLE = {
    "action": "suspension",
    "household": "00012345",
    "applicant": {"name": "王先生", "phone": "100-0000-0000"},
    "source": "counter",
    "photos": ["6f1d2c"],
}
ANSWER_EXAMPLE = {
    "id": "261012-004711",
    "version": 2,
    "action": "suspension",
    "household": "00012345",
    "season": "2026-2027",
    "state": "approved",
    "took_s": 0,
    "base_fee_fen": 91968,
}


def season_meant(asked: str | None, present: str) -> str:
    """The season that is applied for: this one unless the next is named.

    Raises Invalid `no_such_season`, `season_over`.
    """
    if asked is None or asked == present:
        return present
    written = _SEASON.fullmatch(asked)
    first = int(present[:4])
    if written is None or int(written[2]) != int(written[1]) + 1 or int(written[1]) > first + 1:
        raise Invalid("no_such_season", f"There is no season {asked}.", f"This one is {present}.")
    if int(written[1]) < first:
        raise Invalid(
            "season_over", f"The heating season {asked} is over.", f"This one is {present}."
        )
    return asked


def applicant_of(
    body: ApplicantBody, company: int, vault: Vault
) -> tuple[SecretPerson, bytes | None, bytes | None]:
    """(person, blind index of the name, digest of the certificate).

    Raises Invalid `applicant_unknown`: neither a name nor a phone.
    """
    name = (body.name or "").strip() or None
    phone = body.phone if body.phone and is_phone(body.phone) else None
    if name is None and phone is None:
        raise Invalid(
            "applicant_unknown",
            "Nobody can be told from this who applies.",
            "Give the applicant's name, or a phone with digits.",
        )
    number = "".join((body.certificate or "").split())
    certificate = vault.certificate(company, number) if number else None
    return vault.person(company, name, phone), vault.blind_name(company, name), certificate


def create_handlers(
    gate: Gate,
    commits: Commits,
    vault: Vault,
    numbers: Numbers,
    clock: BusinessClock,
    policies: Policies,
    reads: SuspensionReads,
) -> list[BaseRouteHandler]:
    """`/api/suspensions`."""

    @post(
        "/api/suspensions",
        status_code=201,
        tags=["suspensions"],
        operation_class=described(
            ApplicationBody, EXAMPLE, ApplicationAnswer, ANSWER_EXAMPLE, status="201"
        ),
    )
    async def apply(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Apply for a stop or a resumption; answered with every check, and with the decision where
        the policy can decide. 200 with `duplicate: true` for a repeat of an open one."""
        asked_at = clock.now()
        principal = await gate.principal(request)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, ApplicationBody)
        if body.words is not None and len(body.words) > MOST_WORDS:
            raise Invalid(
                "words_too_long",
                f"The words have {len(body.words)} characters.",
                f"Send {MOST_WORDS} at most.",
            )
        person, name, certificate = applicant_of(body.applicant, principal.company, vault)
        policy = await policies.at(principal.company, asked_at)
        season = season_meant(body.season, policy.season)
        if season != policy.season:
            policy = await policies.of_season(principal.company, season)
        use_case = ApplyForStop(
            application=ApplicationId(await numbers.next(principal.company, asked_at)),
            action=body.action,
            household=body.household,
            policy=policy,
            applicant=person,
            name=name,
            certificate=certificate,
            source=body.source,
            asked_at=unix(asked_at),
            photos=tuple(dict.fromkeys(PhotoId(p) for p in body.photos)),
            words=(
                vault.words(principal.company, body.words, person.pseudonym) if body.words else None
            ),
            stop_from=body.stop_from,
            stop_until=body.stop_until,
        )
        answer = await commits.submit(
            principal, "POST /api/suspensions", key, body_hash(raw), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    def command_handler(name: str, command: _Command) -> HTTPRouteHandler:
        @post(
            f"/api/suspensions/{{application_id:str}}/{name}",
            status_code=200,
            tags=["suspensions"],
            name=f"suspension_{name}",
            summary=command.summary,
            operation_class=described(
                command.body, command.example, ApplicationAnswer, ANSWER_EXAMPLE
            ),
        )
        async def handle(request: Request[Any, Any, Any], application_id: str) -> Response[bytes]:
            decides = command.by == PERSON
            principal = await (
                gate.person(request, *DECIDE) if decides else gate.principal(request)
            )
            key = idempotency_key(request)
            raw = await request.body()
            body: Any = decode_body(raw, command.body)
            whose = await reads.whose(principal.company, application_id)
            if whose is None:
                raise suspensions.no_such_application(application_id)
            household, season = whose
            text: str | None = getattr(body, "reason", None)
            reason = vault.words(principal.company, text) if text else None
            use_case = StepApplication(
                household=household,
                command=command.make(
                    body, ApplicationId(application_id), principal.actor,
                    reason.words if reason else None,
                ),
                policy=await policies.of_season(principal.company, season),
                reason=reason,
            )  # fmt: skip
            answer = await commits.submit(
                principal, f"POST /api/suspensions/{application_id}/{name}", key, body_hash(raw),
                use_case,
            )  # fmt: skip
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return handle

    @get("/api/suspensions", tags=["suspensions"])
    async def listed(  # noqa: PLR0913 - each filter is a query parameter
        request: Request[Any, Any, Any],
        *,
        application_state: Annotated[str | None, Parameter(query="state")] = None,
        household: str | None = None,
        building: str | None = None,
        season: str | None = None,
        action: str | None = None,
        late: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> ApplicationPage:
        """Applications, newest first; `state=open` are those whose loop is not closed."""
        principal = await gate.principal(request)
        wanted = ApplicationFilter(
            state=application_state, household=household, building=building, season=season,
            action=action, late=late, limit=limit, after=after,
        )  # fmt: skip
        return await reads.page(principal.company, wanted)

    @get("/api/suspensions/summary", tags=["suspensions"])
    async def summary(request: Request[Any, Any, Any]) -> Summary:
        """How the applications of this season stand."""
        principal = await gate.principal(request)
        now = clock.now()
        policy = await policies.at(principal.company, now)
        return await reads.summary(principal.company, policy, now)

    @get("/api/suspensions/{application_id:str}", tags=["suspensions"])
    async def one(request: Request[Any, Any, Any], application_id: str) -> ApplicationTrace:
        """One application, everything that happened to it, and whether its chain holds."""
        principal = await gate.principal(request)
        record = await reads.trace(
            principal.company,
            application_id,
            principal.actor if principal.kind == "person" else None,
        )
        return found(record, "application", application_id)

    steps = [command_handler(name, command) for name, command in COMMANDS.items()]
    return [apply, *steps, listed, summary, one]
