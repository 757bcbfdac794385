# cython: autotestdict=False
"""The cheapest position of a task in a crew's route, with a visit to the store where tools or parts are missing.

A crew that lacks something may fetch it on the way: everything is in the store, and one visit is enough. The store
comes anywhere before the task, or after it if only the parts for later tasks are missing.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from ext.routes cimport (
    NEVER, PART_WORDS, ROOM, Crew, Model, Route, Stretch,
    build, fits, join, leg, own_cost, price_at, put_in, rejoin, take_out, timed_cost,
)


cdef int64_t _walk(
    const Model *m, int32_t k, const Route *r, int32_t first, int32_t i, int32_t second, int32_t j, int32_t leaves
) noexcept nogil:
    """Lateness of the route with node `first` at position i and `second` at j >= i, both as positions in `r`."""
    cdef int32_t p, u, step, at = m.crew[k].place, clock = leaves
    cdef int32_t turn[3]
    cdef int64_t late = 0
    for p in range(r.n + 1):
        turn[0] = first if p == i else -1
        turn[1] = second if p == j else -1
        turn[2] = r.visit[p] if p < r.n else -1
        for step in range(3):
            u = turn[step]
            if u < 0:
                continue
            if m.where[u] >= 0:
                clock += leg(m, at, m.where[u])
                at = m.where[u]
            if clock < m.node[u].early:
                clock = m.node[u].early
            if m.late_cost[u] and clock > m.due[u]:
                late += m.late_cost[u] * (clock - m.due[u])
            clock += m.node[u].lasts
    return late


cdef inline void _step(const Model *m, const Route *r, int32_t i, Stretch *s, int32_t *at) noexcept nogil:
    """Go on from `s` at place `at` to visit `i`."""
    cdef Stretch longer
    cdef int32_t v = r.visit[i]
    cdef int32_t place = m.where[v] if m.where[v] >= 0 else at[0]
    join(s, &m.node[v], leg(m, at[0], place), &longer)
    s[0] = longer
    at[0] = place


cdef void _pair(
    Model *m, int32_t k, const Route *r, int32_t task, bint store_first, int32_t last_first, int32_t last_second,
    int64_t base, Place *best,
) noexcept nogil:
    """The best positions of a visit to the store and the task in a route without a store.

    The first of the two goes no later than `last_first`, the second no later than `last_second`.
    """
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t first = crew.store if store_first else task
    cdef int32_t second = task if store_first else crew.store
    cdef int32_t i, j, w, at, place = m.where[first], to = m.where[second]
    cdef Stretch run, both, whole
    cdef int64_t cost
    cdef uint64_t used[PART_WORDS]
    cdef bint timed = m.lateness and (r.dues > 0 or m.late_cost[task] > 0)
    for w in range(m.part_words):
        used[w] = 0
    i = 0
    while i <= last_first:
        if i and not store_first and r.visit[i - 1] < m.tasks:
            for w in range(m.part_words):
                used[w] += m.parts[<Py_ssize_t>r.visit[i - 1] * m.part_words + w]
        if i < r.frozen:
            i += 1
            continue
        if not store_first and not fits(
            used, &m.parts[<Py_ssize_t>task * m.part_words], crew.parts, m.part_words
        ):
            break
        at = r.place[i - 1] if i else crew.place
        if not join(&r.head[i], &m.node[first], leg(m, at, place), &run):
            i += 1
            continue
        at = place
        j = i
        while j <= last_second and run.early + run.lasts <= m.node[second].late:
            if join(&run, &m.node[second], leg(m, at, to), &both) and rejoin(m, r, j, &both, to, &whole):
                cost = timed_cost(m, &whole) - base
                if cost < best.delta:
                    if timed:
                        cost += _walk(m, k, r, first, i, second, j, whole.early)
                    if cost < best.delta:
                        best.delta = cost
                        best.at = <int16_t>(j if store_first else i)
                        best.store = <int16_t>(i if store_first else STORE_AFTER + j)
            if j < r.n:
                _step(m, r, j, &run, &at)
                if not store_first and _short(m, k, r, task, j):
                    break
            j += 1
        i += 1


cdef bint _short(const Model *m, int32_t k, const Route *r, int32_t task, int32_t last) noexcept nogil:
    """Whether the van lacks parts or tools for the task and the visits up to position `last`."""
    cdef const Crew *crew = &m.crew[k]
    cdef uint64_t used[PART_WORDS]
    cdef int32_t i, w, v
    cdef const uint64_t *need = &m.parts[<Py_ssize_t>task * m.part_words]
    for w in range(m.part_words):
        used[w] = 0
    for i in range(last + 1):
        v = r.visit[i]
        if v >= m.tasks:
            continue
        if m.tools[v] & ~crew.tools:
            return True
        for w in range(m.part_words):
            used[w] += m.parts[<Py_ssize_t>v * m.part_words + w]
    return not fits(used, need, crew.parts, m.part_words)


cdef void _alone(
    const Model *m, int32_t k, const Route *r, int32_t task, int32_t first, int64_t base, int16_t store, Place *best
) noexcept nogil:
    """The best position of the task from `first` on, if it is better than `best`; `store` goes with it."""
    cdef const Stretch *node = &m.node[task]
    cdef Stretch s, whole
    cdef int32_t i, at, place = m.where[task]
    cdef int64_t cost
    cdef bint timed = m.lateness and (r.dues > 0 or m.late_cost[task] > 0)
    for i in range(first, r.n + 1):
        if r.head[i].early + r.head[i].lasts > node.late:
            break   # exact: whatever the travel, it comes too late from here on
        if timed:
            cost = price_at(m, k, r, i, task, best.delta + base)
            if cost >= NEVER:
                continue
            cost -= base
        else:
            at = r.place[i - 1] if i else m.crew[k].place
            if not join(&r.head[i], node, leg(m, at, place), &s) or not rejoin(m, r, i, &s, place, &whole):
                continue
            cost = timed_cost(m, &whole) - base
        if cost < best.delta:
            best.delta = cost
            best.at = <int16_t>i
            best.store = store


cdef const Route *_without_store(Model *m, int32_t k) noexcept nogil:
    """Crew k's route without its visit to the store; made once for each version of it."""
    cdef const Route *r = &m.route[k]
    cdef Route *bare = &m.bare[k]
    if m.bare_of[k] != r.version:
        m.bare_of[k] = r.version
        bare.n = r.n
        bare.frozen = r.frozen
        bare.off = r.off
        memcpy(bare.visit, r.visit, sizeof(int32_t) * r.n)
        take_out(bare, r.store)
        build(m, k, bare)
    return bare


cdef const Route *_with_break(Model *m, int32_t k) noexcept nogil:
    """Crew k's route with its break on duty, where that costs least; made once for each version of it."""
    cdef const Route *r = &m.route[k]
    cdef Route *rested = &m.rested[k]
    cdef int32_t i, at, v = m.crew[k].rest, best = -1
    cdef int64_t cost, least = NEVER
    cdef Stretch s, whole
    if m.rested_of[k] != r.version:
        m.rested_of[k] = r.version
        rested.n = r.n - 1
        rested.frozen = r.frozen
        rested.off = False
        memcpy(rested.visit, r.visit, sizeof(int32_t) * r.n)
        build(m, k, rested)
        for i in range(r.frozen, rested.n + 1):
            at = rested.place[i - 1] if i else m.crew[k].place
            if join(&rested.head[i], &m.node[v], 0, &s) and rejoin(m, rested, i, &s, at, &whole):
                # Where costs are the same, the longer day behind it counts.
                cost = timed_cost(m, &whole) * 4 + whole.lasts
                if cost < least:
                    least = cost
                    best = i
        if best >= 0:
            put_in(rested, best, v)
            build(m, k, rested)
    return rested


cdef void cheapest_place(Model *m, int32_t k, int32_t task, Place *best) noexcept nogil:
    """The cheapest place of the task in crew k's route; the first of equals. Eligibility is the caller's."""
    cdef const Crew *crew = &m.crew[k]
    cdef const Route *r = &m.route[k]
    cdef const Route *rested
    cdef int32_t first = r.frozen
    cdef int64_t base = r.timed
    cdef const uint64_t *need = &m.parts[<Py_ssize_t>task * m.part_words]
    cdef bint tooled, ready
    best.delta = NEVER
    best.version = r.version
    best.store = STORE_STAYS
    if crew.closed or r.n + 2 >= ROOM or base >= NEVER:
        return
    tooled = crew.stocked or not m.tools[task] & ~crew.tools
    ready = crew.stocked or (tooled and fits(r.used, need, crew.parts, m.part_words))
    if not ready:
        if r.store < 0:
            first = r.n + 1
        elif r.store >= first:
            first = r.store + 1
    _alone(m, k, r, task, first, base, STORE_STAYS, best)
    if not ready and crew.store >= 0:
        if r.store < 0:
            _pair(m, k, r, task, True, r.n, r.n, base, best)
            if tooled:
                _pair(m, k, r, task, False, r.n, r.n, base, best)
        elif r.store > r.frozen:
            # The store may come earlier than it does now.
            _pair(m, k, _without_store(m, k), task, True, r.store - 1, r.store, base, best)
    if r.off and first <= r.n:
        # With one task more the day may be too long to end before the break.
        rested = _with_break(m, k)
        if rested.rest >= 0 and rested.cost < NEVER:
            if not ready:
                first = rested.store + 1
            _alone(m, k, rested, task, first, base, <int16_t>(BREAK_AT + rested.rest), best)
    if best.delta < NEVER:
        best.delta += own_cost(m, task, k)


cdef void put_task(Model *m, int32_t k, int32_t task, const Place *place) noexcept nogil:
    """Put the task where cheapest_place said, and build the route anew."""
    cdef Route *r = &m.route[k]
    cdef int32_t store = place.store
    if store >= BREAK_AT:
        r.off = False
        r.n -= 1
        put_in(r, store - BREAK_AT, m.crew[k].rest)
        put_in(r, place.at, task)
    elif store >= 0:
        if r.store >= 0:
            take_out(r, r.store)
        if store >= STORE_AFTER:
            put_in(r, store - STORE_AFTER, m.crew[k].store)
            put_in(r, place.at, task)
        else:
            put_in(r, place.at, task)
            put_in(r, store, m.crew[k].store)
    else:
        put_in(r, place.at, task)
    build(m, k, r)
