"""The route model that every part of the planner shares: stretches, crews, tasks, routes, and joining in O(1)."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    ROOM = 250              # the most visits of one route
    PART_WORDS = 8          # four kinds of part each
    OUT_OF_REACH = 1 << 30  # later than every time that is let in

cdef extern from *:
    """
    #include <stdint.h>
    #define HEATOPS_NEVER ((int64_t)1 << 61)
    """
    int64_t NEVER "HEATOPS_NEVER"   # the cost of what cannot be done


# A stretch of consecutive visits, as Savelsbergh (1992) and Vidal et al. (2013) keep them: enough to join two in O(1).
cdef struct Stretch:
    int32_t lasts           # its shortest duration, waiting included
    int32_t early           # the earliest start that lasts no longer than that
    int32_t late            # the latest such start
    int32_t drive           # the travel in it


cdef struct Crew:
    Stretch begin           # leaving `place`: at one time if it has departed, else as late as is good
    Stretch end             # being at `home` by the end of its shift
    int32_t place
    int32_t home            # Model.nowhere if it may end anywhere
    int32_t store           # node of its visit to the store, -1 without one
    int32_t rest            # node of its break, -1 without one
    uint64_t tools
    uint64_t parts[PART_WORDS]
    int8_t departed         # its clock runs: waiting at the start counts, and so does going home without a visit
    int8_t stocked          # it needs no store: has been there
    int8_t closed           # takes no task


# Visits are nodes: tasks 0..J-1, then for crew k its store J + 2k and its break J + 2k + 1.
cdef struct Route:
    int32_t n
    int32_t frozen          # so many visits at its head are never moved
    int32_t store           # position of the visit to the store, -1: none
    int32_t rest            # position of the break, -1: none
    int8_t off              # the break is the last visit, off duty: the day ends before it would have to begin
    int32_t dues            # visits whose lateness costs
    int32_t tasks
    uint32_t version        # two routes with the same version are the same
    int32_t leaves          # the start of the shift's first stretch: earliest ...
    int32_t leaves_late     # ... and latest time of leaving that costs no more duration
    int32_t drive
    int32_t lasts
    int64_t cost            # all that belongs to this route, static costs and churn included
    int64_t lateness        # the part of it that is lateness
    int64_t timed           # cost without static costs and churn
    uint64_t used[PART_WORDS]   # parts needed before the store, or in all without one
    int32_t *visit          # [ROOM] nodes
    int32_t *place          # [ROOM] where the crew is at that visit
    int32_t *entry          # [ROOM + 1] where the tail from that position begins; [n] is home
    int32_t *start          # [ROOM] start of service when it leaves at `leaves`
    int64_t *late_before    # [ROOM + 1] lateness of the visits before that position
    Stretch *head           # [ROOM + 1] everything before that position
    Stretch *tail           # [ROOM + 1] everything from that position on


cdef struct Model:
    int32_t crews, tasks, nodes, places, nowhere, words, part_words
    int32_t *travel         # [places + 1][places + 1]; the last place is nowhere: no travel to or from it
    Crew *crew
    Stretch *node           # [nodes] service and window
    int32_t *where          # [nodes] place, -1: wherever the crew is
    int32_t *due            # [nodes]
    int64_t *late_cost      # [nodes] per tick, 0: none
    int64_t *weight         # [tasks]
    uint64_t *eligible      # [tasks][words]
    uint64_t *tools         # [tasks]
    uint64_t *parts         # [tasks][part_words]
    const int32_t *extra    # [tasks][crews] static cost, NULL: none
    int32_t *before         # [tasks] -1: no crew had it
    int64_t churn_cost
    int64_t travel_cost, duration_cost
    Route *route            # [crews] the plan that is worked on
    Route *bare             # [crews] the route without its store, where that was asked for ...
    uint32_t *bare_of       # [crews] ... and the version of the route that it was made of
    Route *rested           # [crews] the route with its break on duty, where that was asked for ...
    uint32_t *rested_of     # [crews] ... and the version of the route that it was made of
    uint32_t versions
    int8_t lateness         # some task's lateness costs


# Four fields of 15 bits; the 16th bit of each catches the borrow.
cdef inline bint fits(const uint64_t *used, const uint64_t *more, const uint64_t *have, int words) noexcept nogil:
    cdef int w
    cdef uint64_t guard = 0x8000800080008000U
    for w in range(words):
        if (((have[w] | guard) - (used[w] + more[w])) & guard) != guard:
            return False
    return True


cdef inline bint join(const Stretch *a, const Stretch *b, int32_t travel, Stretch *both) noexcept nogil:
    """Stretch `b` after `a`; False, and a stretch that nothing can be joined to, if no timing exists."""
    cdef int32_t delta = a.lasts + travel, wait, early, late
    if a.early + delta > b.late:
        both.lasts = 0
        both.early = OUT_OF_REACH
        both.late = -OUT_OF_REACH
        both.drive = 0
        return False
    wait = b.early - delta - a.late
    if wait < 0:
        wait = 0
    early = b.early - delta
    if early < a.early:
        early = a.early
    late = b.late - delta
    if late > a.late:
        late = a.late
    early -= wait
    if late < early:
        late = early
    both.drive = a.drive + b.drive + travel
    both.lasts = delta + b.lasts + wait
    both.early = early
    both.late = late
    return True


cdef inline int32_t leg(const Model *m, int32_t a, int32_t b) noexcept nogil:
    return m.travel[<Py_ssize_t>a * (m.places + 1) + b]


cdef inline bint may(const Model *m, int32_t task, int32_t crew) noexcept nogil:
    return (m.eligible[<Py_ssize_t>task * m.words + (crew >> 6)] >> (crew & 63)) & 1


cdef inline int64_t own_cost(const Model *m, int32_t task, int32_t crew) noexcept nogil:
    """Static cost and churn of a task with a crew."""
    cdef int64_t cost = 0
    if m.extra != NULL:
        cost = m.extra[<Py_ssize_t>task * m.crews + crew]
    if m.before[task] >= 0 and m.before[task] != crew:
        cost += m.churn_cost
    return cost


cdef inline bint rejoin(
    const Model *m, const Route *r, int32_t i, const Stretch *s, int32_t at, Stretch *whole
) noexcept nogil:
    """`s`, which ends at place `at`, with the route from position `i` on."""
    cdef Stretch rested
    if i == r.rest and not r.off:
        # The break is where the crew then is, so that the leg behind it is another one.
        if not join(s, &m.node[r.visit[i]], 0, &rested):
            whole[0] = rested
            return False
        return join(&rested, &r.tail[i + 1], leg(m, at, r.entry[i + 1]), whole)
    return join(s, &r.tail[i], leg(m, at, r.entry[i]), whole)


cdef inline int64_t timed_cost(const Model *m, const Stretch *whole) noexcept nogil:
    return m.travel_cost * whole.drive + m.duration_cost * whole.lasts


cdef void build(Model *m, int32_t k, Route *r) noexcept nogil
cdef int64_t price_at(const Model *m, int32_t k, const Route *r, int32_t i, int32_t v, int64_t limit) noexcept nogil
cdef void schedule(const Model *m, int32_t k, Route *r) noexcept nogil
cdef void settle(Model *m, int32_t k) noexcept nogil
cdef void copy_route(Route *to, const Route *source) noexcept nogil
cdef void put_in(Route *r, int32_t i, int32_t v) noexcept nogil
cdef void take_out(Route *r, int32_t i) noexcept nogil
