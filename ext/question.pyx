# cython: autotestdict=False
"""One question to the plan: its memory, the routes that are tried for it, and the crews' order."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, qsort

from ext.ejection cimport MOST_DISPLACED, PARTS, Ask, Found, Given, Move, compare, dig, relocate, soonest, ways_of
from ext.visits cimport TIME_NEVER, Plan, Route, State, Ticket, attempt

cdef int64_t CEILING = <int64_t>1 << 60  # worse than any steps or levels


cdef int open_question(
    Work* w, Plan plan, Py_ssize_t ticket, weights, long now, long late_step, long displace
) except -1:
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
    w.ask.ticket, w.ask.now = <int32_t>ticket, <int32_t>now
    w.ask.late_step, w.ask.displace = <int32_t>late_step, <int32_t>displace
    w.home, w.earliest = s.owner[ticket], s.ticket[ticket].earliest
    w.given = <Given*>calloc(s.crews + 1, sizeof(Given))
    w.found = <Found*>malloc((s.crews + 1) * sizeof(Found))
    w.order = <int32_t*>malloc((s.crews + 1) * sizeof(int32_t))
    w.room = <int32_t*>malloc((2 * s.ways.size + 2) * sizeof(int32_t))
    w.line = <int32_t*>malloc(4 * (plan.room + 1) * sizeof(int32_t))
    w.bound = <int64_t*>malloc(2 * (s.crews + 1) * sizeof(int64_t))
    if w.given == NULL or w.found == NULL or w.order == NULL or w.room == NULL or w.line == NULL or w.bound == NULL:
        close_question(w, plan)
        raise MemoryError
    plan.busy = True
    ways_of(s, s.ticket[ticket].place, &w.ask.there, &w.ask.back, w.room)
    for i in range(s.crews):
        w.found[i].steps = -1
        w.given[i].ready = -TIME_NEVER
    without_ticket(w)
    return 0


cdef void close_question(Work* w, Plan plan) noexcept:
    put_back(w)
    free(w.given)
    free(w.found)
    free(w.order)
    free(w.room)
    free(w.line)
    free(w.bound)
    plan.busy = False


cdef void put_back(Work* w) noexcept nogil:
    cdef Py_ssize_t k
    w.s.ticket[w.ask.ticket].earliest = w.earliest
    for k in range(w.s.crews):
        w.s.route[k] = &w.s.planned[k]


cdef void without_ticket(Work* w) noexcept nogil:
    # The plan as it is, but for the ticket.
    cdef Route* r
    cdef int32_t q, n = 0
    put_back(w)
    if w.home >= 0:
        r = &w.s.planned[w.home]
        for q in range(r.n):
            if r.ticket[q] != w.ask.ticket:
                w.line[n] = r.ticket[q]
                n += 1
        attempt(w.s, w.home, w.line, n)


cdef void put_in(Work* w, int32_t k, int32_t position, int32_t ticket) noexcept nogil:
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


cdef void apply_found(Work* w, const Found* f) noexcept nogil:
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


cdef void place_displaced(Work* w, Found* f) noexcept nogil:
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
    apply_found(w, f)
    for i in range(f.displaced):
        grown = 0
        caused = 0
        if relocate(
            w.s, w.ask.weight, line[i], -1, f.crew, floor, w.room + w.s.ways.size, &f.move[i], &grown, &caused
        ):
            put_in(w, f.move[i].crew, f.move[i].position, line[i])
        else:
            f.unplanned += <int64_t>1 << (4 * (7 - w.s.ticket[line[i]].level))
        f.score[0] += grown
        f.score[2] += caused
        f.total += w.ask.weight[0] * grown + w.ask.weight[2] * caused
    without_ticket(w)


cdef bint _sooner(const State* s, int32_t i, int32_t j) noexcept nogil:
    return s.ticket[i].level < s.ticket[j].level or s.ticket[i].level == s.ticket[j].level and i < j


cdef Py_ssize_t rank(Work* w, Py_ssize_t shortlist) noexcept nogil:
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


cdef void dig_all(Work* w, const uint32_t* broken, Py_ssize_t shortlist) noexcept nogil:
    # Nobody can in time: what could give way, crew by crew, the soonest first. The shortlist's last one bounds.
    cdef Py_ssize_t k, n = 0, i, ranked = rank(w, shortlist)
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
            ranked = rank(w, shortlist)
