"""Answering the address queue: the ticket moves, the wording is learnt, what it settles too is
answered."""

from __future__ import annotations

import logging
from typing import NamedTuple

import msgspec

from dispatch_core.addresses import Alias, lessons
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.ids import TicketId
from server.adapters.accounts import Principal
from server.adapters.address_answers import AddressAnswer
from server.adapters.address_book import AddressBooks, Query
from server.adapters.address_questions import AddressQuestion, AddressQuestions
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.policies import Policies
from server.api.documents import body_hash
from server.usecases.placing import PlaceTicket

log = logging.getLogger(__name__)

BY_BOOK = "address_book"
"""Who answered a question that another answer settled."""
PART = 500
STAYS = frozenset({"wrong_state", "no_such_ticket", "site_visited", "evidence_would_shrink"})
"""Why a ticket is not moved to the door that was found for it."""


class Choice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The door that a person found: a building, a household, or none at all.

    `teach`: the wording means this place from now on, for everybody.
    """

    building: str | None = None
    household: str | None = None
    no_such_door: bool = False
    teach: bool = True


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """A wording that was learnt, in the one writing, and what it means."""

    alias: str
    kind: str
    means: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it is now, what it taught, and how many others that settled."""

    question: AddressQuestion
    taught: list[Lesson]
    also_answered: int
    moved: bool
    """The ticket that asked stands at the door now; false too when nothing was to be moved."""


class AddressQueue(NamedTuple):
    """What answering needs."""

    books: AddressBooks
    questions: AddressQuestions
    commits: Commits
    clock: BusinessClock
    policies: Policies

    async def answer(
        self, principal: Principal, key: str, question_id: int, choice: Choice
    ) -> Answered:
        """Close a question. The same answer again is answered again, and changes nothing.

        Raises:
            Invalid: `choice_unclear`. NotFound: `no_such_question`, `no_such_building`,
            `no_such_household`. Conflict: `question_answered`. Unavailable.
        """
        if (
            sum((choice.building is not None, choice.household is not None, choice.no_such_door))
            != 1
        ):
            raise Invalid(
                "choice_unclear",
                "An answer is one of building, household and no_such_door.",
                "Send exactly one of them.",
            )
        await self._question(principal.company, question_id)
        building, household = await self._door(principal.company, choice)
        # alone: of two who answer otherwise only one may move the ticket
        async with self.questions.alone(principal.company, question_id):
            asked = await self._question(principal.company, question_id)
            if asked.answered_at is not None:
                return self._again(asked, building, household)
            moved = await self._move(principal, asked, building, household, key)
            taught: list[Alias] = []
            if choice.teach and building is not None:
                taught = await self._lessons(principal.company, asked.text, building)
            done = await self.questions.answer(
                principal.company, asked.id, building=building, household=household,
                lessons=taught, by=principal.actor, at=self.clock.now(),
            )  # fmt: skip
        now = await self._question(principal.company, question_id)
        if not done:
            return self._again(now, building, household)
        also = 0
        if taught:
            await self.books.refresh(principal.company)
            also = await self.retry(principal)
        return Answered(
            question=now,
            taught=[Lesson(alias=a.alias, kind=a.kind, means=a.means) for a in taught],
            also_answered=also,
            moved=moved,
        )

    async def would_teach(self, company: int, question_id: int, building: str) -> list[Lesson]:
        """What answering with this building would teach. Raises NotFound `no_such_question`."""
        asked = await self._question(company, question_id)
        found = await self._lessons(company, asked.text, building)
        return [Lesson(alias=a.alias, kind=a.kind, means=a.means) for a in found]

    async def retry(self, principal: Principal) -> int:
        """Answer every open question that the book can answer now; returns how many.

        Raises Unavailable.
        """
        count = after = 0
        while part := await self.questions.open_ones(principal.company, after, PART):
            after = part[-1].id
            found = await self.books.resolve(
                principal.company, [Query(text=question.text) for question in part]
            )
            for question, place in zip(part, found, strict=True):
                if place.verdict == "matched" and place.building is not None:
                    count += await self._settle(principal, question, place)
        return count

    async def _settle(
        self, principal: Principal, question: AddressQuestion, place: AddressAnswer
    ) -> bool:
        assert place.building is not None  # noqa: S101 - the caller has looked
        try:
            async with self.questions.alone(principal.company, question.id):
                now = await self._question(principal.company, question.id)
                if now.answered_at is not None:
                    return False
                await self._move(
                    principal, question, place.building.id, place.household,
                    f"address-question-{question.id}",
                )  # fmt: skip
                return await self.questions.answer(
                    principal.company, question.id, building=place.building.id,
                    household=place.household, lessons=(), by=BY_BOOK, at=self.clock.now(),
                )  # fmt: skip
        except Conflict as refused:
            if refused.code != "question_answered":
                raise
            return False  # a person answers it just now

    async def _question(self, company: int, question_id: int) -> AddressQuestion:
        found = await self.questions.one(company, question_id)
        if found is None:
            raise NotFound(
                "no_such_question", f"The queue has no question {question_id}.",
                "Read the queue again.",
            )  # fmt: skip
        return found

    async def _door(self, company: int, choice: Choice) -> tuple[str | None, str | None]:
        """(building, household) of a choice, as the register knows them."""
        if choice.household is not None:
            [found] = await self.books.resolve(company, [Query(household=choice.household)])
            if found.building is None:
                raise NotFound(
                    "no_such_household", f"The register has no household {choice.household}.",
                    "Choose a household of the register, or its building.",
                )  # fmt: skip
            return found.building.id, choice.household
        if choice.building is not None and not await self.books.knows(company, choice.building):
            raise NotFound(
                "no_such_building", f"The register has no building {choice.building}.",
                "Choose a building of the register, or say no_such_door.",
            )  # fmt: skip
        return choice.building, None

    @staticmethod
    def _again(asked: AddressQuestion, building: str | None, household: str | None) -> Answered:
        if (asked.building, asked.household) != (building, household):
            raise Conflict(
                "question_answered", "This question has been answered otherwise.",
                "Change the place of its ticket if the answer was wrong.",
                {"building": asked.building, "household": asked.household,
                 "answered_by": asked.answered_by},
            )  # fmt: skip
        return Answered(question=asked, taught=[], also_answered=0, moved=False)

    async def _lessons(self, company: int, text: str, building: str) -> list[Alias]:
        matcher = await self.books.matcher(company)
        number = matcher.book.find(building)
        return lessons(matcher, text, number) if number is not None else []

    async def _move(
        self,
        principal: Principal,
        question: AddressQuestion,
        building: str | None,
        household: str | None,
        key: str,
    ) -> bool:
        """The ticket that asked goes to the door; one that is over, or whose work was begun
        elsewhere, stays where it is."""
        kind, _, name = question.reference.partition(":")
        if kind != "ticket" or building is None:
            return False
        city = await self.policies.at(principal.company, self.clock.now())
        use_case = PlaceTicket(
            ticket=TicketId(name), by=principal.actor, city=city, household=household,
            building=None if household else building, asked=True,
        )  # fmt: skip
        said = body_hash(f"{question.id}/{building}/{household}".encode())
        # Its own route: the same key may have been used for another question by mistake.
        route = f"POST /api/address-questions/{question.id}/answer"
        try:
            await self.commits.submit(principal, route, key, said, use_case)
        except (Conflict, NotFound) as refused:
            if refused.code not in STAYS:
                raise
            log.info("ticket %s is not moved: %s", name, refused.code)
            return False
        return True
