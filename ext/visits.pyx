# cython: autotestdict=False, auto_pickle=False
"""The crews' plan in flat arrays: who visits what in which order, when, and how much slack is left."""

cimport cython
from libc.stdint cimport int32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free

from ext.sphere cimport Point, check_place, check_speed, on_sphere, pace_of

import numpy as np

PLANNED, CONFIRMED, EN_ROUTE, ON_SITE = range(4)
NEVER = 1 << 30
HORIZON = 1 << 26

_TICKET = (
    "place", "service", "earliest", "latest", "due", "weight", "urgency", "impact", "level", "state", "churn", "before",
)
_CREW = ("place", "free_at", "home", "end_at", "fixed")
TICKET = np.dtype([(name, np.int32) for name in _TICKET])
CREW = np.dtype([(name, np.int32) for name in _CREW])

cdef enum:
    FAR = 1 << 26
    LONGEST_ROUTE = 400
    LONGEST_WAY = 604_800
    MOST = 1 << 20
    MOST_WEIGHT = 10_000
    LANES = 5  # arrays of a route


@cython.final
cdef class Travel:
    """Seconds between places."""

    @classmethod
    def of_matrix(cls, seconds not None):
        """From a matrix int32 (L, L), origin by row."""
        matrix = np.array(seconds, np.int32, order="C")
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError("a matrix of travel times has a row and a column for each place")
        if matrix.size and (matrix.min() < 0 or matrix.max() > LONGEST_WAY):
            raise ValueError("a travel time is from 0 to 604,800 s")
        turned = np.ascontiguousarray(matrix.T)
        cdef Travel made = Travel.__new__(Travel)
        cdef int32_t[:, ::1] there = matrix, back = turned
        made.ways.size = len(matrix)
        if len(matrix):
            made.ways.matrix, made.ways.turned = &there[0, 0], &back[0, 0]
        made._hold = (matrix, turned)
        return made

    @classmethod
    def of_places(cls, const int32_t[:, ::1] places not None, long speed_mmps, long detour_pm):
        """From places int32 (L, 2) and one speed."""
        if places.shape[1] != 2:
            raise ValueError("places are longitude and latitude")
        check_speed(speed_mmps, detour_pm)
        cdef Travel made = Travel.__new__(Travel)
        cdef Py_ssize_t i, n = places.shape[0]
        points = np.empty((3, n + 1), np.int32)
        cdef int32_t[:, ::1] point = points
        made.ways.x, made.ways.y, made.ways.z = &point[0, 0], &point[1, 0], &point[2, 0]
        made.ways.pace = pace_of(<int32_t>speed_mmps, <int32_t>detour_pm)
        made.ways.size = n
        made._hold = points
        for i in range(n):
            made.put(i, places[i, 0], places[i, 1])
        return made

    @property
    def places(self):
        """L, with what is spare."""
        return self.ways.size

    cdef int _check(self, long place) except -1:
        if place < 0 or place >= self.ways.size:
            raise ValueError("there is no such place")
        return 0

    def put(self, long place, int32_t lon, int32_t lat):
        """Move a place (millionths of a degree)."""
        self._check(place)
        if self.ways.matrix != NULL:
            raise ValueError("a place of a matrix has no coordinates")
        check_place(lon, lat)
        cdef Point p = on_sphere(lon, lat)
        self.ways.x[place], self.ways.y[place], self.ways.z[place] = p.x, p.y, p.z

    def put_seconds(self, long place, out not None, back not None):
        """New seconds from a place to all and from all to it."""
        self._check(place)
        if self.ways.matrix == NULL:
            raise ValueError("places with coordinates have no matrix")
        rows = np.array([out, back], np.int32)
        if rows.shape != (2, self.ways.size) or rows.min() < 0 or rows.max() > LONGEST_WAY:
            raise ValueError("a travel time to and from each place is from 0 to 604,800 s")
        matrix, turned = self._hold
        matrix[place], matrix[:, place] = rows
        turned[place], turned[:, place] = rows[1], rows[0]

    def seconds(self, long origin, long destination):
        """Of one pair."""
        self._check(origin)
        self._check(destination)
        return leg(&self.ways, <int32_t>origin, <int32_t>destination)


@cython.final
cdef class Plan:
    """Routes of K crews over J rows of tickets; rows may be spare."""

    def __cinit__(self, Travel travel not None, tickets not None, crews not None, eligible not None):
        if tickets.dtype != TICKET or crews.dtype != CREW or tickets.ndim != 1 or crews.ndim != 1:
            raise ValueError("tickets are an array of TICKET, crews one of CREW")
        cdef Py_ssize_t n = len(tickets), k = len(crews), i
        words = (k + 63) // 64
        if eligible.shape != (n, words):
            raise ValueError("`eligible` has a row per ticket and a word for 64 crews")
        if n * max(words, 1) >= 2**31 or k >= 2**24:
            raise ValueError("there are too many tickets or crews")
        self.travel = travel
        own_tickets = np.array(tickets, TICKET, order="C")
        own_crews = np.array(crews, CREW, order="C")
        own_eligible = np.array(eligible, np.uint64, order="C")
        figures = np.full((3, n + 1), -1, np.int32)
        ends = np.zeros(k + 1, np.int32)
        self._hold = (own_tickets, own_crews, own_eligible, figures, ends)
        cdef int32_t[:, ::1] figure = figures
        cdef int32_t[::1] end = ends
        cdef State* s = &self.state
        s.ways = &travel.ways
        s.tickets, s.crews, s.words = n, k, words
        s.ticket = <Ticket*><uintptr_t>own_tickets.ctypes.data
        s.crew = <Crew*><uintptr_t>own_crews.ctypes.data
        s.eligible = <uint64_t*><uintptr_t>own_eligible.ctypes.data
        s.owner, s.start, s.limit, s.end = &figure[0, 0], &figure[1, 0], &figure[2, 0], &end[0]
        for i in range(n):
            self._check_ticket(&s.ticket[i])
            s.limit[i] = s.ticket[i].latest
            s.start[i] = NEVER
        for i in range(k):
            self._check_crew(&s.crew[i])
        s.planned = <Route*>calloc(k + 1, sizeof(Route))
        s.tried = <Route*>calloc(k + 1, sizeof(Route))
        s.route = <Route**>calloc(k + 1, sizeof(Route*))
        if s.planned == NULL or s.tried == NULL or s.route == NULL:
            raise MemoryError
        self._grow(8)
        self.retime()

    def __dealloc__(self):
        free(self.state.planned)
        free(self.state.tried)
        free(self.state.route)
        free(self._block)

    @property
    def tickets(self):
        """J."""
        return self.state.tickets

    @property
    def crews(self):
        """K."""
        return self.state.crews

    cdef int check_free(self) except -1:
        if self.busy:
            raise RuntimeError("a plan is used by one thread at a time")
        return 0

    cdef int _check_ticket(self, const Ticket* t) except -1:
        if (
            t.place < -1 or t.place >= self.state.ways.size or t.place == -1 and t.level != 0
            or t.service < 0 or t.service > MOST or t.earliest < -FAR or t.earliest > FAR
            or t.latest < -FAR or t.latest > FAR and t.latest != TIME_NEVER
            or t.due < -FAR or t.due > FAR and t.due != TIME_NEVER
            or t.weight < 0 or t.weight > MOST_WEIGHT or t.urgency < 0 or t.urgency > MOST_WEIGHT
            or t.impact < 0 or t.impact > MOST or t.level < 0 or t.level > 7 or t.state < 0
            or t.state > STATE_ON_SITE or t.churn < 0 or t.churn > MOST or t.before < -1
            or t.before >= self.state.crews
        ):
            raise ValueError("a ticket's row holds a figure that is out of range")
        return 0

    cdef int _check_crew(self, const Crew* c) except -1:
        if (
            c.place < 0 or c.place >= self.state.ways.size or c.home < -1 or c.home >= self.state.ways.size
            or c.free_at < -FAR or c.free_at > FAR or c.end_at < -FAR or c.end_at > FAR or c.fixed < 0
        ):
            raise ValueError("a crew's row holds a figure that is out of range")
        return 0

    cdef int _grow(self, Py_ssize_t longest) except -1:
        # Room for routes twice as long, so that what is tried fits, too.
        if longest > LONGEST_ROUTE:
            raise ValueError("a route has at most 400 visits")
        cdef Py_ssize_t room = 2 * longest + 16, k, lane, q
        if room <= self.room:
            return 0
        cdef State* s = &self.state
        cdef int32_t* block = <int32_t*>calloc((s.crews + 1) * 2 * LANES * room, sizeof(int32_t))
        if block == NULL:
            raise MemoryError
        cdef int32_t* here = block
        cdef Route* r
        for k in range(2 * s.crews):
            r = &s.planned[k >> 1] if k & 1 == 0 else &s.tried[k >> 1]
            for q in range(r.n):
                here[q] = r.ticket[q]
                here[room + q] = r.at[q]
                here[2 * room + q] = r.leg[q]
                here[3 * room + q] = r.start[q]
                here[4 * room + q] = r.until[q]
            r.ticket, r.at, r.leg = here, here + room, here + 2 * room
            r.start, r.until = here + 3 * room, here + 4 * room
            here += LANES * room
            s.route[k >> 1] = &s.planned[k >> 1]
        free(self._block)
        self._block = block
        self.room = room
        return 0

    cdef void _time(self, int32_t crew) noexcept:
        cdef State* s = &self.state
        cdef Route* r = &s.planned[crew]
        cdef int32_t q, j
        forward(s, crew, r)
        for q in range(r.n):
            j = r.ticket[q]
            s.owner[j], s.start[j] = crew, r.start[q]
            s.limit[j] = max(s.ticket[j].latest, r.start[q])
        s.end[crew] = max(s.crew[crew].end_at, r.end) if r.n else s.crew[crew].end_at
        backward(s, crew, r)

    def put_ticket(self, Py_ssize_t ticket, row not None, eligible not None):
        """Replace one row; the route that holds it is timed anew."""
        self.check_free()
        cdef State* s = &self.state
        one, words = np.array(row, TICKET).reshape(-1), np.array(eligible, np.uint64).reshape(-1)
        if ticket < 0 or ticket >= s.tickets or len(one) != 1 or len(words) != s.words:
            raise ValueError("there is no such ticket, or not one row for it")
        self._check_ticket(<Ticket*><uintptr_t>one.ctypes.data)
        self._hold[0][ticket] = one[0]
        self._hold[2][ticket] = words
        s.limit[ticket] = s.ticket[ticket].latest
        if s.owner[ticket] >= 0:
            self._time(s.owner[ticket])

    def put_crew(self, Py_ssize_t crew, row not None):
        """Replace one crew's row and time its route anew."""
        self.check_free()
        one = np.array(row, CREW).reshape(-1)
        if crew < 0 or crew >= self.state.crews or len(one) != 1:
            raise ValueError("there is no such crew, or not one row for it")
        self._check_crew(<Crew*><uintptr_t>one.ctypes.data)
        self._hold[1][crew] = one[0]
        self._time(<int32_t>crew)

    def set_route(self, Py_ssize_t crew, const int32_t[::1] tickets not None):
        """The crew's visits in order."""
        self.check_free()
        cdef State* s = &self.state
        cdef Py_ssize_t q, n = tickets.shape[0]
        if crew < 0 or crew >= s.crews:
            raise ValueError("there is no such crew")
        for q in range(n):
            if tickets[q] < 0 or tickets[q] >= s.tickets:
                raise ValueError("there is no such ticket")
            if s.owner[tickets[q]] not in (-1, crew):
                raise ValueError("another crew has this ticket")
        if len(set(tickets)) != n:
            raise ValueError("a ticket stands twice in a route")
        self._grow(n)
        cdef Route* r = &s.planned[crew]
        for q in range(r.n):
            s.owner[r.ticket[q]], s.start[r.ticket[q]] = -1, NEVER
            s.limit[r.ticket[q]] = s.ticket[r.ticket[q]].latest
        r.n = <int32_t>n
        for q in range(n):
            r.ticket[q] = tickets[q]
        self._time(<int32_t>crew)

    cdef object _lane(self, Py_ssize_t crew, bint starts):
        if crew < 0 or crew >= self.state.crews:
            raise ValueError("there is no such crew")
        cdef Route* r = &self.state.planned[crew]
        return np.array([r.start[q] if starts else r.ticket[q] for q in range(r.n)], np.int32)

    def route(self, Py_ssize_t crew):
        """The crew's visits in order."""
        return self._lane(crew, False)

    def starts(self, Py_ssize_t crew):
        """When work on each visit of the crew starts."""
        return self._lane(crew, True)

    def crew_of(self, Py_ssize_t ticket):
        """Who has the ticket, -1: nobody."""
        if ticket < 0 or ticket >= self.state.tickets:
            raise ValueError("there is no such ticket")
        return self.state.owner[ticket]

    def ends_at(self, Py_ssize_t crew):
        """When the crew is done, on its way home included."""
        if crew < 0 or crew >= self.state.crews:
            raise ValueError("there is no such crew")
        return self.state.planned[crew].end

    def retime(self):
        """Time every route anew, after the Travel has changed."""
        self.check_free()
        for crew in range(self.state.crews):
            self._time(crew)
