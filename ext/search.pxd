"""The state of the planner's search, and its steps."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint32_t, uint64_t

from ext.places cimport Place
from ext.reserve cimport Reserve
from ext.routes cimport Model, Route


cdef struct Moved:
    int32_t task
    int32_t crew            # before it moved


cdef struct Settings:
    int32_t strings         # removed tasks of a ruin, on average
    int32_t longest         # the longest string
    int32_t split           # chances, each of 1024: the string spares some in its middle
    int32_t by_time         # neighbours by time and place, not by place alone
    int32_t whole_route     # a whole route is emptied
    int32_t ban             # ... and its crew takes nothing this time
    int32_t exchange        # two crews exchange their routes
    int32_t tails           # two crews exchange the tails of their routes
    int32_t regret          # recreated by regret, not in an order
    int32_t blink           # a crew is passed over


cdef struct Search:
    Model *m
    Settings set
    uint64_t random
    int64_t budget, done
    int64_t hot, cold       # temperatures in cost
    int64_t temperature     # now, in 1 / 256 of the cost's unit
    int64_t ratio           # log2(hot / cold) in 1 / 65536
    int64_t cost, best_cost # of the plan worked on and of the best
    int64_t missing         # weights of the tasks without a crew
    int32_t changes, most_changes
    int32_t near            # neighbours kept per task
    int32_t *by_place       # [tasks][near]
    int32_t *by_time        # [tasks][near]
    int32_t *choice         # [tasks] how many crews may
    int32_t *crew_of        # [tasks] -1: none
    int32_t *best_crew_of
    int8_t *locked          # [tasks] frozen, or nobody may: never in a ruin
    int32_t *live           # [lives] tasks that are not locked
    int32_t lives
    int32_t *out            # [outs] live tasks without a crew
    int32_t *out_at         # [tasks] position in `out`
    int32_t outs
    int32_t *bank           # [banked] tasks to put in
    int8_t *in_bank
    int64_t *key            # [tasks] the order of the bank
    uint64_t *close_crews   # [tasks][words] those that begin nearest of the ones that may
    uint64_t *idle          # [words] crews without a task at the beginning of this step
    uint64_t *asked         # [words]
    int64_t *afar           # [tasks] mean travel from the crews that may
    int32_t banked
    Moved *moved            # journal of this step
    int32_t moves
    int32_t *touched        # [touches] crews whose routes changed in this step
    int8_t *is_touched
    int8_t *is_dirty        # [crews] changed since the best plan
    int8_t *is_ruined
    int32_t touches
    int32_t *line           # [4 * ROOM] tasks of two routes, as they were and as they will be
    Route *old              # [crews] routes before this step
    Route *best             # [crews]
    Place *cache            # [tasks][crews]
    Reserve *reserve        # NULL: no calls are foreseen


cdef uint64_t roll(Search *s) noexcept nogil
cdef int32_t below(Search *s, int32_t n) noexcept nogil
cdef bint chance(Search *s, int32_t of_1024) noexcept nogil
cdef void touch(Search *s, int32_t k) noexcept nogil
cdef void assign(Search *s, int32_t task, int32_t k) noexcept nogil
cdef void into_bank(Search *s, int32_t task) noexcept nogil
cdef void refill(Search *s, int32_t k, const int32_t *tasks, int32_t n) noexcept nogil
cdef void recreate(Search *s, int32_t banned, int32_t order) noexcept nogil
cdef int64_t plan_cost(const Search *s) noexcept nogil
cdef void keep_best(Search *s) noexcept nogil
cdef void clear_step(Search *s) noexcept nogil
