"""How one ticket goes into one crew's route, plainly or with visits displaced, and where those go."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from ext.visits cimport State

cdef enum:
    PARTS = 10          # of the score
    MOST_DISPLACED = 8
    WHY_PLACED = 0
    WHY_NO_CREW = 1
    WHY_NO_TIME = 2

cdef struct Given:
    # What the caller knows of a crew and the ticket.
    int32_t continuity
    int32_t skill
    int32_t parts
    int32_t ready

cdef struct Ask:
    int32_t ticket
    int32_t now
    int32_t late_step
    int32_t displace
    int64_t weight[PARTS]
    int32_t* there      # seconds to the ticket from each place
    int32_t* back       # and from it

cdef struct Move:
    int32_t ticket
    int32_t crew
    int32_t position
    int32_t why

cdef struct Found:
    int32_t crew
    int32_t position
    int32_t arrival
    int32_t start
    int32_t drive
    int32_t late
    int32_t displaced
    int32_t index[MOST_DISPLACED]   # of the displaced in the crew's route
    Move move[MOST_DISPLACED]
    int64_t steps
    int64_t levels
    int64_t unplanned
    int64_t total
    int64_t score[PARTS]

cdef void ways_of(const State* s, int32_t place, int32_t** there, int32_t** back, int32_t* room) noexcept nogil
cdef bint plain(const State* s, const Ask* a, const Given* g, int32_t k, int32_t only, Found* best) noexcept nogil
cdef bint dig(
    const State* s, const Ask* a, const Given* g, int32_t k, int64_t most_steps, int64_t most_levels, Found* best,
    int32_t* nearest,
) noexcept nogil
cdef int64_t soonest(const State* s, const Ask* a, const Given* g, int32_t k) noexcept nogil
cdef bint relocate(
    const State* s, const int64_t* weight, int32_t ticket, int32_t barred, int32_t floor_crew, int32_t floor,
    int32_t* room, Move* move, int64_t* grown, int64_t* caused,
) noexcept nogil
cdef int compare(const Found* f, const Found* g) noexcept nogil
