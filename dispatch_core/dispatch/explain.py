"""Grounds in plain words, for the trace; screens say the same from the codes in their language."""

from __future__ import annotations

from dispatch_core.dispatch.answers import Proposal
from dispatch_core.dispatch.daytime import is_between
from dispatch_core.dispatch.inputs import Inputs
from dispatch_core.events import Choice
from dispatch_core.ids import RuleCode

SAID: dict[RuleCode, str] = {
    "off_duty": "is off duty",
    "no_shift": "has no shift",
    "crew_stopped": "can take no work for now",
    "trade": "is of another trade",
    "fault_owner": "does not mend what is not the company's",
    "certificate": "lacks a certificate",
    "skill": "has not the skill",
    "guard": "cannot keep a guard outside the confined space",
    "permit": "may not begin without the permit",
    "territory": "does not serve the district",
    "district_closed": "may not go into a closed district",
    "vehicle": "lacks equipment on its van",
    "parts": "lacks parts, and no store on the way has them",
    "shift_end": "could not finish before its shift ends",
    "home_hours": "could not come within the hours for homes",
    "appointment": "could not keep the appointment",
    "break": "would lose its break",
    "position_lost": "has not been heard of for too long",
    "on_site": "is on site for too long",
    "full": "has as many tickets in hand as it may",
    "second_crew": "has no second crew beside it",
    "pinned_elsewhere": "is not the crew that it was locked to",
    "out_of_time": "has no time for it",
    "after_plan": "is not planned for yet: the ticket's window begins after the plan ends",
    "no_place": "cannot be sent: where it is is not known",
    "no_crew": "there is no crew",
}
"""Rule -> what is said of a crew that it leaves out."""


def explain(choice: Choice, best: Choice | None = None) -> str:
    """Why this crew, in one sentence; with `best`, what it costs against that one."""
    if best is not None and best.crew != choice.crew:
        return _against(choice, best)
    facts = choice.facts
    able = facts.get("able", 1)
    said = [f"{_minutes(int(facts['wait_s']))}, {_km(choice.distance_m)}", str(facts["trade"])]
    if facts["visits_here"]:
        said.append(f"{_many(int(facts['visits_here']), 'visit')} to this building")
    if "pieces_needed" in facts and "pieces_on_van" in facts:
        said.append(f"{facts['pieces_on_van']} of {facts['pieces_needed']} pieces on the van")
    if "store" in facts:
        said.append(f"by way of store {facts['store']}")
    if facts["degree_hours_m"]:
        cold = int(facts["degree_hours_m"])
        said.append(f"{cold // 1000}.{cold % 1000 // 100} degree-hours an hour below 18 degC")
    if "position_age_s" in facts:
        said.append(f"last heard of {_minutes(int(facts['position_age_s']))} ago")
    if "area_only" in facts:
        said.append("to the middle of its area: its place must be asked for")
    if choice.with_crew is not None:
        said.append(f"together with {choice.with_crew}")
    said.append(_harm(choice))
    first = "the only able crew" if able == 1 else f"best of {able} able crews"
    return f"{first}: {', '.join(said)}"


def _against(choice: Choice, best: Choice) -> str:
    later = choice.start_at - best.start_at
    when = (
        "at the same time"
        if later == 0
        else (f"{_minutes(abs(later))} {'later' if later > 0 else 'sooner'}")
    )
    return f"{choice.crew_name} instead of {best.crew_name}: {when}, {_harm(choice)}"


def _harm(choice: Choice) -> str:
    said = []
    if choice.displaced:
        said.append(f"{_many(len(choice.displaced), 'ticket')} displaced")
    if choice.newly_late:
        said.append(f"{_many(len(choice.newly_late), 'other ticket')} late")
    late = int(choice.facts["late_s"])
    if late:
        said.append(f"{_minutes(late)} after its clock")
    return ", ".join(said) or "no ticket late"


def may_confirm_itself(inputs: Inputs, proposal: Proposal) -> str | None:
    """The grounds on which the policy lets a proposal confirm itself; None: a person decides."""
    auto = inputs.policy.auto_confirm
    task = next(task for task in inputs.tasks if task.ticket == proposal.ticket)
    if task.level not in auto.levels or not proposal.choices or proposal.waits_for is not None:
        return None
    if not is_between(inputs.at, inputs.utc_offset_s, auto.start, auto.until):
        return None
    best = proposal.choices[0]
    if (
        best.displaced
        or best.newly_late
        or best.start_at + best.sure_s + auto.margin_s > task.due_at
    ):
        return None
    return (
        f"policy {inputs.policy_version} auto_confirm.levels has {task.level}: "
        f"{_minutes(task.due_at - best.start_at)} before its clock, {explain(best)}"
    )


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // 60)} min"


def _km(metres: int) -> str:
    return f"{metres // 1000}.{metres % 1000 // 100} km"


def _many(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
