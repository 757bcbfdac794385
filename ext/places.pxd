"""Where a task would go in a route."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t

from ext.routes cimport Model

cdef enum:
    STORE_STAYS = -1
    STORE_AFTER = 1000      # added to the store's position where the task comes before it
    BREAK_AT = 2000         # added to the position of the break, which stood last, in the route without the task


cdef struct Place:
    int64_t delta           # what the task adds to the route, NEVER if it cannot be put in
    uint32_t version        # of the route that this is about
    int16_t at              # position of the task; if `store` tells, in the route without its store, or rested
    int16_t store           # STORE_STAYS, or where the store (or the break) goes in that route


cdef void cheapest_place(Model *m, int32_t k, int32_t task, Place *best) noexcept nogil
cdef void put_task(Model *m, int32_t k, int32_t task, const Place *place) noexcept nogil
