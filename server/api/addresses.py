"""Addresses: resolved, suggested while typed, and the queue of those that no rule could place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from dispatch_core.errors import Invalid, TooLarge
from geo.datums import Coordinate, DatumRefused, Datums
from server.adapters.accounts import Role
from server.adapters.address_answers import AddressAnswer, unmatched
from server.adapters.address_book import AddressBooks, Query, Suggestion
from server.adapters.address_questions import AddressQuestions, QuestionPage
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.policies import Policies
from server.api.address_queue import AddressQueue, Answered, Choice, Lesson
from server.api.documents import decode_body, described
from server.api.gate import Gate, idempotency_key

MOST = 1000
LONGEST = 2000
PAGE = 200
SEATS: tuple[Role, ...] = ("administrator", "manager", "seat")


class Spot(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A coordinate and the datum it is in."""

    lon: float
    lat: float
    datum: str


class AddressAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One place: a household number, a text as typed, or a coordinate; the first that is given
    counts."""

    household: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    text: str | None = None
    coordinate: Spot | None = None


class AddressesAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 1,000 places."""

    items: list[AddressAsked]


class AddressesAnswered(msgspec.Struct, kw_only=True):
    """Their answers, in the same order."""

    items: list[AddressAnswer]


class Suggestions(msgspec.Struct, kw_only=True):
    """What the words so far may become, best first."""

    items: list[Suggestion]


class AliasView(msgspec.Struct, kw_only=True):
    """A wording that was taught, in the one writing."""

    alias: str
    kind: str
    means: str
    taught_by: str
    taught_at: int


class AliasList(msgspec.Struct, kw_only=True):
    """All of them, newest first."""

    items: list[AliasView]
    next: str | None
    total: int


class Lessons(msgspec.Struct, kw_only=True):
    """Wordings that an answer would teach; none if the text already means the place, or could mean
    others as well."""

    items: list[Lesson]


class AliasToForget(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which wording, as `GET /api/address-aliases` shows it."""

    alias: str
    kind: Literal["street", "community", "building"]


class Forgotten(msgspec.Struct, kw_only=True):
    """False: it was not known any more."""

    forgotten: bool


EXAMPLE = {"items": [{"text": "南岗区果哥里大街 128 号 2 单元 502"}]}
ANSWER = {"items": [{"verdict": "matched", "score": 0.93, "precision": "flat", "unit": 2}]}


def create_handlers(
    gate: Gate,
    books: AddressBooks,
    questions: AddressQuestions,
    commits: Commits,
    clock: BusinessClock,
    datums: Datums,
    policies: Policies,
) -> list[BaseRouteHandler]:
    """Look-ups and the queue."""
    queue = AddressQueue(books, questions, commits, clock, policies)

    @post(
        "/api/addresses/resolve",
        status_code=200,
        tags=["addresses"],
        operation_class=described(AddressesAsked, EXAMPLE, AddressesAnswered, ANSWER, keyed=False),
    )
    async def resolve(request: Request[Any, Any, Any]) -> AddressesAnswered:
        """Building, unit and flat of typed addresses, household numbers or coordinates. Writes
        nothing; a coordinate that cannot be taken is answered unmatched, with the code why."""
        principal = await gate.principal(request)
        asked = decode_body(await request.body(), AddressesAsked).items
        if len(asked) > MOST:
            raise TooLarge(
                "too_many_items", f"{len(asked):,} places were asked for.",
                f"Ask for at most {MOST:,} at once.",
            )  # fmt: skip
        queries = [_query(one, datums) for one in asked]
        found = iter(
            await books.resolve(principal.company, [q for q in queries if isinstance(q, Query)])
        )
        return AddressesAnswered(
            items=[next(found) if isinstance(q, Query) else unmatched(q) for q in queries]
        )

    @get("/api/addresses/suggest", tags=["addresses"])
    async def suggest(
        request: Request[Any, Any, Any],
        words: Annotated[str, Parameter(max_length=300)],
    ) -> Suggestions:
        """Up to 8 buildings that the words typed so far may become, or households by number."""
        principal = await gate.principal(request)
        return Suggestions(items=await books.suggest(principal.company, words))

    @get("/api/address-questions", tags=["addresses"])
    async def address_questions(
        request: Request[Any, Any, Any],
        *,
        answered: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> QuestionPage:
        """Addresses without a door: open ones, oldest first, or answered ones, newest first. For
        people with a role: the texts may name residents."""
        principal = await gate.person(request, *SEATS)
        if not 1 <= limit <= PAGE:
            raise Invalid("bad_limit", f"A page has 1 to {PAGE} rows.", "Ask for fewer rows.")
        if after is not None and not after.isdecimal():
            raise Invalid("bad_after", "`after` is no `next` of a page.", "Take `next` as it is.")
        return await questions.page(
            principal.company, answered=answered, limit=limit,
            after=int(after) if after is not None else None,
        )  # fmt: skip

    @post(
        "/api/address-questions/{question_id:int}/answer",
        status_code=200,
        tags=["addresses"],
        operation_class=described(
            Choice, {"building": "B0001", "teach": True}, Answered, {"also_answered": 3}
        ),
    )
    async def answer(request: Request[Any, Any, Any], question_id: int) -> Answered:
        """A person says which door it is. Its ticket moves there, the wording is learnt, and every
        other question that this settles is answered too."""
        principal = await gate.person(request, *SEATS)
        key = idempotency_key(request)
        choice = decode_body(await request.body(), Choice)
        return await queue.answer(principal, key, question_id, choice)

    @get("/api/address-questions/{question_id:int}/lessons", tags=["addresses"])
    async def would_teach(
        request: Request[Any, Any, Any], question_id: int, building: str
    ) -> Lessons:
        """The wordings that would be learnt if this question were answered with this building."""
        principal = await gate.person(request, *SEATS)
        items = await queue.would_teach(principal.company, question_id, building)
        return Lessons(items=items)

    @get("/api/address-aliases", tags=["addresses"])
    async def aliases(request: Request[Any, Any, Any]) -> AliasList:
        """Wordings that people taught."""
        principal = await gate.person(request, *SEATS)
        known = await questions.aliases(principal.company)
        items = [
            AliasView(
                alias=a.alias, kind=a.kind, means=a.means, taught_by=a.taught_by,
                taught_at=int(a.taught_at.timestamp()),
            )
            for a in known
        ]  # fmt: skip
        return AliasList(items=items, next=None, total=len(items))

    @post(
        "/api/address-aliases/forget",
        status_code=200,
        tags=["addresses"],
        operation_class=described(
            AliasToForget, {"alias": "老站大街", "kind": "street"}, Forgotten, {"forgotten": True}
        ),
    )
    async def forget(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Take a wording back. What it settled stays settled."""
        principal = await gate.person(request, *SEATS)
        idempotency_key(request)
        which = decode_body(await request.body(), AliasToForget)
        gone = await questions.forget(principal.company, which.alias, which.kind)
        if gone:
            await books.refresh(principal.company)
        return Response(
            msgspec.json.encode(Forgotten(forgotten=gone)), media_type="application/json"
        )

    return [resolve, suggest, address_questions, answer, would_teach, aliases, forget]


def _query(asked: AddressAsked, datums: Datums) -> Query | str:
    """What the book is asked, or the code of what cannot be taken."""
    if asked.household or (asked.text and asked.text.strip()) or asked.coordinate is None:
        return Query(household=asked.household, text=(asked.text or "")[:LONGEST])
    at = asked.coordinate
    try:
        point = datums.to_wgs84(Coordinate(at.lon, at.lat, at.datum))
    except DatumRefused as refused:
        return refused.code
    return Query(spot=(point.lon, point.lat))
