# cython: autotestdict=False
"""One ticket into the crews' plans: the best crews with their reasons, who has to give way, and the price of another."""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, qsort

from ext.ejection cimport (
    MOST_DISPLACED, PARTS, WHY_NO_CREW, WHY_NO_TIME, WHY_PLACED, Ask, Found, Given, Move,
    compare, dig, plain, relocate, soonest, ways_of,
)
from ext.visits cimport STATE_ON_SITE, TIME_NEVER, Plan, Route, State, Ticket, attempt, late

import numpy as np

SCORE = ("travel", "lateness", "caused", "level", "load", "continuity", "skill", "parts", "impact", "churn")
PLACED, NO_CREW, NO_TIME = WHY_PLACED, WHY_NO_CREW, WHY_NO_TIME
NO_POSITION = 1 << 31
NONE = 1 << 62

cdef int64_t CEILING = <int64_t>1 << 60  # worse than any steps or levels


@cython.final
cdef class Displaced:
    """A visit that gives way."""

    cdef readonly int32_t ticket, level, state, crew, was, to_crew, position, start, late, why


@cython.final
cdef class Delayed:
    """A visit that keeps its crew and gains lateness."""

    cdef readonly int32_t ticket, crew, was, start, late_before, late


@cython.final
cdef class Option:
    """One crew for the ticket."""

    cdef readonly int32_t crew, position, arrival, start, drive, late, newly_late
    cdef readonly int64_t total, levels, unplanned
    cdef readonly tuple score, route, displaced, delayed


@cython.final
cdef class Answer:
    """What `propose` found."""

    cdef readonly tuple options
    cdef readonly object broken, totals, starts


# ------------------------------------------------------------------ one question


cdef struct Work:
    # A question's own memory; routes that are tried live in the plan and are put back at the end.
    State* s
    Ask ask
    int32_t home         # the crew that has the ticket as planned, -1
    int32_t earliest     # of the ticket; while it is tried with a crew, not before that crew is ready for it
    Given* given         # of each crew
    Found* found         # of each crew, steps -1: no place
    int32_t* order
    int32_t* room        # of as many as there are places
    int32_t* line        # a route that is being put together
    int64_t* bound


cdef int _open(Work* w, Plan plan, Py_ssize_t ticket, weights, long now, long late_step, long displace) except -1:
    cdef State* s = &plan.state
    cdef Py_ssize_t i
    plan.check_free()
    if ticket < 0 or ticket >= s.tickets or s.ticket[ticket].place < 0:
        raise ValueError("there is no such ticket, or it has no place")
    cdef const int64_t[::1] weight = weights
    if weight.shape[0] != PARTS:
        raise ValueError("there is one weight for each part of SCORE")
    if not 0 <= displace <= MOST_DISPLACED or not 0 <= late_step <= 86_400 or not -(1 << 26) <= now <= 1 << 26:
        raise ValueError("`displace` is 0 to 8, `late_step` 0 to 86,400 s, `now` within the horizon")
    for i in range(PARTS):
        if weight[i] < 0 or weight[i] > 10_000:
            raise ValueError("a weight is 0 to 10,000")
        w.ask.weight[i] = weight[i]
    w.s = s
    w.ask.ticket, w.ask.now, w.ask.late_step, w.ask.displace = <int32_t>ticket, <int32_t>now, <int32_t>late_step, <int32_t>displace
    w.home, w.earliest = s.owner[ticket], s.ticket[ticket].earliest
    w.given = <Given*>calloc(s.crews + 1, sizeof(Given))
    w.found = <Found*>malloc((s.crews + 1) * sizeof(Found))
    w.order = <int32_t*>malloc((s.crews + 1) * sizeof(int32_t))
    w.room = <int32_t*>malloc((2 * s.ways.size + 2) * sizeof(int32_t))
    w.line = <int32_t*>malloc(2 * (plan.room + 1) * sizeof(int32_t))
    w.bound = <int64_t*>malloc(2 * (s.crews + 1) * sizeof(int64_t))
    if w.given == NULL or w.found == NULL or w.order == NULL or w.room == NULL or w.line == NULL or w.bound == NULL:
        _close(w, plan)
        raise MemoryError
    plan.busy = True
    ways_of(s, s.ticket[ticket].place, &w.ask.there, &w.ask.back, w.room)
    for i in range(s.crews):
        w.found[i].steps = -1
        w.given[i].ready = -TIME_NEVER
    _without(w)
    return 0


cdef void _close(Work* w, Plan plan) noexcept:
    _put_back(w)
    free(w.given)
    free(w.found)
    free(w.order)
    free(w.room)
    free(w.line)
    free(w.bound)
    plan.busy = False


cdef void _put_back(Work* w) noexcept nogil:
    cdef Py_ssize_t k
    w.s.ticket[w.ask.ticket].earliest = w.earliest
    for k in range(w.s.crews):
        w.s.route[k] = &w.s.planned[k]


cdef void _without(Work* w) noexcept nogil:
    # The plan as it is, but for the ticket.
    cdef Route* r
    cdef int32_t q, n = 0
    _put_back(w)
    if w.home >= 0:
        r = &w.s.planned[w.home]
        for q in range(r.n):
            if r.ticket[q] != w.ask.ticket:
                w.line[n] = r.ticket[q]
                n += 1
        attempt(w.s, w.home, w.line, n)


cdef void _insert(Work* w, int32_t k, int32_t position, int32_t ticket) noexcept nogil:
    cdef const Route* r = w.s.route[k]
    cdef int32_t q, n = 0
    for q in range(r.n + 1):
        if q == position:
            w.line[n] = ticket
            n += 1
        if q < r.n:
            w.line[n] = r.ticket[q]
            n += 1
    attempt(w.s, k, w.line, n)


cdef void _apply(Work* w, const Found* f) noexcept nogil:
    # The ticket goes in, the displaced come out.
    cdef const Route* r = w.s.route[f.crew]
    cdef int32_t q, n = 0, kept = 0, out = 0
    w.s.ticket[w.ask.ticket].earliest = max(w.earliest, w.given[f.crew].ready)
    for q in range(r.n):
        if out < f.displaced and f.index[out] == q:
            out += 1
            continue
        if kept == f.position:
            w.line[n] = w.ask.ticket
            n += 1
        w.line[n] = r.ticket[q]
        n += 1
        kept += 1
    if kept == f.position:
        w.line[n] = w.ask.ticket
        n += 1
    attempt(w.s, f.crew, w.line, n)


cdef void _place_displaced(Work* w, Found* f) noexcept nogil:
    # Each displaced visit goes where it costs least, urgent ones first, then by number.
    cdef const Route* r = w.s.route[f.crew]
    cdef int32_t i, k, j, floor = f.position + 1
    cdef int64_t grown, caused
    cdef int32_t line[MOST_DISPLACED]
    for i in range(f.displaced):
        j = r.ticket[f.index[i]]
        k = i
        while k and _sooner(w.s, j, line[k - 1]):
            line[k] = line[k - 1]
            k -= 1
        line[k] = j
    _apply(w, f)
    for i in range(f.displaced):
        grown = 0
        caused = 0
        if relocate(
            w.s, w.ask.weight, line[i], -1, f.crew, floor, w.room + w.s.ways.size, &f.move[i], &grown, &caused
        ):
            _insert(w, f.move[i].crew, f.move[i].position, line[i])
        else:
            f.unplanned += <int64_t>1 << (4 * (7 - w.s.ticket[line[i]].level))
        f.score[0] += grown
        f.score[2] += caused
        f.total += w.ask.weight[0] * grown + w.ask.weight[2] * caused
    _without(w)


cdef bint _sooner(const State* s, int32_t i, int32_t j) noexcept nogil:
    return s.ticket[i].level < s.ticket[j].level or s.ticket[i].level == s.ticket[j].level and i < j


cdef Py_ssize_t _rank(Work* w, Py_ssize_t shortlist) noexcept nogil:
    # The best `shortlist` crews in order; how many there are.
    cdef Py_ssize_t n = 0, k, i
    for k in range(w.s.crews):
        if w.found[k].steps < 0:
            continue
        if n == shortlist:
            if compare(&w.found[k], &w.found[w.order[n - 1]]) >= 0:
                continue
            n -= 1
        i = n
        while i and compare(&w.found[k], &w.found[w.order[i - 1]]) < 0:
            w.order[i] = w.order[i - 1]
            i -= 1
        w.order[i] = <int32_t>k
        n += 1
    return n


cdef int _by_bound(const void* a, const void* b) noexcept nogil:
    cdef int64_t x = (<const int64_t*>a)[0], y = (<const int64_t*>b)[0]
    return (x > y) - (x < y)


cdef void _dig_all(Work* w, const uint32_t* broken, Py_ssize_t shortlist) noexcept nogil:
    # Nobody can in time: what could give way, crew by crew, the soonest first. The shortlist's last one bounds.
    cdef Py_ssize_t k, n = 0, i, ranked = _rank(w, shortlist)
    cdef int64_t steps, levels
    cdef Found* last
    for k in range(w.s.crews):
        if broken[k] == 0:
            steps = soonest(w.s, &w.ask, &w.given[k], <int32_t>k)
            w.bound[n] = steps << 24 | k
            n += 1
    qsort(w.bound, n, sizeof(int64_t), _by_bound)
    for i in range(n):
        k = w.bound[i] & 0xFFFFFF
        steps = CEILING
        levels = CEILING
        if ranked == shortlist:
            last = &w.found[w.order[shortlist - 1]]
            steps, levels = last.steps, last.levels
            if w.bound[i] >> 24 > steps:
                break
        if dig(w.s, &w.ask, &w.given[k], <int32_t>k, steps, levels, &w.found[k], w.line):
            ranked = _rank(w, shortlist)


# ------------------------------------------------------------------ telling


cdef Displaced _displaced(const State* s, int32_t ticket, int32_t crew, const Move* move):
    cdef Displaced d = Displaced.__new__(Displaced)
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
    cdef Delayed d
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
            d = Delayed.__new__(Delayed)
            d.ticket, d.crew, d.was, d.start, d.late_before, d.late = j, crews[i], s.start[j], r.start[q], before, now
            found.append(d)
    return tuple(found)


cdef Option _tell(Work* w, Found* f):
    # The option with the routes as they would be.
    cdef Option o = Option.__new__(Option)
    cdef const State* s = w.s
    cdef const Route* r
    cdef int32_t crews[MOST_DISPLACED + 1]
    cdef Py_ssize_t n = 1, i
    cdef int32_t newly = 0, q
    cdef Displaced d
    cdef Delayed e
    _apply(w, f)
    crews[0] = f.crew
    for i in range(f.displaced):
        if f.move[i].crew >= 0:
            _insert(w, f.move[i].crew, f.move[i].position, f.move[i].ticket)
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
    _without(w)
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
    _open(&w, plan, ticket, weights, now, late_step, displace)
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
            n = _rank(&w, shortlist)
            if displace and late_step and crews and (n == 0 or w.found[w.order[0]].steps > 0):
                _dig_all(&w, &broken[0], shortlist)
                n = _rank(&w, shortlist)
                for i in range(n):
                    if w.found[w.order[i]].displaced:
                        _place_displaced(&w, &w.found[w.order[i]])
                for k in range(crews):
                    w.bound[k] = 0
                for i in range(n):
                    w.bound[w.order[i]] = 1
                for k in range(crews):
                    if not w.bound[k]:
                        w.found[k].steps = -1
                n = _rank(&w, shortlist)
        told = tuple([_tell(&w, &w.found[w.order[i]]) for i in range(min(n, options))])
    finally:
        _close(&w, plan)
    cdef Answer answer = Answer.__new__(Answer)
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
    _open(&w, plan, ticket, weights, now, late_step, displace)
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
                _place_displaced(&w, f)
        return None if f.steps < 0 else _tell(&w, f)
    finally:
        _close(&w, plan)


def release(Plan plan not None, Py_ssize_t ticket):
    """What taking a ticket out of its route frees: seconds of driving, weighted seconds of lateness of the others."""
    cdef Work w
    cdef const Route* after
    cdef const Route* before
    cdef int64_t saved = 0
    cdef int32_t q
    if plan.crew_of(ticket) < 0:
        raise ValueError("nobody has this ticket")
    _open(&w, plan, ticket, np.zeros(PARTS, np.int64), 0, 0, 0)
    before, after = &w.s.planned[w.home], w.s.route[w.home]
    for q in range(after.n):
        saved += <int64_t>w.s.ticket[after.ticket[q]].weight * (
            late(&w.s.ticket[after.ticket[q]], w.s.start[after.ticket[q]])
            - late(&w.s.ticket[after.ticket[q]], after.start[q])
        )
    drive = before.drive - after.drive
    _close(&w, plan)
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
    _open(&w, plan, visits[0], weights, 0, 0, 0)
    try:
        _put_back(&w)
        attempt(s, <int32_t>crew, w.line, 0)
        told = []
        for j in visits:
            if relocate(s, w.ask.weight, j, <int32_t>crew, -1, 0, w.room, &move, &grown, &caused):
                _insert(&w, move.crew, move.position, j)
            told.append((j, move.crew, move.why))
        moved = []
        for j, move.crew, move.why in told:  # times are known once all have gone
            moved.append(_displaced(s, j, <int32_t>crew, &move))
        return tuple(moved)
    finally:
        _close(&w, plan)
