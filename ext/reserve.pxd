"""What a plan keeps in reserve for calls that are foreseen but not known yet."""

from libc.stdint cimport int32_t, int64_t, uint64_t

from ext.routes cimport Model, Route


# Of n foreseen calls; n is a multiple of 8, the last ones are made up and cost nothing.
cdef struct Reserve:
    int32_t n
    int32_t *leave          # [crews] of 1024: where between its earliest and latest good time a crew leaves
    int32_t keen            # of 1024: how much of the time counts that a call adds to the plan
    int64_t share           # cost of a tick, in 1 / 65536
    int64_t value           # of the plan worked on, in cost
    int64_t best            # of the best plan
    int32_t *to             # [places + 1][n] travel to the call
    int32_t *back           # [places + 1][n] travel from it
    int32_t *known          # [n] when it becomes known
    int32_t *opens
    int32_t *closes
    int32_t *service
    int32_t *loss           # [n] ticks: nobody can come
    int32_t *barred         # [crews][n] 0, or more than every loss
    uint64_t *tools         # [n]
    uint64_t *parts         # [n][part_words]
    int32_t *row            # [crews][n] ticks the call adds to that crew's route, at most its loss
    int32_t *old            # [crews][n] before this step
    int32_t *line           # [2 * n] room for one route, and for the least of all


cdef int32_t sets_out(const Model *m, const Reserve *v, const Route *r, int32_t k) noexcept nogil
cdef void price_calls(const Model *m, Reserve *v, int32_t k) noexcept nogil
cdef void keep_row(Reserve *v, int32_t k) noexcept nogil
cdef void put_back(Reserve *v, int32_t k) noexcept nogil
cdef int64_t reserve_value(const Model *m, const Reserve *v) noexcept nogil
