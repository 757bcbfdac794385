# cython: autotestdict=False
"""PDQ, the perceptual hash of a photo: 256 bits and a quality, for all eight flips and turns from one transform.

The PDQ paper is "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019) with the
reference code in facebook/ThreatExchange. There a tent filter (two passes of a box along rows and columns, W. Jarosz:
Fast Image Convolutions, 2001) runs over the whole image and 64 x 64 of its values are kept. Both axes are linear and
separate, so here each kept value is one weighted sum of the pixels it depends on, and nothing else is computed.
Sums run in one fixed order in IEEE floats and the cosines are our own, so that every machine computes the same bits.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport calloc, free

DIHEDRAL = ("as it is", "rotate 90", "rotate 180", "rotate 270", "flip x", "flip y", "flip plus", "flip minus")

cdef enum:
    SIDE = 64   # the small image
    BAND = 16   # frequencies of each axis that make the hash
    LEAST = 5   # pixels a side, as in the reference


cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    /* One build for every x86-64: glibc picks the widest vectors the processor has when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    #define HEATOPS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define HEATOPS_WIDE
    #endif

    /* Four rows of pixels onto a row of sums. */
    HEATOPS_WIDE
    static void heatops_blend(const uint8_t *restrict a, const uint8_t *restrict b, const uint8_t *restrict c,
                              const uint8_t *restrict d, const float *w, ptrdiff_t n, float *restrict out)
    {
        const float wa = w[0], wb = w[1], wc = w[2], wd = w[3];
        for (ptrdiff_t j = 0; j < n; j++)
            out[j] = (((out[j] + wa * (float)a[j]) + wb * (float)b[j]) + wc * (float)c[j]) + wd * (float)d[j];
    }

    /* Frequencies 1 to 16 of both axes of a 64 x 64 image; `turned` is the transform's matrix by columns. */
    HEATOPS_WIDE
    static void heatops_dct(const float *restrict image, const float *restrict matrix, const float *restrict turned,
                            float *restrict out)
    {
        for (int i = 0; i < 16; i++) {
            float half[64] = {0};
            for (int k = 0; k < 64; k++) {
                const float d = matrix[i * 64 + k];
                for (int j = 0; j < 64; j++) half[j] += d * image[k * 64 + j];
            }
            float line[16] = {0};
            for (int k = 0; k < 64; k++)
                for (int j = 0; j < 16; j++) line[j] += half[k] * turned[k * 16 + j];
            memcpy(out + i * 16, line, sizeof line);
        }
    }

    /* The sum of steps between neighbours of a 64 x 64 image, each cut to a whole hundredth of the range. */
    HEATOPS_WIDE
    static int32_t heatops_steps(const float *restrict image)
    {
        int32_t sum = 0;
        for (int i = 0; i < 63 * 64; i++) {
            const int32_t d = (int32_t)((image[i] - image[i + 64]) * 100.0f / 255.0f);
            sum += d < 0 ? -d : d;
        }
        for (int i = 0; i < 64; i++)
            for (int j = 0; j < 63; j++) {
                const int32_t d = (int32_t)((image[i * 64 + j] - image[i * 64 + j + 1]) * 100.0f / 255.0f);
                sum += d < 0 ? -d : d;
            }
        return sum;
    }

    /* Which frequencies are above the lower median of all 256, one byte each, where those have the other sign whose
       row (if `rows`) and column (if `columns`) and `even` together are odd. */
    HEATOPS_WIDE
    static void heatops_above(const float *restrict band, int rows, int columns, int even, uint8_t *restrict above)
    {
        uint32_t key[256], median = 0;
        for (int i = 0; i < 256; i++) {
            const int other = (((i >> 4) & rows) ^ (i & columns) ^ even) & 1;
            const float value = other ? 0.0f - band[i] : 0.0f + band[i]; /* never -0 */
            uint32_t bits;
            memcpy(&bits, &value, 4);
            key[i] = bits ^ ((bits >> 31) ? 0xffffffffu : 0x80000000u); /* in the order of the floats */
        }
        for (int bit = 31; bit >= 0; bit--) {
            const uint32_t trial = median | (1u << bit);
            int32_t below = 0;
            for (int i = 0; i < 256; i++) below += key[i] < trial;
            median = below <= 127 ? trial : median;
        }
        for (int i = 0; i < 256; i++) above[i] = key[i] > median;
    }
    """
    void heatops_blend(
        const uint8_t* a, const uint8_t* b, const uint8_t* c, const uint8_t* d, const float* w, Py_ssize_t n, float* out,
    ) noexcept nogil
    void heatops_dct(const float* image, const float* matrix, const float* turned, float* out) noexcept nogil
    int32_t heatops_steps(const float* image) noexcept nogil
    void heatops_above(const float* band, int rows, int columns, int even, uint8_t* above) noexcept nogil


cdef float matrix[BAND * SIDE]
cdef float turned[SIDE * BAND]


cdef double _cosine(int steps) noexcept:
    # Of pi / 128 * steps: Taylor's series within an eighth of a turn, the rest by symmetry.
    cdef double u, q, term = 1.0, total = 0.0
    cdef int k, odd
    steps %= 256
    if steps > 128:
        steps = 256 - steps
    if steps > 64:
        return -_cosine(128 - steps)
    odd = steps > 32  # then the sine of what is left to a quarter turn
    u = (64 - steps if odd else steps) * (3.14159265358979323846 / 128.0)
    q = u * u
    if odd:
        term = u
    for k in range(12):
        total += term
        term *= -q / ((2 * k + 1 + odd) * (2 * k + 2 + odd))
    return total


cdef int _prepare() except -1:
    cdef int i, j
    cdef float scale = <float>0.17677669529663688  # the square root of 2 / 64
    for i in range(BAND):
        for j in range(SIDE):
            matrix[i * SIDE + j] = turned[j * BAND + i] = <float>(scale * _cosine((i + 1) * (2 * j + 1)))
    return 0


_prepare()


cdef struct Axis:
    # How the 64 values of one axis are made of its pixels.
    Py_ssize_t room    # of each value, for weights
    Py_ssize_t* first  # pixel
    Py_ssize_t* count  # of pixels
    float* weights


cdef Axis _axis(Py_ssize_t pixels) noexcept nogil:
    # Two passes of a box whose ends are cut off at the border, as in the reference, at the 64 places that are kept.
    cdef Py_ssize_t window = (pixels + 2 * SIDE - 1) // (2 * SIDE), ahead = (window + 2) // 2 - 1
    cdef Py_ssize_t behind = window - 1 - ahead, s, place, low, high, o, p, lo, hi
    cdef double share
    cdef double* sums
    cdef Axis axis
    axis.room = 2 * window + 3  # up to three more than are used: pixels go in fours
    axis.first = <Py_ssize_t*>calloc(2 * SIDE, sizeof(Py_ssize_t))
    axis.count = axis.first + SIDE
    axis.weights = <float*>calloc(SIDE * axis.room, sizeof(float))
    sums = <double*>calloc(axis.room, sizeof(double))
    if axis.first == NULL or axis.weights == NULL or sums == NULL:
        free(axis.weights)
        axis.weights = NULL
    else:
        for s in range(SIDE):
            place = (2 * s + 1) * pixels // (2 * SIDE)
            low, high = max(0, place - behind), min(pixels - 1, place + ahead)
            axis.first[s] = max(0, low - behind)
            axis.count[s] = min(pixels - 1, high + ahead) - axis.first[s] + 1
            for p in range(axis.count[s]):
                sums[p] = 0.0
            for o in range(low, high + 1):
                lo, hi = max(0, o - behind), min(pixels - 1, o + ahead)
                share = 1.0 / (<double>(high - low + 1) * <double>(hi - lo + 1))
                for p in range(lo - axis.first[s], hi - axis.first[s] + 1):
                    sums[p] += share
            for p in range(axis.count[s]):
                axis.weights[s * axis.room + p] = <float>sums[p]
    free(sums)
    return axis


cdef int _small(const uint8_t* grey, Py_ssize_t height, Py_ssize_t width, float* image) noexcept nogil:
    # The 64 x 64 image; -1 without memory.
    cdef Axis rows = _axis(height), columns = _axis(width)
    cdef float* line = <float*>calloc(width, sizeof(float))
    cdef const float* weights
    cdef const uint8_t* at[4]
    cdef Py_ssize_t s, t, k, i
    cdef float total
    cdef int failed = rows.weights == NULL or columns.weights == NULL or line == NULL
    if not failed:
        for s in range(SIDE):
            for i in range(width):
                line[i] = 0.0
            for k in range(0, rows.count[s], 4):
                for i in range(4):  # past the last row the weight is 0
                    at[i] = grey + (rows.first[s] + min(k + i, rows.count[s] - 1)) * width
                heatops_blend(at[0], at[1], at[2], at[3], rows.weights + s * rows.room + k, width, line)
            for t in range(SIDE):
                weights = columns.weights + t * columns.room
                total = 0.0
                for k in range(columns.count[t]):
                    total += weights[k] * line[columns.first[t] + k]
                image[s * SIDE + t] = total
    free(line)
    free(rows.first)
    free(rows.weights)
    free(columns.first)
    free(columns.weights)
    return -failed


cdef int _band(const uint8_t* grey, Py_ssize_t height, Py_ssize_t width, float* band) noexcept nogil:
    # The 16 x 16 frequencies; returns the quality, or -1 without memory.
    cdef float image[SIDE * SIDE]
    if _small(grey, height, width, image) < 0:
        return -1
    heatops_dct(image, matrix, turned, band)
    return min(100, heatops_steps(image) // 90)


cdef void _pack(const uint8_t* above, bint transposed, uint8_t* out) noexcept nogil:
    # Bit i * 16 + j stands for row i and column j, the highest first.
    cdef int byte, k, bit, word
    for byte in range(32):
        word = 0
        for k in range(8):
            bit = 255 - byte * 8 - k
            word = word << 1 | (above[(bit & 15) << 4 | bit >> 4] if transposed else above[bit])
        out[byte] = <uint8_t>word


cdef int _check(const uint8_t[:, ::1] grey) except -1:
    if grey.shape[0] < LEAST or grey.shape[1] < LEAST:
        raise ValueError("the image must have at least 5 x 5 pixels")
    if grey.shape[0] > 0x7FFFFFF or grey.shape[1] > 0x7FFFFFF:
        raise ValueError("the image is too large")
    return 0


def pdq_hash(const uint8_t[:, ::1] grey not None):
    """The hash (32 bytes; `.hex()` is how others write it) and the quality (0 to 100) of a grey image uint8[h, w].

    Raises ValueError for less than 5 pixels a side.
    """
    _check(grey)
    cdef float band[BAND * BAND]
    cdef uint8_t above[256]
    cdef uint8_t out[32]
    cdef int quality
    with nogil:
        quality = _band(&grey[0, 0], grey.shape[0], grey.shape[1], band)
        if quality >= 0:
            heatops_above(band, 0, 0, 0, above)
            _pack(above, False, out)
    if quality < 0:
        raise MemoryError
    return out[:32], quality


def pdq_dihedral(const uint8_t[:, ::1] grey not None):
    """The hashes of an image and its seven flips and turns, in the order of DIHEDRAL, and its quality.

    Image and errors as in pdq_hash, which gives the first of them. Turning an image turns its transform: frequencies
    change rows for columns, and odd or even ones their sign; only the median is looked for anew.
    """
    _check(grey)
    cdef float band[BAND * BAND]
    cdef uint8_t above[256]
    cdef uint8_t out[8][32]
    cdef int quality
    with nogil:
        quality = _band(&grey[0, 0], grey.shape[0], grey.shape[1], band)
        if quality >= 0:
            heatops_above(band, 0, 0, 0, above)
            _pack(above, False, out[0])
            _pack(above, True, out[6])
            heatops_above(band, 0, 1, 1, above)
            _pack(above, True, out[1])
            _pack(above, False, out[5])
            heatops_above(band, 1, 1, 0, above)
            _pack(above, False, out[2])
            _pack(above, True, out[7])
            heatops_above(band, 1, 0, 1, above)
            _pack(above, True, out[3])
            _pack(above, False, out[4])
    if quality < 0:
        raise MemoryError
    return tuple([out[k][:32] for k in range(8)]), quality
