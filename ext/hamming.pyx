# cython: autotestdict=False
"""Every stored 256-bit hash within 31 bits of a given one: exact, by postings of sixteen bands.

Of 31 differing bits dealt to 16 bands of a ring, some band i differs in at most one bit, bands i and i + 1 together in
at most three, and so on (J. Qin, C. Xiao: Pigeonring, PVLDB 12, 2018; multi-index hashing: M. Norouzi, A. Punjani,
D. Fleet, CVPR 2012). So each band's postings are looked up under 17 values, and beside each posting stand the two
neighbouring bands: the next one must differ in at most three bits together with this one, and the one before in more
than one, or else the same hash is found from there. What is left is compared in full. If the lists are so long that
looking at every hash is cheaper, every hash is looked at: that bounds the worst query.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free

import numpy as np

RADIUS = 31

cdef enum:
    BYTES = 32
    BANDS = 16
    VALUES = 65536
    MOST_SPARE = 1 << 18  # keys whose room is kept for the next search


cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif
    #define HEATOPS_INLINE static inline __attribute__((always_inline))
    #define HEATOPS_BLOCK 64
    #define HEATOPS_ROOM 256

    typedef struct { uint64_t *key; size_t n, room; } heatops_found;

    HEATOPS_INLINE int heatops_push(heatops_found *found, uint64_t key)
    {
        if (found->n == found->room) {
            const size_t room = found->room ? 2 * found->room : 64;
            uint64_t *more = (uint64_t *)realloc(found->key, room * sizeof *more);
            if (!more) return -1;
            found->key = more;
            found->room = room;
        }
        found->key[found->n++] = key;
        return 0;
    }

    HEATOPS_INLINE int heatops_distance(const uint64_t *a, const uint64_t *b)
    {
        return __builtin_popcountll(a[0] ^ b[0]) + __builtin_popcountll(a[1] ^ b[1])
             + __builtin_popcountll(a[2] ^ b[2]) + __builtin_popcountll(a[3] ^ b[3]);
    }

    /* The hash with its bits dealt anew: as 16 rows of a PDQ transform each band takes one bit of every row and of
       every column, so that what is alike in many photos (a dark row, a plain column) thins every band alike. */
    static void heatops_deal(const uint8_t *hash, uint64_t *out)
    {
        uint16_t w[16];
        memcpy(w, hash, sizeof w);
        for (int i = 0; i < 16; i++) w[i] = (uint16_t)(w[i] >> i | (uint32_t)w[i] << (16 - i));
        uint32_t mask = 0x00ff;
        for (int j = 8; j; j >>= 1, mask ^= mask << j)
            for (int k = 0; k < 16; k = ((k | j) + 1) & ~j) {
                const uint32_t t = ((uint32_t)(w[k] >> j) ^ w[k | j]) & mask;
                w[k | j] ^= (uint16_t)t;
                w[k] ^= (uint16_t)(t << j);
            }
        memcpy(out, w, sizeof w);
    }

    /* Look at every hash from one number up to another. */
    HEATOPS_WIDE
    static int heatops_scan(const uint64_t *rows, const uint8_t *gone, uint32_t from, uint32_t to,
                            const uint64_t *query, int radius, heatops_found *found)
    {
        for (size_t i = from; i < to; i++) {
            const int d = heatops_distance(rows + 4 * i, query);
            if (d <= radius && !gone[i] && heatops_push(found, (uint64_t)d << 32 | i)) return -1;
        }
        return 0;
    }

    /* Compare m hashes, whose places among a band's postings are given, in full. */
    HEATOPS_INLINE int heatops_compare(uint32_t *at, size_t m, const uint32_t *id, const uint64_t *rows,
                                       const uint8_t *gone, const uint64_t *query, int radius, heatops_found *found)
    {
        for (size_t j = 0; j < m; j++) __builtin_prefetch(id + at[j]);
        for (size_t j = 0; j < m; j++) {
            at[j] = id[at[j]];
            __builtin_prefetch(rows + 4 * (size_t)at[j]);
        }
        for (size_t j = 0; j < m; j++) {
            const int d = heatops_distance(rows + 4 * (size_t)at[j], query);
            if (d <= radius && !gone[at[j]] && heatops_push(found, (uint64_t)d << 32 | at[j])) return -1;
        }
        return 0;
    }

    /* Everything within the radius that the postings hold, some of it from several bands. 1: there is too much to look
       at, scan instead. */
    HEATOPS_WIDE
    static int heatops_search(const uint32_t *starts, const uint32_t *guards, const uint32_t *ids, size_t n,
                              const uint64_t *rows, const uint8_t *gone, const uint64_t *query, int radius,
                              heatops_found *found)
    {
        const uint16_t *q = (const uint16_t *)query;
        uint32_t low[272], high[272], at[HEATOPS_ROOM];
        size_t all = 0, compared = 0;
        for (int p = 0; p < 272; p++) {
            const int band = p / 17, k = p % 17;
            const uint32_t *start = starts + (size_t)band * 65537 + (q[band] ^ (k ? 1u << (k - 1) : 0u));
            low[p] = start[0];
            high[p] = start[1];
            all += high[p] - low[p];
            __builtin_prefetch(guards + band * n + low[p]);
        }
        if (all > n / 4 + 4096) return 1;
        for (int band = 0; band < 16; band++) {
            const uint32_t *guard = guards + band * n, *id = ids + band * n;
            const uint32_t around = (uint32_t)q[(band + 15) & 15] << 16 | q[(band + 1) & 15];
            const uint32_t whole = band == 0;
            size_t m = 0;
            for (int k = 0; k < 17; k++) {
                const uint32_t keep = k ? 0xffffffffu : 0u, end = high[band * 17 + k];
                for (uint32_t i = low[band * 17 + k], size; i < end; i += size) {
                    uint32_t hit[HEATOPS_BLOCK], any = 0;
                    size = end - i < HEATOPS_BLOCK ? end - i : HEATOPS_BLOCK;
                    for (uint32_t j = 0; j < size; j++) {
                        const uint32_t x = guard[i + j] ^ around, last = x >> 16;
                        uint32_t next = x & 0xffff;
                        next &= next - 1;
                        next &= next - 1;
                        next &= (next - 1) | keep;
                        hit[j] = (next == 0) & (((last & (last - 1)) != 0) | whole);
                        any |= hit[j];
                    }
                    if (!any) continue;
                    for (uint32_t j = 0; j < size; j++) {
                        at[m] = i + j;
                        m += hit[j];
                    }
                    if (m + HEATOPS_BLOCK < HEATOPS_ROOM) continue;
                    if ((compared += m) > n / 32 + 4096) return 1;
                    if (heatops_compare(at, m, id, rows, gone, query, radius, found)) return -1;
                    m = 0;
                }
            }
            compared += m;
            if (heatops_compare(at, m, id, rows, gone, query, radius, found)) return -1;
        }
        return 0;
    }

    /* Postings of one band by counting; `start` has 65,537 places. */
    static void heatops_post(const uint64_t *rows, const uint8_t *gone, uint32_t count, int band, uint32_t *start,
                             uint32_t *guard, uint32_t *id)
    {
        const uint16_t *w = (const uint16_t *)rows;
        memset(start, 0, 65537 * sizeof *start);
        for (size_t i = 0; i < count; i++) start[w[16 * i + band]] += !gone[i];
        uint32_t sum = 0;
        for (int v = 0; v <= 65536; v++) {
            const uint32_t size = v < 65536 ? start[v] : 0;
            start[v] = sum;
            sum += size;
        }
        for (size_t i = 0; i < count; i++) {
            if (gone[i]) continue;
            const uint16_t *row = w + 16 * i;
            const uint32_t place = start[row[band]]++;
            guard[place] = (uint32_t)row[(band + 15) & 15] << 16 | row[(band + 1) & 15];
            id[place] = (uint32_t)i;
        }
        memmove(start + 1, start, 65536 * sizeof *start); /* each had moved on to where the next begins */
        start[0] = 0;
    }
    """
    ctypedef struct Found "heatops_found":
        uint64_t* key
        size_t n
        size_t room

    void deal "heatops_deal" (const uint8_t* hash, uint64_t* out) noexcept nogil
    int scan "heatops_scan" (
        const uint64_t* rows, const uint8_t* gone, uint32_t first, uint32_t to, const uint64_t* query, int radius,
        Found* found,
    ) noexcept nogil
    int search_postings "heatops_search" (
        const uint32_t* starts, const uint32_t* guards, const uint32_t* ids, size_t n, const uint64_t* rows,
        const uint8_t* gone, const uint64_t* query, int radius, Found* found,
    ) noexcept nogil
    void post "heatops_post" (
        const uint64_t* rows, const uint8_t* gone, uint32_t count, int band, uint32_t* start, uint32_t* guard,
        uint32_t* ids,
    ) noexcept nogil


@cython.final
@cython.auto_pickle(False)
cdef class HashIndex:
    """Hashes of 32 bytes, numbered 0, 1, 2 ... as they are added, and every one within RADIUS bits of another.

    What was added since the last rebuild() is the tail and is looked at one by one, some 1 ns a hash; rebuild once it
    is more than about a sixteenth of all. Memory: 161 bytes a hash in the postings' range (32 of them the hash), 33 in
    the tail, and 4 MB; while a rebuild runs the old postings (128 a hash) stand beside the new ones. A rebuild and
    searches release the interpreter: other threads may search and add meanwhile. At most 2**32 - 1 hashes.
    """

    cdef object rows, gone  # uint64[room, 4], dealt; uint8[room]
    cdef Py_ssize_t count, lost
    cdef tuple base  # starts uint32[16, 65537], guards and ids uint32[16, n], the number they reach to
    cdef Found spare

    def __cinit__(self):
        self.rows, self.gone = np.empty((0, 4), np.uint64), np.empty(0, np.uint8)
        self.base = _postings(self.rows, self.gone, 0)

    def __dealloc__(self):
        free(self.spare.key)

    def __len__(self):
        return self.count - self.lost

    @property
    def tail(self):
        """How many were added since the last rebuild."""
        return self.count - <Py_ssize_t>self.base[3]

    @property
    def nbytes(self):
        """Memory in bytes."""
        return sum([part.nbytes for part in (self.rows, self.gone, *self.base[:3])])

    def add(self, const uint8_t[:, ::1] hashes not None):
        """Add hashes, uint8[n, 32]; returns the number of the first, the others follow it.

        Raises ValueError for another shape, OverflowError past 2**32 - 1 hashes.
        """
        cdef Py_ssize_t n = hashes.shape[0], first = self.count, room = self.rows.shape[0], i
        cdef uint64_t[:, ::1] rows
        if hashes.shape[1] != BYTES:
            raise ValueError("a hash has 32 bytes")
        if first + n >= 0xFFFFFFFF:
            raise OverflowError("an index holds at most 2**32 - 1 hashes")
        if first + n > room:
            room = max(first + n, room + room // 4, 1024)
            wider, more = np.empty((room, 4), np.uint64), np.zeros(room, np.uint8)
            wider[:first], more[:first] = self.rows[:first], self.gone[:first]
            self.rows, self.gone = wider, more
        rows = self.rows
        for i in range(n):
            deal(&hashes[i, 0], &rows[first + i, 0])
        self.count = first + n
        return first

    def remove(self, Py_ssize_t number):
        """The hash of this number is found no more. Raises KeyError if there is none (any more)."""
        cdef uint8_t[::1] gone = self.gone
        if number < 0 or number >= self.count or gone[number]:
            raise KeyError(number)
        gone[number] = 1
        self.lost += 1

    def rebuild(self):
        """Take the tail into the postings, and what was removed out of them. Numbers stay as they are."""
        self.base = _postings(self.rows, self.gone.copy(), self.count)

    def search(self, const uint8_t[::1] query not None, int radius=31):
        """Numbers int64[k] and distances int32[k] of all hashes within `radius` (0 to RADIUS) bits of one of 32 bytes.

        Nearest first, equally near by number. Raises ValueError for another radius or length.
        """
        if query.shape[0] != BYTES:
            raise ValueError("a hash has 32 bytes")
        if radius < 0 or radius > 31:
            raise ValueError("a radius is 0 to 31 bits")
        cdef const uint64_t[:, ::1] rows = self.rows
        cdef const uint8_t[::1] gone = self.gone
        cdef Py_ssize_t count = self.count, i, kept = 0
        base = self.base
        cdef const uint32_t[:, ::1] starts = base[0], guards = base[1], ids = base[2]
        cdef Py_ssize_t reach = base[3]
        cdef uint64_t dealt[4]
        cdef int failed = 0
        # the room of an earlier search, if nobody has it: fresh memory would cost more than the search
        cdef Found found = self.spare
        self.spare = Found(NULL, 0, 0)
        found.n = 0
        deal(&query[0], dealt)
        with nogil:
            if guards.shape[1]:
                failed = search_postings(
                    &starts[0, 0], &guards[0, 0], &ids[0, 0], guards.shape[1], &rows[0, 0], &gone[0], dealt, radius,
                    &found,
                )
                if failed > 0:
                    found.n = 0
                    failed = scan(&rows[0, 0], &gone[0], 0, <uint32_t>reach, dealt, radius, &found)
            if not failed and count > reach:
                failed = scan(&rows[0, 0], &gone[0], <uint32_t>reach, <uint32_t>count, dealt, radius, &found)
        try:
            if failed:
                raise MemoryError
            if found.n > 1:
                np.asarray(<uint64_t[:found.n]>found.key).sort()
            for i in range(<Py_ssize_t>found.n):
                if not kept or found.key[i] != found.key[kept - 1]:  # else from another band
                    found.key[kept] = found.key[i]
                    kept += 1
            numbers, distances = np.empty(kept, np.int64), np.empty(kept, np.int32)
            self._tell(&found, numbers, distances)
        finally:
            if self.spare.key == NULL and found.room <= MOST_SPARE:
                self.spare = found
            else:
                free(found.key)
        return numbers, distances

    cdef int _tell(self, const Found* found, int64_t[::1] numbers, int32_t[::1] distances) except -1:
        cdef Py_ssize_t i
        for i in range(numbers.shape[0]):
            numbers[i], distances[i] = <int64_t>(found.key[i] & 0xFFFFFFFFu), <int32_t>(found.key[i] >> 32)
        return 0


cdef tuple _postings(rows, gone, Py_ssize_t count):
    cdef Py_ssize_t kept = count - np.count_nonzero(gone[:count])
    # the rows of a removed hash stay: its number does
    starts, guards = np.zeros((BANDS, VALUES + 1), np.uint32), np.empty((BANDS, kept), np.uint32)
    ids = np.empty((BANDS, kept), np.uint32)
    cdef const uint64_t[:, ::1] hashes = rows
    cdef const uint8_t[::1] lost = gone
    cdef uint32_t[:, ::1] s = starts, g = guards, d = ids
    cdef int band
    if kept:
        with nogil:
            for band in range(BANDS):
                post(&hashes[0, 0], &lost[0], <uint32_t>count, band, &s[band, 0], &g[band, 0], &d[band, 0])
    return starts, guards, ids, count
