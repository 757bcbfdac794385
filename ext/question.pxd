"""One question to the plan: its memory, and the routes that are tried for it."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from ext.ejection cimport Ask, Found, Given
from ext.visits cimport Plan, State

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

cdef int open_question(
    Work* w, Plan plan, Py_ssize_t ticket, weights, long now, long late_step, long displace
) except -1
cdef void close_question(Work* w, Plan plan) noexcept
cdef void put_back(Work* w) noexcept nogil
cdef void without_ticket(Work* w) noexcept nogil
cdef void put_in(Work* w, int32_t k, int32_t position, int32_t ticket) noexcept nogil
cdef void apply_found(Work* w, const Found* f) noexcept nogil
cdef void place_displaced(Work* w, Found* f) noexcept nogil
cdef Py_ssize_t rank(Work* w, Py_ssize_t shortlist) noexcept nogil
cdef void dig_all(Work* w, const uint32_t* broken, Py_ssize_t shortlist) noexcept nogil
