"""Ruin and recreate under simulated annealing."""

from libc.stdint cimport int64_t

from ext.search cimport Search

cdef void anneal(Search *s, int64_t steps) noexcept nogil
cdef int64_t log2_of_ratio(int64_t hot, int64_t cold) noexcept nogil
