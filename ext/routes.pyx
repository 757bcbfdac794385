# cython: autotestdict=False
"""Routes of crews: what they cost, what they would cost with one visit more, and where store and break go.

Stretches of visits are joined in O(1): Savelsbergh, "The vehicle routing problem with time windows: minimizing route
duration", ORSA J. Computing 4 (1992); Vidal, Crainic, Gendreau, Prins, "A hybrid genetic algorithm with adaptive
diversity management for a large class of vehicle routing problems with time-windows", Computers & OR 40 (2013).
Lateness, which is soft, needs a walk along the route, but only where some visit's lateness costs.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

cdef void put_in(Route *r, int32_t i, int32_t v) noexcept nogil:
    memmove(r.visit + i + 1, r.visit + i, sizeof(int32_t) * (r.n - i))
    r.visit[i] = v
    r.n += 1


cdef void take_out(Route *r, int32_t i) noexcept nogil:
    memmove(r.visit + i, r.visit + i + 1, sizeof(int32_t) * (r.n - i - 1))
    r.n -= 1


cdef void copy_route(Route *to, const Route *source) noexcept nogil:
    """All of a route, its version too; `to` keeps its own arrays."""
    cdef Route whole = source[0]
    cdef int32_t n = source.n
    memcpy(to.visit, source.visit, sizeof(int32_t) * n)
    memcpy(to.place, source.place, sizeof(int32_t) * n)
    memcpy(to.entry, source.entry, sizeof(int32_t) * (n + 1))
    memcpy(to.start, source.start, sizeof(int32_t) * n)
    memcpy(to.late_before, source.late_before, sizeof(int64_t) * (n + 1))
    memcpy(to.head, source.head, sizeof(Stretch) * (n + 1))
    memcpy(to.tail, source.tail, sizeof(Stretch) * (n + 1))
    whole.visit, whole.place, whole.entry, whole.start = to.visit, to.place, to.entry, to.start
    whole.late_before, whole.head, whole.tail = to.late_before, to.head, to.tail
    to[0] = whole


cdef void _scan(Model *m, int32_t k, Route *r) noexcept nogil:
    """What stands where: store, break, dues, parts, static costs."""
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t i, v, w
    r.store = r.rest = -1
    r.dues = r.tasks = 0
    r.cost = 0
    for w in range(m.part_words):
        r.used[w] = 0
    for i in range(r.n):
        v = r.visit[i]
        if v < m.tasks:
            r.tasks += 1
            r.cost += own_cost(m, v, k)
            if m.late_cost[v]:
                r.dues += 1
            if r.store < 0:
                for w in range(m.part_words):
                    r.used[w] += m.parts[<Py_ssize_t>v * m.part_words + w]
        elif v == crew.store:
            r.store = i
        else:
            r.rest = i


cdef void schedule(const Model *m, int32_t k, Route *r) noexcept nogil:
    """Starts of service and lateness when the crew leaves at `leaves`."""
    cdef int32_t i, v, at = m.crew[k].place, clock = r.leaves
    cdef int64_t late = 0
    for i in range(r.n):
        v = r.visit[i]
        clock += leg(m, at, r.place[i])
        at = r.place[i]
        if clock < m.node[v].early:
            clock = m.node[v].early
        r.start[i] = clock
        r.late_before[i] = late
        if m.late_cost[v] and clock > m.due[v]:
            late += m.late_cost[v] * (clock - m.due[v])
        clock += m.node[v].lasts
    r.late_before[r.n] = late
    r.lateness = late


cdef inline Stretch _off_duty(const Model *m, const Crew *crew) noexcept nogil:
    """The end of a day that is over before the break would have to begin."""
    cdef Stretch end = crew.end
    if m.node[crew.rest].late < end.late:
        end.late = m.node[crew.rest].late
    return end


cdef void build(Model *m, int32_t k, Route *r) noexcept nogil:
    """Everything about a route from its visits; its cost is NEVER if no timing keeps the hard rules."""
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t i, v, at = crew.place
    cdef Stretch whole
    m.versions += 1
    r.version = m.versions
    _scan(m, k, r)
    r.head[0] = crew.begin
    for i in range(r.n):
        v = r.visit[i]
        r.place[i] = r.entry[i] = m.where[v] if m.where[v] >= 0 else at
        join(&r.head[i], &m.node[v], leg(m, at, r.place[i]), &r.head[i + 1])
        at = r.place[i]
    r.tail[r.n] = crew.end
    r.entry[r.n] = crew.home
    i = r.n - 1
    r.off = r.off and i >= 0 and i == r.rest
    if r.off:
        r.tail[i] = _off_duty(m, crew)
        r.entry[i] = crew.home
        i -= 1
    while i >= 0:
        join(&m.node[r.visit[i]], &r.tail[i + 1], leg(m, r.place[i], r.entry[i + 1]), &r.tail[i])
        i -= 1
    if crew.closed and r.tasks == 0 or not crew.departed and r.n == (1 if r.rest >= 0 else 0):
        r.timed = r.lateness = 0
        r.drive = r.lasts = 0
        r.leaves, r.leaves_late = crew.begin.early, crew.begin.late
        return
    if not join(&crew.begin, &r.tail[0], leg(m, crew.place, r.entry[0]), &whole):
        r.cost = r.timed = NEVER
        r.lateness = 0
        return
    r.leaves, r.leaves_late = whole.early, whole.late
    r.drive, r.lasts = whole.drive, whole.lasts
    r.lateness = 0
    if m.lateness:
        schedule(m, k, r)
    r.timed = timed_cost(m, &whole) + r.lateness
    r.cost += r.timed


cdef int64_t _lateness_with(const Model *m, int32_t k, const Route *r, int32_t i, int32_t v, int32_t leaves) noexcept nogil:
    """Lateness of the route with node `v` at position `i`, leaving at `leaves`."""
    cdef int32_t p = 0, at = m.crew[k].place, clock = leaves, u, place
    cdef int64_t late = 0
    cdef bint before = True
    if m.crew[k].departed and i > 0:
        # Nothing changes before the visit that is put in.
        p = i
        at = r.place[i - 1]
        clock = r.start[i - 1] + m.node[r.visit[i - 1]].lasts
        late = r.late_before[i]
    while p < r.n or before:
        if before and p == i:
            u = v
            before = False
        else:
            u = r.visit[p]
            p += 1
        place = m.where[u] if m.where[u] >= 0 else at
        clock += leg(m, at, place)
        at = place
        if clock < m.node[u].early:
            clock = m.node[u].early
        if not before and u != v and m.where[u] >= 0 and clock == r.start[p - 1]:
            # The same place at the same time: from here on it is as it was.
            return late + r.lateness - r.late_before[p - 1]
        if m.late_cost[u] and clock > m.due[u]:
            late += m.late_cost[u] * (clock - m.due[u])
        clock += m.node[u].lasts
    return late


cdef int64_t price_at(const Model *m, int32_t k, const Route *r, int32_t i, int32_t v, int64_t limit) noexcept nogil:
    """The timed cost of the route with node `v` at position `i`; NEVER if no timing exists or it is `limit` or more."""
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t at = r.place[i - 1] if i else crew.place
    cdef int32_t place = m.where[v]
    cdef Stretch s, whole
    cdef int64_t cost
    cdef bint off = False
    if place < 0:
        place = at
    if v == crew.rest and i == r.n:
        s = _off_duty(m, crew)
        off = join(&r.head[i], &s, leg(m, at, crew.home), &whole)
    if not off and not (
        join(&r.head[i], &m.node[v], leg(m, at, place), &s) and rejoin(m, r, i, &s, place, &whole)
    ):
        return NEVER
    cost = timed_cost(m, &whole)
    if cost >= limit:
        return NEVER
    if r.dues or m.late_cost[v]:
        cost += _lateness_with(m, k, r, i, v, whole.early)
        if cost >= limit:
            return NEVER
    return cost


cdef void _resettle(Model *m, int32_t k, int32_t old, int32_t last) noexcept nogil:
    """Take the visit at position `old` to its cheapest position, `last` at the latest; the first of equals."""
    cdef Route *r = &m.route[k]
    cdef int32_t v = r.visit[old], i, best = -1
    cdef int64_t cost, least = NEVER
    take_out(r, old)
    if last < 0 or last > r.n:
        last = r.n
    build(m, k, r)
    for i in range(r.frozen, last + 1):
        cost = price_at(m, k, r, i, v, least)
        if cost < least:
            least = cost
            best = i
    put_in(r, best if best >= 0 else old, v)
    if v == m.crew[k].rest:
        r.off = True
    build(m, k, r)
    if v == m.crew[k].rest and r.off and r.cost >= NEVER:
        r.off = False
        build(m, k, r)


cdef void settle(Model *m, int32_t k) noexcept nogil:
    """Drop the store where it is not needed, else take it, and the break, to where they cost least."""
    cdef Route *r = &m.route[k]
    cdef const Crew *crew = &m.crew[k]
    cdef uint64_t used[PART_WORDS]
    cdef uint64_t none[PART_WORDS]
    cdef int32_t i, v, w, last = -1
    if r.store >= r.frozen:
        for w in range(m.part_words):
            used[w] = none[w] = 0
        if not crew.stocked:
            for i in range(r.n):
                v = r.visit[i]
                if v >= m.tasks:
                    continue
                for w in range(m.part_words):
                    used[w] += m.parts[<Py_ssize_t>v * m.part_words + w]
                if m.tools[v] & ~crew.tools or not fits(used, none, crew.parts, m.part_words):
                    last = i if i < r.store else i - 1
                    break
        if last < 0:
            take_out(r, r.store)
            build(m, k, r)
        else:
            _resettle(m, k, r.store, last)
    if r.rest >= r.frozen:
        _resettle(m, k, r.rest, -1)
