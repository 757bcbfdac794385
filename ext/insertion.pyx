# cython: autotestdict=False
"""One ticket into the crews' plans: the best crews with reasons, who has to give way, and the price of another."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from ext.ejection cimport (
    MOST_DISPLACED, PARTS, WHY_NO_CREW, WHY_NO_TIME, WHY_PLACED, Found, Move, dig, plain, relocate,
)
from ext.options cimport Answer as AnswerC, Delayed as DelayedC, Displaced as DisplacedC, Option as OptionC
from ext.question cimport (
    Work, apply_found, close_question, dig_all, open_question, place_displaced, put_back, put_in, rank, without_ticket,
)
from ext.visits cimport STATE_ON_SITE, TIME_NEVER, Plan, Route, State, Ticket, attempt, late

import numpy as np

from ext.options import Answer, Delayed, Displaced, Option

SCORE = ("travel", "lateness", "caused", "level", "load", "continuity", "skill", "parts", "impact", "churn")
PLACED, NO_CREW, NO_TIME = WHY_PLACED, WHY_NO_CREW, WHY_NO_TIME
NO_POSITION = 1 << 31
NONE = 1 << 62

cdef int64_t CEILING = <int64_t>1 << 60  # worse than any steps or levels


# ------------------------------------------------------------------ telling


cdef DisplacedC _displaced(const State* s, int32_t ticket, int32_t crew, const Move* move):
    cdef DisplacedC d = DisplacedC.__new__(DisplacedC)
    cdef const Ticket* t = &s.ticket[ticket]
    cdef const Route* r
    cdef int32_t q
    d.ticket, d.level, d.state, d.crew, d.was = ticket, t.level, t.state, crew, s.start[ticket]
    d.to_crew, d.why, d.position, d.start, d.late = move.crew, move.why, -1, TIME_NEVER, 0
    if move.crew >= 0:
        r = s.route[move.crew]
        for q in range(r.n):
            if r.ticket[q] == ticket:
                d.position, d.start = q, r.start[q]
                d.late = late(t, d.start)
    return d


cdef tuple _delays(const State* s, const int32_t* crews, Py_ssize_t n, const Found* f, int32_t ticket):
    cdef list found = []
    cdef DelayedC d
    cdef const Route* r
    cdef Py_ssize_t i
    cdef int32_t q, j, now, before
    for i in range(n):
        r = s.route[crews[i]]
        for q in range(r.n):
            j = r.ticket[q]
            now = late(&s.ticket[j], r.start[q])
            before = late(&s.ticket[j], s.start[j])
            if now <= before or j == ticket or s.owner[j] != crews[i]:
                continue
            if crews[i] == f.crew and any([f.move[x].ticket == j for x in range(f.displaced)]):
                continue
            d = DelayedC.__new__(DelayedC)
            d.ticket, d.crew, d.was, d.start, d.late_before, d.late = j, crews[i], s.start[j], r.start[q], before, now
            found.append(d)
    return tuple(found)


cdef OptionC _tell(Work* w, Found* f):
    # The option with the routes as they would be.
    cdef OptionC o = OptionC.__new__(OptionC)
    cdef const State* s = w.s
    cdef const Route* r
    cdef int32_t crews[MOST_DISPLACED + 1]
    cdef Py_ssize_t n = 1, i
    cdef int32_t newly = 0, q
    cdef DisplacedC d
    cdef DelayedC e
    apply_found(w, f)
    crews[0] = f.crew
    for i in range(f.displaced):
        if f.move[i].crew >= 0:
            put_in(w, f.move[i].crew, f.move[i].position, f.move[i].ticket)
            for q in range(n):
                if crews[q] == f.move[i].crew:
                    break
            else:
                crews[n] = f.move[i].crew
                n += 1
    o.crew, o.position, o.arrival, o.start, o.drive, o.late = f.crew, f.position, f.arrival, f.start, f.drive, f.late
    o.total, o.levels, o.unplanned = f.total, f.levels, f.unplanned
    o.score = tuple([f.score[i] for i in range(PARTS)])
    r = s.route[f.crew]
    o.route = tuple([r.ticket[i] for i in range(r.n)])
    o.displaced = tuple([_displaced(s, f.move[i].ticket, f.crew, &f.move[i]) for i in range(f.displaced)])
    o.delayed = _delays(s, crews, n, f, w.ask.ticket)
    for d in o.displaced:
        if s.ticket[d.ticket].due != TIME_NEVER and late(&s.ticket[d.ticket], d.was) == 0:
            newly += d.late > 0 or d.to_crew < 0
    for e in o.delayed:
        newly += e.late_before == 0
    o.newly_late = newly
    without_ticket(w)
    return o


# ------------------------------------------------------------------ the questions


cdef const int32_t[::1] _column(column, Py_ssize_t crews, str name):
    cdef const int32_t[::1] figures = column
    if figures.shape[0] != crews:
        raise ValueError(f"`{name}` has one figure for each crew")
    return figures


def propose(
    Plan plan not None, Py_ssize_t ticket, const uint32_t[::1] broken not None, weights not None, *, long now,
    continuity=None, skill=None, parts=None, ready=None,
    long late_step=60, long displace=0, Py_ssize_t shortlist=6, Py_ssize_t options=3,
):
    """The best crews for a ticket, with at most `displace` visits displaced when none can start in time without."""
    cdef Py_ssize_t crews = plan.state.crews, k, n, i
    cdef const int32_t[::1] column
    cdef Work w
    if broken.shape[0] != crews or not 1 <= options <= shortlist:
        raise ValueError("`broken` has one mask for each crew; 1 <= options <= shortlist")
    given = [
        None if column_ is None else _column(column_, crews, name)
        for column_, name in ((continuity, "continuity"), (skill, "skill"), (parts, "parts"), (ready, "ready"))
    ]
    masks = np.array(broken, np.uint32)
    totals, starts = np.full(crews, NONE, np.int64), np.full(crews, TIME_NEVER, np.int32)
    cdef uint32_t[::1] mask = masks
    cdef int64_t[::1] total = totals
    cdef int32_t[::1] start = starts
    open_question(&w, plan, ticket, weights, now, late_step, displace)
    try:
        for i in range(4):
            if given[i] is None:
                continue
            column = given[i]
            for k in range(crews):
                if i == 0:
                    w.given[k].continuity = column[k]
                elif i == 1:
                    w.given[k].skill = column[k]
                elif i == 2:
                    w.given[k].parts = column[k]
                else:
                    w.given[k].ready = column[k]
        with nogil:
            for k in range(crews):
                if mask[k]:
                    continue
                if plain(w.s, &w.ask, &w.given[k], <int32_t>k, -1, &w.found[k]):
                    total[k] = w.found[k].total
                    start[k] = w.found[k].start
                else:
                    mask[k] = <uint32_t>1 << 31
            n = rank(&w, shortlist)
            if displace and late_step and crews and (n == 0 or w.found[w.order[0]].steps > 0):
                dig_all(&w, &broken[0], shortlist)
                n = rank(&w, shortlist)
                for i in range(n):
                    if w.found[w.order[i]].displaced:
                        place_displaced(&w, &w.found[w.order[i]])
                for k in range(crews):
                    w.bound[k] = 0
                for i in range(n):
                    w.bound[w.order[i]] = 1
                for k in range(crews):
                    if not w.bound[k]:
                        w.found[k].steps = -1
                n = rank(&w, shortlist)
        told = tuple([_tell(&w, &w.found[w.order[i]]) for i in range(min(n, options))])
    finally:
        close_question(&w, plan)
    cdef AnswerC answer = AnswerC.__new__(AnswerC)
    answer.options, answer.broken, answer.totals, answer.starts = told, masks, totals, starts
    return answer


def price(
    Plan plan not None, Py_ssize_t ticket, Py_ssize_t crew, weights not None, *, long now, long position=-1,
    int32_t continuity=0, int32_t skill=0, int32_t parts=0, ready=None, long late_step=60, long displace=0,
):
    """The same figures for one named crew, at its best position or before the named one."""
    cdef Work w
    cdef Found* f
    cdef const Route* r
    cdef int32_t q, first = 0
    if crew < 0 or crew >= plan.state.crews:
        raise ValueError("there is no such crew")
    cdef int32_t from_ = -TIME_NEVER if ready is None else ready
    open_question(&w, plan, ticket, weights, now, late_step, displace)
    try:
        w.given[crew].continuity, w.given[crew].skill, w.given[crew].parts = continuity, skill, parts
        w.given[crew].ready = from_
        f = &w.found[crew]
        r = w.s.route[crew]
        for q in range(r.n):
            if w.s.ticket[r.ticket[q]].state == STATE_ON_SITE:
                first = q + 1
        if position > r.n or 0 <= position < first:
            raise ValueError("the route has no such position, or the crew is on site behind it")
        if not plain(w.s, &w.ask, &w.given[crew], <int32_t>crew, <int32_t>max(position, -1), f):
            f.steps = -1
        if position < 0 and displace and late_step and f.steps != 0:
            if dig(w.s, &w.ask, &w.given[crew], <int32_t>crew, CEILING, CEILING, f, w.line):
                place_displaced(&w, f)
        return None if f.steps < 0 else _tell(&w, f)
    finally:
        close_question(&w, plan)


def release(Plan plan not None, Py_ssize_t ticket):
    """What taking a ticket out of its route frees: seconds of driving, weighted seconds of lateness of the others."""
    cdef Work w
    cdef const Route* after
    cdef const Route* before
    cdef int64_t saved = 0
    cdef int32_t q
    if plan.crew_of(ticket) < 0:
        raise ValueError("nobody has this ticket")
    open_question(&w, plan, ticket, np.zeros(PARTS, np.int64), 0, 0, 0)
    before, after = &w.s.planned[w.home], w.s.route[w.home]
    for q in range(after.n):
        saved += <int64_t>w.s.ticket[after.ticket[q]].weight * (
            late(&w.s.ticket[after.ticket[q]], w.s.start[after.ticket[q]])
            - late(&w.s.ticket[after.ticket[q]], after.start[q])
        )
    drive = before.drive - after.drive
    close_question(&w, plan)
    return drive, saved


def stand_down(Plan plan not None, Py_ssize_t crew, weights not None):
    """What becomes of a crew's visits when it goes down."""
    cdef State* s = &plan.state
    cdef Work w
    cdef Move move
    cdef int64_t grown, caused
    if crew < 0 or crew >= s.crews:
        raise ValueError("there is no such crew")
    visits = [int(j) for j in plan.route(crew) if s.ticket[j].place >= 0]
    visits.sort(key=lambda j: (s.ticket[<int32_t>j].level, j))
    if not visits:
        return ()
    open_question(&w, plan, visits[0], weights, 0, 0, 0)
    try:
        put_back(&w)
        attempt(s, <int32_t>crew, w.line, 0)
        told = []
        for j in visits:
            if relocate(s, w.ask.weight, j, <int32_t>crew, -1, 0, w.room, &move, &grown, &caused):
                put_in(&w, move.crew, move.position, j)
            told.append((j, move.crew, move.why))
        moved = []
        for j, move.crew, move.why in told:  # times are known once all have gone
            moved.append(_displaced(s, j, <int32_t>crew, &move))
        return tuple(moved)
    finally:
        close_question(&w, plan)
