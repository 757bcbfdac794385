# cython: autotestdict=False
"""Ruin and recreate under simulated annealing, in integers only.

Ruins are adjacent strings of Christiaens and Vanden Berghe, "Slack induction by string removals for vehicle routing
problems", Transportation Science 54 (2020), by place or by time and place (Shaw 1998), whole routes, an exchange of two
crews' routes, and 2-opt* (Potvin and Rousseau 1995): an exchange of two tails. A string of one is a relocation, two of
them a swap. The logarithm of the acceptance rule is found bit by bit, so that every machine accepts the same plans.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

from ext.reserve cimport keep_row, price_calls, put_back, reserve_value
from ext.routes cimport Model, Route, build, copy_route, settle, take_out
from ext.search cimport (
    Search, assign, below, chance, clear_step, into_bank, keep_best, recreate, refill, roll, touch,
)

cdef enum:
    ORDERS = 13
    MOST_OUT = 12       # tasks without a crew that one step tries beyond those it meets
    COOLING = 32        # steps between two temperatures

# 2 ** (2 ** -i) for i = 1 ... 16, in units of 2 ** -31.
cdef uint64_t* ROOTS = [
    3037000500, 2553802834, 2341847524, 2242560872, 2194507417, 2170868212, 2159144272, 2153306067,
    2150392887, 2148937775, 2148210589, 2147847087, 2147665360, 2147574502, 2147529075, 2147506361,
]


cdef int64_t _log2(uint64_t x) noexcept nogil:
    """log2(x) of 1 <= x < 2**63, in units of 1 / 65536, rounded down."""
    cdef int64_t whole = 0
    cdef int32_t i
    cdef uint64_t y = x
    while y > 1:
        y >>= 1
        whole += 1
    y = x << (31 - whole) if whole <= 31 else x >> (whole - 31)
    for i in range(16):
        y = (y * y) >> 31
        whole <<= 1
        if y >> 32:
            y >>= 1
            whole += 1
    return whole


cdef int64_t log2_of_ratio(int64_t hot, int64_t cold) noexcept nogil:
    """log2(hot / cold) in units of 1 / 65536."""
    return _log2(<uint64_t>hot) - _log2(<uint64_t>cold)


cdef int64_t _temperature(const Search *s) noexcept nogil:
    """cold * (hot / cold) ** (1 - done / budget), in 1 / 256 of the cost's unit."""
    cdef int64_t left = s.budget - s.done if s.done < s.budget else 0
    # In steps of 1 / 65536 of the budget: the product stays far below 2 ** 63.
    cdef int64_t exponent = s.ratio * (left * 65536 // s.budget) >> 16
    cdef uint64_t scaled = <uint64_t>1 << 31
    cdef int32_t i
    for i in range(16):
        if exponent >> (15 - i) & 1:
            scaled = (scaled * ROOTS[i]) >> 31
    return (s.cold << (8 + (exponent >> 16))) * <int64_t>(scaled >> 15) >> 16


cdef void _strings(Search *s, int32_t seed, int32_t strings, int64_t longest, bint by_time) noexcept nogil:
    """Remove strings of visits near the seed, one from each of so many routes. `longest` is in 1 / 65536."""
    cdef Model *m = s.m
    cdef const int32_t *near = (s.by_time if by_time else s.by_place) + <Py_ssize_t>seed * s.near
    cdef Route *r
    cdef int32_t a, c, k, at, size, spared, span, low, high, begin, hole, i, task, cut = 0, met = 0
    cdef int64_t most
    for a in range(s.near):
        if cut >= strings:
            break
        c = near[a]
        k = s.crew_of[c]
        if s.locked[c]:
            continue
        if k < 0:
            if met < MOST_OUT:
                met += 1
                into_bank(s, c)
            continue
        if s.is_ruined[k]:
            continue
        s.is_ruined[k] = True
        cut += 1
        touch(s, k)
        r = &m.route[k]
        at = r.frozen
        while r.visit[at] != c:
            at += 1
        size = r.n - r.frozen
        most = <int64_t>size << 16
        if most > longest:
            most = longest
        size = <int32_t>((65536 + <int64_t>((roll(s) >> 32) * <uint64_t>most >> 32)) >> 16)
        if size > r.n - r.frozen:
            size = r.n - r.frozen
        spared = 0
        if 1 < size < r.n - r.frozen and chance(s, s.set.split):
            spared = 1
            while size + spared < r.n - r.frozen and chance(s, 512):
                spared += 1
        span = size + spared
        low = at - span + 1
        if low < r.frozen:
            low = r.frozen
        high = at if at < r.n - span else r.n - span
        begin = low + below(s, high - low + 1)
        hole = begin + below(s, size + 1) if spared else begin
        i = begin + span - 1
        while i >= begin:
            task = r.visit[i]
            if task < m.tasks and (task == c or not hole <= i < hole + spared):
                take_out(r, i)
                assign(s, task, -1)
                into_bank(s, task)
            i -= 1
    for a in range(s.touches):
        s.is_ruined[s.touched[a]] = False


cdef void _empty(Search *s, int32_t k) noexcept nogil:
    """All tasks of the route but the frozen ones go to the bank."""
    cdef Route *r = &s.m.route[k]
    cdef int32_t i = r.n - 1, task
    touch(s, k)
    while i >= r.frozen:
        task = r.visit[i]
        if task < s.m.tasks:
            take_out(r, i)
            assign(s, task, -1)
            into_bank(s, task)
        i -= 1


cdef int32_t _lift(Search *s, int32_t k, int32_t first, int32_t *line) noexcept nogil:
    """The tasks of the route from position `first` on, in order, now without a crew; returns how many."""
    cdef Route *r = &s.m.route[k]
    cdef int32_t i, n = 0
    for i in range(first, r.n):
        if r.visit[i] < s.m.tasks:
            line[n] = r.visit[i]
            n += 1
            assign(s, r.visit[i], -1)
    return n


cdef bint _exchange(Search *s, int32_t seed) noexcept nogil:
    """The seed's crew and another one exchange all their tasks."""
    cdef int32_t a = s.crew_of[seed], b = below(s, s.m.crews), n
    if a < 0 or a == b or s.m.crew[b].closed:
        return False
    touch(s, a)
    touch(s, b)
    n = _lift(s, a, s.m.route[a].frozen, s.line)
    refill(s, a, s.line + n, _lift(s, b, s.m.route[b].frozen, s.line + n))
    refill(s, b, s.line, n)
    return True


cdef bint _tails(Search *s, int32_t seed) noexcept nogil:
    """2-opt*: what follows the seed in its route and what begins with a near task in another route change places."""
    cdef Model *m = s.m
    cdef int32_t other = s.by_time[<Py_ssize_t>seed * s.near + below(s, s.near if s.near < 24 else 24)]
    cdef int32_t a = s.crew_of[seed], b = s.crew_of[other], i, j, heads, n, tail
    cdef Route *r
    if a < 0 or b < 0 or a == b or s.locked[seed] or s.locked[other]:
        return False
    touch(s, a)
    touch(s, b)
    # The line is: head of a, tail of b, head of b, tail of a.
    r = &m.route[a]
    i = 0
    heads = 1
    for j in range(r.frozen, r.n):
        if r.visit[j] == seed:
            break
        heads += r.visit[j] < m.tasks
    n = _lift(s, a, r.frozen, s.line)
    r = &m.route[b]
    tail = 0
    for j in range(r.frozen, r.n):
        if r.visit[j] == other:
            break
        tail += r.visit[j] < m.tasks
    i = _lift(s, b, r.frozen, s.line + n)
    # s.line: a's n tasks, then b's i tasks; spare room behind them takes the two new lines.
    for j in range(heads):
        s.line[n + i + j] = s.line[j]
    for j in range(tail, i):
        s.line[n + i + heads + j - tail] = s.line[n + j]
    refill(s, a, s.line + n + i, heads + i - tail)
    for j in range(tail):
        s.line[n + i + j] = s.line[n + j]
    for j in range(heads, n):
        s.line[n + i + tail + j - heads] = s.line[j]
    refill(s, b, s.line + n + i, tail + n - heads)
    return True


cdef int32_t _ruin(Search *s) noexcept nogil:
    """Take tasks out; returns the crew that takes none this time, -1: all do."""
    cdef int32_t seed = s.live[below(s, s.lives)], banned = -1, k, i, tasks = 0, used = 0, strings
    cdef int64_t longest
    cdef bint whole = False, swapped = False
    if s.outs:
        if s.outs <= MOST_OUT:
            for i in range(s.outs):
                into_bank(s, s.out[i])
        else:
            for i in range(MOST_OUT // 4):
                into_bank(s, s.out[below(s, s.outs)])
        if chance(s, 512):
            seed = s.out[below(s, s.outs)]
            into_bank(s, seed)
    for k in range(s.m.crews):
        tasks += s.m.route[k].tasks
        if s.m.route[k].tasks:
            used += 1
            s.idle[k >> 6] &= ~(<uint64_t>1 << (k & 63))
        else:
            s.idle[k >> 6] |= <uint64_t>1 << (k & 63)
    if chance(s, s.set.exchange):
        swapped = _exchange(s, seed)
    elif chance(s, s.set.tails):
        swapped = _tails(s, seed)
    elif chance(s, s.set.whole_route) and s.crew_of[seed] >= 0:
        k = s.crew_of[seed]
        _empty(s, k)
        whole = True
        if chance(s, s.set.ban):
            banned = k
    longest = <int64_t>s.set.longest << 16
    if used and (<int64_t>tasks << 16) // used < longest:
        longest = (<int64_t>tasks << 16) // used
    if longest < 65536:
        longest = 65536
    strings = <int32_t>((<int64_t>4 * s.set.strings << 32) // (65536 + longest) - 65536)
    strings = 1 + <int32_t>((roll(s) >> 32) * <uint64_t>(strings if strings > 0 else 0) >> 48)
    if whole:
        strings = (strings + 1) // 2
    if swapped:
        strings = below(s, 2)
    _strings(s, seed, strings, longest, chance(s, s.set.by_time))
    for i in range(s.touches):
        build(s.m, s.touched[i], &s.m.route[s.touched[i]])
        settle(s.m, s.touched[i])
    return banned


cdef void _undo(Search *s) noexcept nogil:
    cdef int32_t i
    for i in range(s.touches):
        copy_route(&s.m.route[s.touched[i]], &s.old[s.touched[i]])
    i = s.moves - 1
    while i >= 0:
        # assign() writes its own journal entry behind; the step ends here, so nobody reads it.
        assign(s, s.moved[i].task, s.moved[i].crew)
        s.moves = i
        i -= 1


cdef int64_t _with_reserve(Search *s, int64_t cost, int64_t bound) noexcept nogil:
    """The cost with what the changed plan keeps in reserve; not asked where the cost is out of bounds without."""
    cdef int64_t value
    cdef int32_t i
    cost -= s.reserve.value
    if cost >= bound:
        return cost
    for i in range(s.touches):
        keep_row(s.reserve, s.touched[i])
        price_calls(s.m, s.reserve, s.touched[i])
    value = reserve_value(s.m, s.reserve)
    cost += value
    if cost < bound:
        s.reserve.value = value
    else:
        for i in range(s.touches):
            put_back(s.reserve, s.touched[i])
    return cost


cdef void anneal(Search *s, int64_t steps) noexcept nogil:
    """So many steps from the plan that stands; `s.best` keeps the best one."""
    cdef int64_t cost, bound, missing, slack, step
    cdef int32_t i, k, banned
    if s.lives == 0:
        s.done += steps
        return
    for step in range(steps):
        if s.done % COOLING == 0:
            s.temperature = _temperature(s)
        s.done += 1
        clear_step(s)
        missing = s.missing
        banned = _ruin(s)
        recreate(s, banned, ORDERS if chance(s, s.set.regret) else below(s, ORDERS))
        cost = s.cost + s.missing - missing
        for i in range(s.touches):
            k = s.touched[i]
            cost += s.m.route[k].cost - s.old[k].cost
        # Accepted if cost < s.cost - T ln(u), u in (0, 1): ln(u) = log2(u) ln 2, and 45426 / 65536 is ln 2.
        slack = (s.temperature * ((<int64_t>32 << 16) - _log2((roll(s) >> 32) | 1))) >> 16
        bound = s.cost + ((slack * 45426) >> 24)
        if s.reserve != NULL:
            cost = _with_reserve(s, cost, bound)
        if cost < bound:
            s.cost = cost
            for i in range(s.touches):
                s.is_dirty[s.touched[i]] = True
            if cost < s.best_cost:
                keep_best(s)
        else:
            _undo(s)
