# cython: autotestdict=False
"""What every step of the planner's search is made of: moving tasks, and putting those of the bank back in.

Recreation is greedy insertion with blinks of Christiaens and Vanden Berghe, "Slack induction by string removals for
vehicle routing problems", Transportation Science 54 (2020), or regret-2 insertion of Ropke and Pisinger, "An adaptive
large neighborhood search heuristic for the pickup and delivery problem with time windows", ibid. 40 (2006).
Positions are remembered per task and route version, so that only routes that changed are looked at again.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from ext.places cimport Place, cheapest_place, put_task
from ext.routes cimport (
    NEVER, ROOM, Crew, Model, Route, build, copy_route, fits, may, price_at, put_in, settle, take_out,
)

cdef enum:
    FEW_CREWS = 64      # up to so many, every crew is asked about every task
    NEAR_ASKED = 40     # with more, the crews of so many nearest tasks

cdef extern from *:
    """
    static inline int heatops_lowest_bit(unsigned long long bits) { return __builtin_ctzll(bits); }
    """
    int heatops_lowest_bit(uint64_t bits) noexcept nogil


cdef uint64_t roll(Search *s) noexcept nogil:
    """xorshift64* (Vigna 2016)."""
    cdef uint64_t x = s.random
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    s.random = x
    return x * 2685821657736338717U


cdef int32_t below(Search *s, int32_t n) noexcept nogil:
    """A number from 0 to n - 1."""
    return <int32_t>(((roll(s) >> 32) * <uint64_t>n) >> 32)


cdef bint chance(Search *s, int32_t of_1024) noexcept nogil:
    return <int32_t>(roll(s) >> 54) < of_1024


cdef void touch(Search *s, int32_t k) noexcept nogil:
    """Remember the route of crew k as it was before this step."""
    if not s.is_touched[k]:
        s.is_touched[k] = True
        s.touched[s.touches] = k
        s.touches += 1
        copy_route(&s.old[k], &s.m.route[k])


cdef void assign(Search *s, int32_t task, int32_t k) noexcept nogil:
    """The task is now with crew k, or with none (-1); its route is the caller's."""
    cdef int32_t was = s.crew_of[task], before = s.m.before[task], last
    if was == k:
        return
    s.moved[s.moves].task = task
    s.moved[s.moves].crew = was
    s.moves += 1
    s.crew_of[task] = k
    if before >= 0:
        s.changes += (k >= 0 and k != before) - (was >= 0 and was != before)
    if was < 0:
        s.missing -= s.m.weight[task]
        s.outs -= 1
        last = s.out[s.outs]
        s.out[s.out_at[task]] = last
        s.out_at[last] = s.out_at[task]
    elif k < 0:
        s.missing += s.m.weight[task]
        s.out[s.outs] = task
        s.out_at[task] = s.outs
        s.outs += 1


cdef void into_bank(Search *s, int32_t task) noexcept nogil:
    if not s.in_bank[task]:
        s.in_bank[task] = True
        s.bank[s.banked] = task
        s.banked += 1


cdef void clear_step(Search *s) noexcept nogil:
    """Begin a step: nothing moved, an empty bank."""
    cdef int32_t i
    for i in range(s.touches):
        s.is_touched[s.touched[i]] = False
    for i in range(s.banked):
        s.in_bank[s.bank[i]] = False
    s.touches = s.banked = s.moves = 0


cdef int64_t plan_cost(const Search *s) noexcept nogil:
    cdef int64_t cost = s.missing
    cdef int32_t k
    for k in range(s.m.crews):
        cost += s.m.route[k].cost
    return cost


cdef void keep_best(Search *s) noexcept nogil:
    """The plan worked on is the best so far."""
    cdef int32_t k
    s.best_cost = s.cost
    if s.reserve != NULL:
        s.reserve.best = s.reserve.value
    for k in range(s.m.crews):
        if s.is_dirty[k]:
            s.is_dirty[k] = False
            copy_route(&s.best[k], &s.m.route[k])
    memcpy(s.best_crew_of, s.crew_of, sizeof(int32_t) * s.m.tasks)


cdef inline bint _allowed(const Search *s, int32_t task, int32_t k) noexcept nogil:
    """Whether the crew may have the task, and if that were a change of crew, whether one more is let in."""
    cdef int32_t before = s.m.before[task]
    return may(s.m, task, k) and (before < 0 or before == k or s.changes < s.most_changes)


cdef bint _append(Search *s, int32_t k, int32_t task) noexcept nogil:
    """Put the task behind the route's last one, with a visit to the store before it if that is needed."""
    cdef Model *m = s.m
    cdef Route *r = &m.route[k]
    cdef const Crew *crew = &m.crew[k]
    cdef int32_t at = r.n - 1 if r.rest >= r.frozen and r.rest == r.n - 1 else r.n
    cdef bint fetched = False
    if crew.closed or r.n + 2 >= ROOM or not _allowed(s, task, k):
        return False
    if not crew.stocked and r.store < 0 and (
        m.tools[task] & ~crew.tools
        or not fits(r.used, &m.parts[<Py_ssize_t>task * m.part_words], crew.parts, m.part_words)
    ):
        if crew.store < 0:
            return False
        fetched = True
        put_in(r, at, crew.store)
        build(m, k, r)
        at += 1
    if price_at(m, k, r, at, task, NEVER) >= NEVER:
        # Behind the break, perhaps.
        if at == r.n or price_at(m, k, r, at + 1, task, NEVER) >= NEVER:
            if fetched:
                take_out(r, at - 1)
                build(m, k, r)
            return False
        at += 1
    put_in(r, at, task)
    build(m, k, r)
    return True


cdef void refill(Search *s, int32_t k, const int32_t *tasks, int32_t n) noexcept nogil:
    """Give crew k these tasks, which nobody has, in this order behind its frozen visits; those that don't fit go
    to the bank."""
    cdef Route *r = &s.m.route[k]
    cdef int32_t i, rest = r.rest
    r.n = r.frozen
    if rest >= r.frozen:
        put_in(r, r.n, s.m.crew[k].rest)
    build(s.m, k, r)
    for i in range(n):
        if _append(s, k, tasks[i]):
            assign(s, tasks[i], k)
        else:
            into_bank(s, tasks[i])
    settle(s.m, k)


cdef inline const Place *_place(Search *s, int32_t task, int32_t k) noexcept nogil:
    cdef Place *place = &s.cache[<Py_ssize_t>task * s.m.crews + k]
    if place.version != s.m.route[k].version:
        cheapest_place(s.m, k, task, place)
    return place


cdef int32_t _best_of(
    Search *s, int32_t task, const uint64_t *among, int32_t banned, int32_t blink, int64_t *least, int64_t *second
) noexcept nogil:
    """The crew of those `among` that takes the task at the least cost, -1 if none; ties to the lower number."""
    cdef Model *m = s.m
    cdef int32_t w, k, best = -1, before = m.before[task]
    cdef bint fixed = before >= 0 and s.changes >= s.most_changes
    cdef uint64_t bits
    cdef int64_t delta
    least[0] = second[0] = NEVER
    for w in range(m.words):
        bits = among[w]
        while bits:
            k = (w << 6) + heatops_lowest_bit(bits)
            bits &= bits - 1
            if k == banned or (fixed and k != before) or m.crew[k].closed:
                continue
            if blink and chance(s, blink):
                continue
            delta = _place(s, task, k).delta
            if delta < least[0]:
                second[0] = least[0]
                least[0] = delta
                best = k
            elif delta < second[0]:
                second[0] = delta
    return best


cdef int32_t _best_crew(
    Search *s, int32_t task, int32_t banned, int32_t blink, int64_t *least, int64_t *second
) noexcept nogil:
    """The crew that takes the task at the least cost, -1 if none.

    With many crews those come first that have a near task, begin near, or have nothing to do; the others are asked
    only if none of those can.
    """
    cdef Model *m = s.m
    cdef const uint64_t *may_have = m.eligible + <Py_ssize_t>task * m.words
    cdef const uint64_t *begins_near = s.close_crews + <Py_ssize_t>task * m.words
    cdef const int32_t *near
    cdef int32_t w, i, k, best
    if m.crews <= FEW_CREWS:
        return _best_of(s, task, may_have, banned, blink, least, second)
    for w in range(m.words):
        s.asked[w] = s.idle[w] | begins_near[w]
    if m.before[task] >= 0:
        s.asked[m.before[task] >> 6] |= <uint64_t>1 << (m.before[task] & 63)
    near = s.by_place + <Py_ssize_t>task * s.near
    for i in range(s.near if s.near < NEAR_ASKED else NEAR_ASKED):
        k = s.crew_of[near[i]]
        if k >= 0:
            s.asked[k >> 6] |= <uint64_t>1 << (k & 63)
    for w in range(m.words):
        s.asked[w] &= may_have[w]
    best = _best_of(s, task, s.asked, banned, blink, least, second)
    if best >= 0 and least[0] < m.weight[task]:
        return best
    return _best_of(s, task, may_have, banned, blink, least, second)


cdef void _put(Search *s, int32_t task, int32_t k) noexcept nogil:
    cdef Place place = _place(s, task, k)[0]
    touch(s, k)
    put_task(s.m, k, task, &place)
    assign(s, task, k)
    if s.m.route[k].rest >= 0:
        # Tasks that come later find more room around a break that stands well.
        settle(s.m, k)


cdef void _by_regret(Search *s, int32_t banned) noexcept nogil:
    """Next comes the task that loses most by not having its best crew."""
    cdef int32_t i, k, chosen, crew, task, left = s.banked
    cdef int64_t least, second, most
    while left:
        chosen = crew = -1
        most = -1
        for i in range(left):
            task = s.bank[i]
            k = _best_crew(s, task, banned, 0, &least, &second)
            if k < 0 or least >= s.m.weight[task]:
                continue
            if second > s.m.weight[task]:
                second = s.m.weight[task]
            if second - least > most:
                most = second - least
                chosen = i
                crew = k
        if chosen < 0:
            return
        task = s.bank[chosen]
        _put(s, task, crew)
        left -= 1
        s.bank[chosen] = s.bank[left]
        s.bank[left] = task


cdef void _sort(Search *s, int32_t order) noexcept nogil:
    """The bank in one of the orders of `recreate`; ties stay as they are."""
    cdef Model *m = s.m
    cdef int32_t i, j, task
    cdef int64_t key
    for i in range(s.banked):
        task = s.bank[i]
        if order < 4:
            key = <int64_t>(roll(s) >> 33)
        elif order == 4:
            key = -s.afar[task]
        elif order == 5:
            key = s.afar[task]
        elif order < 8:
            key = m.node[task].late - m.node[task].early
        elif order == 8:
            key = m.node[task].early
        elif order == 9:
            key = -m.node[task].late
        elif order < 12:
            key = (<int64_t>s.choice[task] << 10) + <int64_t>(roll(s) >> 54)
        else:
            key = -m.weight[task]
        s.key[task] = key
    for i in range(1, s.banked):
        task = s.bank[i]
        key = s.key[task]
        j = i
        while j > 0 and s.key[s.bank[j - 1]] > key:
            s.bank[j] = s.bank[j - 1]
            j -= 1
        s.bank[j] = task


cdef void recreate(Search *s, int32_t banned, int32_t order) noexcept nogil:
    """Put the tasks of the bank where they cost least, if that is less than leaving them.

    Orders: 0-3 by chance, 4 far first, 5 near first, 6-7 the narrowest window first, 8 the earliest, 9 the last
    to close first, 10-11 fewest crews first, 12 heaviest first, 13 by regret.
    """
    cdef int32_t i, k, task
    cdef int64_t least, second
    if order == 13:
        _by_regret(s, banned)
    else:
        _sort(s, order)
        for i in range(s.banked):
            task = s.bank[i]
            k = _best_crew(s, task, banned, s.set.blink, &least, &second)
            if k >= 0 and least < s.m.weight[task]:
                _put(s, task, k)
    for i in range(s.touches):
        k = s.touched[i]
        if s.m.route[k].store >= 0 or s.m.route[k].rest >= 0:
            settle(s.m, k)
