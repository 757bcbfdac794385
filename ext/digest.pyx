# cython: autotestdict=False
"""The hash of a topic: two 32-bit lanes, each a sum over the rows, so that a row goes in or out in O(1)."""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL

cdef uint32_t _SEED_1 = 0x811C9DC5u
cdef uint32_t _SEED_2 = 0x9E3779B9u
cdef uint32_t _PRIME = 0x01000193u
cdef uint64_t _HIGH = 0xFFFFFFFF00000000u


cdef inline uint32_t _finish(uint32_t h) noexcept nogil:
    h ^= h >> 16
    h *= 0x85EBCA6Bu
    h ^= h >> 13
    h *= 0xC2B2AE35u
    return h ^ (h >> 16)


cdef inline uint64_t _add(uint64_t a, uint64_t b) noexcept nogil:
    # The upper lane may wrap away; the lower one must not carry into it.
    return ((a & _HIGH) + (b & _HIGH)) | <uint32_t>(<uint32_t>a + <uint32_t>b)


cdef uint64_t _row(str key, uint64_t version) except? 0:
    cdef Py_ssize_t size = 0
    cdef const char* text = PyUnicode_AsUTF8AndSize(key, &size)
    cdef unsigned char digits[20]
    cdef int first = 20
    cdef uint32_t a = _SEED_1, b = _SEED_2
    cdef Py_ssize_t i
    for i in range(size):
        a = (a ^ <unsigned char>text[i]) * _PRIME
        b = (b ^ <unsigned char>text[i]) * _PRIME
    # The separating NUL: x ^ 0 is x, so only the multiplication is left of it.
    a *= _PRIME
    b *= _PRIME
    while True:
        first -= 1
        digits[first] = <unsigned char>(48 + version % 10)
        version //= 10
        if version == 0:
            break
    for i in range(first, 20):
        a = (a ^ digits[i]) * _PRIME
        b = (b ^ digits[i]) * _PRIME
    return (<uint64_t>_finish(a) << 32) | _finish(b)


def row_hash(str key not None, uint64_t version):
    """Hash of one row: lane 1 in the upper 32 bits, lane 2 in the lower.

    `version` is 0 to 2**64 - 1, else OverflowError. A key that is no UTF-8 (a lone surrogate) raises UnicodeEncodeError.
    """
    return _row(key, version)


def add(uint64_t a, uint64_t b):
    """Lane-wise a + b, each lane mod 2**32."""
    return _add(a, b)


def sub(uint64_t a, uint64_t b):
    """Lane-wise a - b, each lane mod 2**32."""
    return ((a & _HIGH) - (b & _HIGH)) | <uint32_t>(<uint32_t>a - <uint32_t>b)


def sum_rows(keys, versions):
    """Hash of a whole topic: the lane-wise sum of row_hash over equally long sequences; of none it is 0.

    Raises ValueError when the lengths differ, and what row_hash raises.
    """
    if len(keys) != len(versions):
        raise ValueError("keys and versions differ in length")
    cdef uint64_t total = 0
    for key, version in zip(keys, versions):
        total = _add(total, _row(key, version))
    return total
