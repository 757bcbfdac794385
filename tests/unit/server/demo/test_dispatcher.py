"""The demo's dispatchers: proposals confirmed, overruled, looked at again; the way by hand."""

import pytest

from server.demo.calls import Call
from server.demo.desk import Desk
from server.demo.dispatcher import AHEAD_S, AWAY_S, GUEST_MOST_S, HELD_S, Dispatcher
from server.demo.faults import Faults
from server.demo.fleet import Fleet
from server.demo.jobs import first_seen
from server.demo.run import OPENING_AT
from server.demo.supply import Supply

AT = OPENING_AT + 2 * 3600
PEOPLE = ("李调度", "王调度")


def ticket(id_="T1", level="blue", state="accepted", **more):
    return {
        "id": id_, "version": 3, "state": state, "level": level, "kind": "not_warm",
        "lon": 125.6, "lat": 46.2, "address": "道南区 1 号", "building": "b", "district": "道南区",
        "received_at": AT - 600, "crew": None, **more,
    }  # fmt: skip


def choice(crew, start=600, displaced=()):
    gone = [{"ticket": t, "address": t} for t in displaced]
    return {"crew": crew, "start_at": AT + start, "displaced": gone}


def proposal(*choices, **more):
    return {"decision": "d" * 64, "choices": list(choices), "safe_first": None, **more}


class At:
    """A desk with two people, and what they do with one ticket after the other."""

    def __init__(self, register, *tickets):
        fleet = Fleet(register, 7)
        self.desk = Desk(fleet, Faults(register, 7), Supply(register, fleet, 7), 7)
        self.desk.dispatcher.people = PEOPLE
        for t in tickets:
            self.desk.see(t, AT - 600)
            self.desk.jobs[t["id"]].tried |= {"appoint", "pin", "parts", "work", "link"}

    def calls(self, at=AT, step=None):
        made = list(self.desk.acts(at - 60, at))
        return [c for c in made if step is None or c.step == step]

    def answer(self, call, status, body):
        self.desk.answer(call, status, body)


@pytest.fixture
def plan():
    """The plan has T1 now."""
    visits = [{"tickets": ["T1"], "leave_at": AT}]
    return {"crews": [{"crew": "C01", "day": {"visits": visits}}]}


def heard(dispatcher, step, body, by=PEOPLE[0]):
    dispatcher.hear(Call("GET", "/", None, "", AT, None, step, by=by), body)


def test_a_proposal_is_looked_at_and_the_best_crew_confirmed_on_it(small, plan):
    at = At(small, ticket("T1"))
    assert not at.calls()  # the plan does not have it yet
    heard(at.desk.dispatcher, "plan", plan)
    [look] = at.calls()
    assert (look.path, look.once) == ("/api/proposals/T1", True)
    assert look.by in PEOPLE
    assert not at.calls()  # no answer yet
    at.answer(look, 200, proposal(choice("C05"), choice("C06", start=9000)))
    [give] = at.calls()
    assert give.body == {"version": 3, "crew": "C05", "decision": "d" * 64}
    assert give.by == look.by
    at.answer(give, 200, ticket("T1", state="dispatched", version=4, crew="C05"))
    assert at.desk.busy == {"C05"}


def test_some_proposals_are_overruled_once_the_price_is_known(small):
    made = [At(small, ticket(f"T{n}", "yellow")) for n in range(200)]
    overruled = 0
    for at in made:
        [look] = at.calls(AT + 3600, "proposal")
        at.answer(look, 200, proposal(choice("C05", 4000), choice("C06", 4100)))
        [call] = at.calls(AT + 3600)
        if call.step == "dispatch":
            assert call.body["crew"] == "C05"
            continue
        overruled += 1
        assert call.body == {"crew": "C06"}
        free = {"newly_late": [], "displaced": []}
        priced = {"decision": "p" * 64, "choice": choice("C06"), "price": free, "against": None}
        at.answer(call, 200, priced)
        [give] = at.calls(AT + 3600)
        assert give.body["crew"] == "C06"
        assert give.body["decision"] == "p" * 64
        assert give.body["reason_code"] in {
            "knows_better", "resident_asked", "crew_asked", "training",
        }  # fmt: skip
    assert 4 <= overruled <= 32


def test_a_price_that_harms_others_is_not_paid(small):
    at = next(
        a
        for n in range(200)
        if (a := At(small, ticket(f"T{n}", "yellow"))) and _asks_price(a) is not None
    )
    call = at.asked
    dear = {"newly_late": ["T9"], "displaced": []}
    priced = {"decision": "p" * 64, "choice": choice("C06"), "price": dear, "against": None}
    at.answer(call, 200, priced)
    assert not at.calls(AT + 3600, "dispatch")
    [look] = at.calls(AT + 3600, "proposal")
    at.answer(look, 200, proposal(choice("C05", 4000), choice("C06", 4100)))
    [give] = at.calls(AT + 3600)
    assert give.body["crew"] == "C05"


def _asks_price(at):
    [look] = at.calls(AT + 3600, "proposal")
    at.answer(look, 200, proposal(choice("C05", 4000), choice("C06", 4100)))
    [call] = at.calls(AT + 3600)
    at.asked = call if call.step == "price" else None
    return at.asked


def test_what_gives_way_to_a_red_one_is_named_with_its_version(small):
    other = ticket("T2", state="confirmed", version=9, crew="C05")
    at = At(small, ticket("T1", "red"), other)
    [look] = at.calls(step="proposal")
    at.answer(look, 200, proposal(choice("C05", displaced=["T2"])))
    [give] = at.calls(step="dispatch")
    assert give.body["displace"] == [{"ticket": "T2", "version": 9}]
    at.answer(give, 200, ticket("T1", "red", state="dispatched", version=4, crew="C05"))
    # and what became of the one that gave way is read before anybody goes on with it
    assert [c.ticket for c in at.calls(step="read")] == ["T2"]


def test_one_that_somebody_else_has_open_does_not_give_way(small):
    other = ticket("T2", state="confirmed", version=9, crew="C05")
    at = At(small, ticket("T1", "red"), other)
    [look] = at.calls(step="proposal")
    heard(at.desk.dispatcher, "presence", {"hands": [{"who": "admin", "ticket": "T2"}]})
    at.answer(look, 200, proposal(choice("C05", displaced=["T2"])))
    assert not at.calls(step="dispatch")


def test_a_red_one_without_a_crew_takes_one_from_a_site_after_a_while(small):
    long = {"minutes": 900}
    handled = ticket("T2", state="handling", version=7, crew="C05", work=long)
    at = At(small, ticket("T1", "red"), handled)
    nobody = proposal(safe_first=choice("C05", displaced=["T2"]))
    job = at.desk.jobs["T1"]
    job.since = AT - 60
    [look] = at.calls(AT + 30, "proposal")
    at.answer(look, 200, nobody)
    assert not at.calls(AT + 30, "dispatch")
    [look] = at.calls(AT + 600, "proposal")
    at.answer(look, 200, nobody)
    [give] = at.calls(AT + 600, "dispatch")
    assert give.body["made_safe"] is True
    assert give.body["reason_code"] == "higher_priority"
    assert give.body["displace"] == [{"ticket": "T2", "version": 7}]


def test_a_changed_proposal_is_looked_at_again(small):
    at = At(small, ticket("T1", "red"))
    [look] = at.calls(step="proposal")
    at.answer(look, 200, proposal(choice("C05")))
    [give] = at.calls(step="dispatch")
    at.answer(give, 409, {"code": "proposal_changed"})
    [again] = at.calls()
    assert again.step == "proposal"


def test_a_red_one_goes_out_at_once_on_the_proposal_that_came_with_the_refusal(small):
    at = At(small, ticket("T1", "red"), ticket("T2", "yellow"))
    looks = {c.ticket: c for c in at.calls(step="proposal")}
    assert not list(at.desk.urgent(AT))  # no answer yet
    for look in looks.values():
        at.answer(look, 200, proposal(choice("C05")))
    [give] = at.desk.urgent(AT)
    assert give.ticket == "T1"
    changed = {"decision": "e" * 64, "ticket_version": 4, "proposal": proposal(choice("C06"))}
    at.answer(give, 409, {"code": "proposal_changed", "present": {"proposal": changed}})
    [again] = at.desk.urgent(AT)
    assert again.body == {"version": 4, "crew": "C06", "decision": "e" * 64}


def test_a_ticket_that_moved_is_read_first(small):
    at = At(small, ticket("T1", "red"))
    [look] = at.calls(step="proposal")
    at.answer(look, 200, proposal(choice("C05")))
    [give] = at.calls(step="dispatch")
    at.answer(give, 409, {"code": "version_conflict"})
    assert [c.step for c in at.calls()] == ["read"]


def test_while_the_engine_is_away_tickets_go_out_by_hand(small):
    at = At(small, ticket("T1", "red"))
    [look] = at.calls(step="proposal")
    at.answer(look, 503, {"code": "engine_unavailable"})
    late = [c for k in range(30) for c in at.calls(AT + k * 3)]
    assert all(c.step == "dispatch" and c.by is None for c in late)
    assert "decision" not in late[0].body
    assert not at.desk.dispatcher.scores(AT + 5)
    assert at.desk.dispatcher.scores(AT + AWAY_S)


def test_the_past_and_a_desk_without_people_go_by_hand(small):
    at = At(small, ticket("T1", "red"))
    at.desk.dispatcher.behind = True
    assert not at.calls(AT, "proposal")
    at.desk.dispatcher.behind, at.desk.dispatcher.people = False, ()
    assert not at.calls(AT, "proposal")
    assert not list(at.desk.dispatcher.listen(AT))


def test_what_somebody_has_open_is_left_alone_until_they_leave(small):
    at = At(small, ticket("T1", "red"), ticket("T2", "red"))
    mine = {"hands": [{"who": "admin", "ticket": "T1"}, {"who": "王调度", "ticket": "T2"}]}
    heard(at.desk.dispatcher, "presence", mine)
    assert [c.ticket for c in at.calls()] == ["T2"]
    heard(at.desk.dispatcher, "presence", {"hands": []})
    assert [c.ticket for c in at.calls()] == ["T1"]


def test_a_red_ticket_is_a_visitors_first_and_is_not_left_lying(small):
    at = At(small, ticket("T1", "red", received_at=AT), ticket("T2", "red", received_at=AT))
    at.desk.dispatcher.pace = 60
    heard(at.desk.dispatcher, "presence", {"hands": [{"who": "admin", "ticket": "T1"}]})
    assert not at.calls(AT + 120)
    assert [c.ticket for c in at.calls(AT + GUEST_MOST_S + 120)] == ["T2"]
    assert [c.ticket for c in at.calls(AT + HELD_S + 60)] == ["T1"]


def test_both_people_say_what_they_have_open(small):
    at = At(small, ticket("T1", "red"))
    [look] = at.calls(step="proposal")
    said = {c.by: c.body for c in at.desk.dispatcher.listen(AT) if c.step == "presence"}
    assert set(said) == set(PEOPLE)
    assert said.pop(look.by) == {"ticket": "T1", "doing": "looking"}
    assert list(said.values()) == [{"ticket": None, "doing": "looking"}]


def test_a_blue_visit_far_ahead_waits(small, plan):
    at = At(small, ticket("T1"))
    heard(at.desk.dispatcher, "plan", plan)
    [look] = at.calls()
    at.answer(look, 200, proposal(choice("C05", start=AHEAD_S + 60)))
    assert not at.calls()
    assert [c.step for c in at.calls(AT + 900)] == ["proposal"]


def test_a_crew_that_broke_down_loses_what_it_has_not_begun(small):
    at = At(small)
    fleet = Fleet(small, 7)
    broken = fleet.breakdown(20_467)
    assert broken is not None
    assert broken.crew in fleet.stopped(broken.start + 60)
    assert not fleet.stopped(broken.end)
    for id_, state in (("T1", "confirmed"), ("T2", "handling")):
        at.desk.see(ticket(id_, state=state, crew=broken.crew), broken.start)
        at.desk.jobs[id_].tried.add("link")
    [call] = at.calls(broken.start + 60)
    assert call.path == "/api/tickets/T1/displace"
    assert call.body == {"version": 3, "reason_code": "crew_stopped"}
    assert call.by in PEOPLE


def test_the_way_goes_in_the_order_of_the_plan_and_red_ones_first(small):
    crew = small.crews[0].id
    have = [ticket(f"T{n}", state="confirmed", crew=crew, lon=125.6 + n / 100) for n in range(3)]
    at = At(small, *have)
    dispatcher = at.desk.dispatcher
    visits = [{"tickets": [t], "leave_at": AT} for t in ("T2", "T0", "T1")]
    heard(dispatcher, "plan", {"crews": [{"crew": crew, "day": {"visits": visits}}]})
    van = at.desk._fleet.vans[crew]
    assert not at.calls()
    assert van.route[-1] == at.desk.jobs["T2"].at
    at.desk.jobs["T1"].level = "red"
    assert not at.calls()
    assert van.route[-1] == at.desk.jobs["T1"].at


def test_nobody_rings_before_the_door_is_opened():
    job = first_seen(ticket("T1"), AT)
    job.update(ticket("T1", work={"home_visit": True}), AT)
    midnight = OPENING_AT - 7 * 3600 - 300
    assert not job.may_begin(midnight + 7.9 * 3600)
    assert job.may_begin(midnight + 8 * 3600)
    assert not job.may_begin(midnight + 21 * 3600)
    window = {"from_at": AT + 3600, "until_at": AT + 7200, "night_agreed": False}
    job.update(ticket("T1", work={"home_visit": True}, appointed=window), AT)
    assert not job.may_begin(AT)
    assert job.may_begin(AT + 3600)
    job.level = "red"
    assert job.may_begin(midnight)


def test_the_same_person_looks_after_a_ticket():
    dispatcher = Dispatcher(7)
    dispatcher.people = PEOPLE
    jobs = [first_seen(ticket(f"T{n}"), AT) for n in range(40)]
    who = [dispatcher.who(j) for j in jobs]
    assert who == [dispatcher.who(j) for j in jobs]
    assert set(who) == set(PEOPLE)
