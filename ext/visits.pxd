"""The plan's arrays as the kernels see them, and how a route is timed."""

from libc.stdint cimport int32_t, int64_t, uint64_t

from ext.sphere cimport Point, way, ways

cdef enum:
    STATE_ON_SITE = 3
    TIME_NEVER = 1 << 30

cdef struct Ticket:
    int32_t place
    int32_t service
    int32_t earliest
    int32_t latest
    int32_t due
    int32_t weight
    int32_t urgency
    int32_t impact
    int32_t level
    int32_t state
    int32_t churn
    int32_t before

cdef struct Crew:
    int32_t place
    int32_t free_at
    int32_t home
    int32_t end_at
    int32_t fixed

cdef struct Ways:
    # Seconds by matrix (and the same turned over), or by points of the sphere where there is none.
    Py_ssize_t size
    int32_t* matrix
    int32_t* turned
    int32_t* x
    int32_t* y
    int32_t* z
    float pace

cdef struct Route:
    int32_t n
    int32_t fixed      # so many visits at the head have nothing put before them
    int32_t* ticket
    int32_t* at        # place; of a break the place before it
    int32_t* leg       # seconds of the way to it
    int32_t* start     # of work
    int32_t* until     # latest start of work with which nothing behind it breaks a window or the shift
    int32_t home       # seconds of the way home
    int32_t end
    int64_t drive
    int64_t busy       # driving and work

cdef struct State:
    Ways* ways
    Py_ssize_t tickets
    Py_ssize_t crews
    Py_ssize_t words
    Ticket* ticket
    Crew* crew
    uint64_t* eligible
    Route* planned     # of each crew
    Route* tried       # of each crew: room for a route that is only tried
    Route** route      # of each crew: which of the two counts now
    int32_t* owner     # of each ticket: its crew, -1
    int32_t* start     # of each ticket as planned
    int32_t* limit     # of each ticket: latest start; what is late as planned may stay so late
    int32_t* end       # of each crew: latest end, likewise


cdef inline int32_t leg(const Ways* w, int32_t a, int32_t b) noexcept nogil:
    cdef Point p
    if w.matrix != NULL:
        return w.matrix[a * w.size + b]
    p.x, p.y, p.z = w.x[a], w.y[a], w.z[a]
    return way(p, w.x[b], w.y[b], w.z[b], w.pace)


cdef inline int32_t late(const Ticket* t, int32_t start) noexcept nogil:
    return start - t.due if start > t.due else 0


cdef inline bint may(const State* s, int32_t ticket, int32_t crew) noexcept nogil:
    return (s.eligible[ticket * s.words + (crew >> 6)] >> (crew & 63)) & 1


cdef inline void forward(const State* s, int32_t k, Route* r) noexcept nogil:
    # Earliest times of a route whose tickets are in place.
    cdef int32_t at = s.crew[k].place, now = s.crew[k].free_at, q
    cdef int64_t drive = 0, work = 0
    cdef const Ticket* t
    r.fixed = min(s.crew[k].fixed, r.n)
    for q in range(r.n):
        t = &s.ticket[r.ticket[q]]
        r.leg[q] = 0
        if t.place >= 0:
            r.leg[q] = leg(s.ways, at, t.place)
            at = t.place
        r.at[q] = at
        r.start[q] = max(now + r.leg[q], t.earliest)
        now = r.start[q] + t.service
        drive += r.leg[q]
        work += t.service
        if t.state == STATE_ON_SITE:
            r.fixed = max(r.fixed, q + 1)
    r.home = leg(s.ways, at, s.crew[k].home) if s.crew[k].home >= 0 else 0
    r.end = now + r.home
    r.drive = drive + r.home
    r.busy = r.drive + work


cdef inline void backward(const State* s, int32_t k, Route* r) noexcept nogil:
    # Latest starts (Savelsbergh 1992): whether a delay can be borne is then one comparison.
    cdef int32_t limit = s.end[k] - r.home, q
    for q in range(r.n - 1, -1, -1):
        limit = min(s.limit[r.ticket[q]], limit - s.ticket[r.ticket[q]].service)
        r.until[q] = limit
        limit -= r.leg[q]


cdef inline Route* attempt(State* s, int32_t k, const int32_t* tickets, int32_t n) noexcept nogil:
    # Try another route for a crew; `tickets` may not lie in the room of its tried route.
    cdef Route* r = &s.tried[k]
    cdef int32_t q
    r.n = n
    for q in range(n):
        r.ticket[q] = tickets[q]
    forward(s, k, r)
    backward(s, k, r)
    s.route[k] = r
    return r


cdef class Travel:
    cdef Ways ways
    cdef object _hold
    cdef int _check(self, long place) except -1


cdef class Plan:
    cdef State state
    cdef Travel travel
    cdef Py_ssize_t room
    cdef bint busy
    cdef void* _block
    cdef object _hold
    cdef int _check_ticket(self, const Ticket* t) except -1
    cdef int _check_crew(self, const Crew* c) except -1
    cdef int _grow(self, Py_ssize_t longest) except -1
    cdef void _time(self, int32_t crew) noexcept
    cdef int check_free(self) except -1
    cdef object _lane(self, Py_ssize_t crew, bint starts)
