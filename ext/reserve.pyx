# cython: autotestdict=False
"""What a plan keeps in reserve: the time that calls not known yet would add to it, had they to be put in as they come.

A sample of possible calls, each with the moment at which it becomes known, is put into the plan one by one: behind
what has been driven to by then, by the crew that loses least time by it; a call that nobody reaches counts its loss.
The mean over the sample is a part of the plan's cost, so that the search keeps crews, skills, tools and parts where they
are likely to be missed. The thought is that of sampled scenarios of Bent and Van Hentenryck, "Scenario-based planning
for partially dynamic vehicle routing with stochastic customers", Operations Research 52 (2004), with a price by
insertion in place of a plan per scenario: a scenario costs some hundred nanoseconds a route, not a search.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from ext.routes cimport Crew, Model, Route, Stretch, fits, leg

# Plain C for the loops over calls: the compiler makes vectors of them only if no two arrays may overlap.
cdef extern from *:
    """
    #include <stdint.h>
    #define HEATOPS_FAR (1 << 29)
    #define heatops_max(a, b) ((a) > (b) ? (a) : (b))
    #define heatops_min(a, b) ((a) < (b) ? (a) : (b))
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif
    typedef struct {
        int32_t free_at, leaves, by_store, early, late, lasts, before;
    } heatops_gap;

    /* A crew that has not left home: it leaves as late as costs least, but not before it knows. */
    static HEATOPS_WIDE void heatops_from_home(
        int32_t n, heatops_gap g, const int32_t *restrict to, const int32_t *restrict back, const int32_t *restrict via,
        const int32_t *restrict direct, const int32_t *restrict known, const int32_t *restrict opens,
        const int32_t *restrict closes, const int32_t *restrict service, int32_t *restrict least
    ) {
        for (int32_t c = 0; c < n; c++) {
            int32_t way = direct[c] ? to[c] : g.by_store + via[c];
            int32_t first = heatops_max(g.free_at, known[c]), last = closes[c] - way;
            int32_t leave = heatops_max(opens[c] - way, first);
            int32_t span = way + service[c] + back[c], wait = g.early - span - last;
            leave = heatops_min(leave, last);
            int32_t more = span + g.lasts + heatops_max(wait, 0) - g.before;
            int32_t can = (first <= last) & (leave + span <= g.late) & (known[c] <= g.leaves);
            more = can ? more : HEATOPS_FAR;
            least[c] = heatops_min(least[c], more);
        }
    }

    /* A crew on its way: what it loses is how much later its day ends. */
    static HEATOPS_WIDE void heatops_between(
        int32_t n, heatops_gap g, const int32_t *restrict to, const int32_t *restrict back, const int32_t *restrict via,
        const int32_t *restrict direct, const int32_t *restrict known, const int32_t *restrict opens,
        const int32_t *restrict closes, const int32_t *restrict service, int32_t *restrict least
    ) {
        for (int32_t c = 0; c < n; c++) {
            int32_t way = direct[c] ? to[c] : g.by_store + via[c];
            int32_t there = heatops_max(g.free_at, known[c]) + way;
            int32_t next = heatops_max(there, opens[c]) + service[c] + back[c];
            int32_t more = heatops_max(next, g.early) + g.lasts - g.before;
            int32_t can = (there <= closes[c]) & (next <= g.late) & (known[c] <= g.leaves);
            more = can ? more : HEATOPS_FAR;
            least[c] = heatops_min(least[c], more);
        }
    }

    static HEATOPS_WIDE void heatops_row(
        int32_t n, int32_t keen, const int32_t *restrict least, const int32_t *restrict barred,
        const int32_t *restrict loss, int32_t *restrict row
    ) {
        for (int32_t c = 0; c < n; c++) {
            int32_t ticks = heatops_max(least[c], 0);
            /* In two steps, so that it stays in 32 bits. */
            int32_t counts = (ticks >> 10) * keen + (((ticks & 1023) * keen) >> 10) + barred[c];
            counts = ticks >= HEATOPS_FAR ? HEATOPS_FAR : counts;
            row[c] = heatops_min(counts, loss[c]);
        }
    }

    static HEATOPS_WIDE void heatops_least(int32_t n, const int32_t *restrict row, int32_t *restrict least) {
        for (int32_t c = 0; c < n; c++)
            least[c] = heatops_min(least[c], row[c]);
    }
    """
    ctypedef struct Gap "heatops_gap":
        int32_t free_at         # since when the crew is free to go to the call
        int32_t leaves          # when it goes on: by then the call must be known
        int32_t by_store        # travel to its store, and the time there
        int32_t early, late     # of what follows: earliest and latest start of its shortest duration
        int32_t lasts           # ... which is
        int32_t before          # duration of the route, or end of the day, without the call
    const int32_t FAR "HEATOPS_FAR"
    void from_home "heatops_from_home"(
        int32_t n, Gap gap, const int32_t *to, const int32_t *back, const int32_t *via, const int32_t *direct,
        const int32_t *known, const int32_t *opens, const int32_t *closes, const int32_t *service, int32_t *least,
    ) noexcept nogil
    void between "heatops_between"(
        int32_t n, Gap gap, const int32_t *to, const int32_t *back, const int32_t *via, const int32_t *direct,
        const int32_t *known, const int32_t *opens, const int32_t *closes, const int32_t *service, int32_t *least,
    ) noexcept nogil
    void fill_row "heatops_row"(
        int32_t n, int32_t keen, const int32_t *least, const int32_t *barred, const int32_t *loss, int32_t *row,
    ) noexcept nogil
    void take_least "heatops_least"(int32_t n, const int32_t *row, int32_t *least) noexcept nogil

cdef enum:
    LONGEST = 256       # visits of one route, and its end


cdef int32_t sets_out(const Model *m, const Reserve *v, const Route *r, int32_t k) noexcept nogil:
    """When crew k leaves for the first visit of its route, which has one: at a time that costs no duration."""
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t way, first = r.leaves, last = r.leaves_late
    if crew.departed:
        # Its clock runs: it may stay as long as it would have to wait for one of its visits anyway.
        way = leg(m, crew.place, r.entry[0])
        first = m.node[r.visit[0]].early - way
        if first < r.leaves:
            first = r.leaves
        last = r.tail[0].early - way
    if last <= first:
        return first
    return first + <int32_t>(<int64_t>(last - first) * v.leave[k] >> 10)


cdef void _gaps(const Model *m, const Reserve *v, const Route *r, int32_t k, Gap *gap) noexcept nogil:
    """When the crew is free before every visit, and when it goes on: as late as is in time for what follows."""
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t i, node, place, at = crew.place, way, clock = r.leaves
    for i in range(r.n):
        node = r.visit[i]
        place = r.place[i]
        way = leg(m, at, place)
        gap[i].free_at = clock
        if i == 0:
            clock = sets_out(m, v, r, k)
        elif clock < m.node[node].early - way:
            clock = m.node[node].early - way
        gap[i].leaves = clock
        clock += way
        if clock < m.node[node].early:
            clock = m.node[node].early
        clock += m.node[node].lasts
        at = place
    gap[r.n].free_at = gap[r.n].leaves = clock
    gap[r.n].before = clock + leg(m, at, crew.home)


cdef void price_calls(const Model *m, Reserve *v, int32_t k) noexcept nogil:
    """The row of crew k: for every call the time it adds to the crew's route."""
    cdef const Crew *crew = &m.crew[k]
    cdef const Route *r = &m.route[k]
    cdef int32_t c, i, n = v.n, at, store
    cdef bint stocked, nothing = not crew.departed and r.n == (1 if r.rest >= 0 else 0)
    cdef int32_t *least = v.line
    cdef int32_t *direct = v.line + n
    cdef const int32_t *via
    cdef Gap gap[LONGEST]
    cdef Py_ssize_t row = <Py_ssize_t>k * n
    for c in range(n):
        least[c] = FAR
    if crew.closed or r.n >= LONGEST - 1:
        fill_row(n, v.keen, least, v.barred + row, v.loss, v.row + row)
        return
    store = m.where[crew.store] if crew.store >= 0 else -1
    via = v.to + <Py_ssize_t>(store if store >= 0 else m.nowhere) * n
    for c in range(n):
        direct[c] = crew.stocked or not v.tools[c] & ~crew.tools and fits(
            r.used, &v.parts[<Py_ssize_t>c * m.part_words], crew.parts, m.part_words
        )
    _gaps(m, v, r, k, gap)
    if nothing:
        gap[0].free_at = crew.begin.early
        gap[0].leaves = FAR
    for i in range(r.frozen, r.n + 1):
        if i == r.rest and not r.off:
            continue
        at = r.place[i - 1] if i else crew.place
        if 0 <= r.store < i and r.store == i - 1 or i == r.frozen and 0 <= r.store < i:
            # From the store on it has everything.
            for c in range(n):
                direct[c] = 1
        gap[i].by_store = leg(m, at, store) + m.node[crew.store].lasts if store >= 0 else FAR >> 1
        gap[i].early, gap[i].late, gap[i].lasts = r.tail[i].early, r.tail[i].late, r.tail[i].lasts
        if i == 0 and not crew.departed:
            gap[i].free_at = crew.begin.early
            gap[i].before = r.lasts
            from_home(
                n, gap[i], v.to + <Py_ssize_t>at * n, v.back + <Py_ssize_t>r.entry[i] * n, via, direct, v.known,
                v.opens, v.closes, v.service, least,
            )
        else:
            gap[i].before = gap[r.n].before
            between(
                n, gap[i], v.to + <Py_ssize_t>at * n, v.back + <Py_ssize_t>r.entry[i] * n, via, direct, v.known,
                v.opens, v.closes, v.service, least,
            )
    fill_row(n, v.keen, least, v.barred + row, v.loss, v.row + row)


cdef void keep_row(Reserve *v, int32_t k) noexcept nogil:
    memcpy(v.old + <Py_ssize_t>k * v.n, v.row + <Py_ssize_t>k * v.n, v.n * sizeof(int32_t))


cdef void put_back(Reserve *v, int32_t k) noexcept nogil:
    memcpy(v.row + <Py_ssize_t>k * v.n, v.old + <Py_ssize_t>k * v.n, v.n * sizeof(int32_t))


cdef int64_t reserve_value(const Model *m, const Reserve *v) noexcept nogil:
    """What the calls would cost the plan whose rows are there."""
    cdef int64_t ticks = 0
    cdef int32_t c, k
    memcpy(v.line, v.loss, v.n * sizeof(int32_t))
    for k in range(m.crews):
        take_least(v.n, v.row + <Py_ssize_t>k * v.n, v.line)
    for c in range(v.n):
        ticks += v.line[c]
    return (ticks * v.share) >> 16
