"""The compiled code of `event`: a block of neurons for all steps, and the lists of spikes between layers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from .compiled import compiled, intrinsic, part

LANES = 16  # neurons whose sums one vector holds: a cache line of float32, one register of AVX-512 or two of AVX
WIDTHS = (8, 4, 2, 1)  # vectors of a block; 8 of them fill the 16 registers of AVX
TILE = 16  # inputs that are transposed at a time: a cache line of both sides
HALF = 32  # bits of a spike that say which neuron; those above them say which row


def _advance(vectors: int) -> Callable[..., Any]:
    """Return compiled code that takes a block of so many vectors of neurons through one step.

    Its arguments: the addresses of the weights, float32 (inputs, LANES * vectors), of the list of inputs, int32, and of
    the potentials, float32; where in the list the inputs of this step begin and end; decay, alpha and beta. It returns
    whether a potential reached beta. The sums stay in registers and run over the inputs in their order; products and
    sums are rounded one by one, as in `reference`.
    """
    vector, word = ir.VectorType(ir.FloatType(), LANES), ir.IntType(64)
    address, number = types.intp, types.float32

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        weights, indices, potentials, first, last, decay, alpha, beta = arguments
        weights = b.inttoptr(weights, ir.FloatType().as_pointer())
        indices = b.inttoptr(indices, ir.IntType(32).as_pointer())
        potentials = b.inttoptr(potentials, ir.FloatType().as_pointer())
        silence = [ir.Constant(vector, [0.0] * LANES)] * vectors

        def place(base: Any, offset: Any, n: int) -> Any:  # of the n-th vector behind an offset
            at = b.add(offset, ir.Constant(word, n * LANES))
            return b.bitcast(b.gep(base, [at]), vector.as_pointer())

        def all_lanes(value: Any) -> Any:
            one = b.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            return b.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

        before, loop, after = b.block, b.append_basic_block("add"), b.append_basic_block("added")
        b.cbranch(b.icmp_signed("<", first, last), loop, after)
        b.position_at_end(loop)
        p = b.phi(word)
        sums = [b.phi(vector) for _ in range(vectors)]
        index = b.sext(b.load(b.gep(indices, [p])), word)
        row = b.mul(index, ir.Constant(word, LANES * vectors))
        more = [b.fadd(sums[n], b.load(place(weights, row, n), align=4)) for n in range(vectors)]
        following = b.add(p, ir.Constant(word, 1))
        p.add_incoming(first, before)
        p.add_incoming(following, loop)
        for n in range(vectors):
            sums[n].add_incoming(silence[n], before)
            sums[n].add_incoming(more[n], loop)
        b.cbranch(b.icmp_signed("<", following, last), loop, after)
        b.position_at_end(after)
        drive = [b.phi(vector) for _ in range(vectors)]
        for n in range(vectors):
            drive[n].add_incoming(silence[n], before)
            drive[n].add_incoming(more[n], loop)
        decay, alpha, beta = all_lanes(decay), all_lanes(alpha), all_lanes(beta)
        reached = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [0] * LANES)
        for n in range(vectors):
            at = place(potentials, ir.Constant(word, 0), n)
            v = b.fadd(b.fmul(b.load(at, align=4), decay), b.fmul(alpha, drive[n]))
            b.store(v, at, align=4)
            reached = b.or_(reached, b.fcmp_ordered(">=", v, beta))
        bits = b.bitcast(reached, ir.IntType(LANES))
        return b.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    @intrinsic
    def advance(context, weights, indices, potentials, first, last, decay, alpha, beta):  # type: ignore[no-untyped-def]
        return types.boolean(*[address] * 3, *[types.int64] * 2, *[number] * 3), generate

    return advance


_advance_8, _advance_4, _advance_2, _advance_1 = map(_advance, WIDTHS)


@intrinsic
def _fma(context, a, b, c):  # type: ignore[no-untyped-def]
    """Return a * b + c, rounded once."""
    return types.float64(*[types.float64] * 3), lambda context, b, signature, arguments: b.fma(*arguments)


@intrinsic
def _bits(context, number):  # type: ignore[no-untyped-def]
    return types.int64(types.float64), lambda context, b, s, arguments: b.bitcast(arguments[0], ir.IntType(64))


@intrinsic
def _float(context, bits):  # type: ignore[no-untyped-def]
    return types.float64(types.int64), lambda context, b, s, arguments: b.bitcast(arguments[0], ir.DoubleType())


# exp(x) = 2^(n / 32) 2^(r / 32), n whole and |r| <= 1/2: a table for the one, a polynomial for the other
PARTS = 32
POWERS = np.array(  # bits of 2^(n / 32), less n / 32 in the exponent, where the bits of n then add up with it
    [int(np.float64(Decimal(2) ** (Decimal(n) / PARTS)).view(np.int64)) - (n << 52) // PARTS for n in range(PARTS)]
)
PER_E = float.fromhex("0x1.71547652b82fep+0") * PARTS  # 32 / log(2)
WHOLE = float.fromhex("0x1.8p+52")  # added, it rounds to a whole number
CUBIC = float.fromhex("0x1.c6af84b912394p-5") / PARTS**3
SQUARE = float.fromhex("0x1.ebfce50fac4f3p-3") / PARTS**2
LINEAR = float.fromhex("0x1.62e42ff0c52d6p-1") / PARTS


@part
def exp(x: np.float32) -> np.float32:
    """Return the exponential of x, which lies in [-80, 80], to 0.502 units in the last place of float32.

    A loop around it becomes vectors. It is the algorithm of the C library of Linux, and gives its bits on every
    machine. Source: S. Nagy, Arm Optimized Routines, https://github.com/ARM-software/optimized-routines, math/expf.c.
    """
    z = np.float64(x)
    shifted = _fma(PER_E, z, WHOLE)
    r = _fma(PER_E, z, WHOLE - shifted)
    n = _bits(shifted)
    power = _float(POWERS[n & (PARTS - 1)] + (n << 47))
    return np.float32(_fma(_fma(CUBIC, r, SQUARE), r * r, _fma(LINEAR, r, 1.0)) * power)


@part
def _learn(
    row: NDArray[np.float32],  # (inputs,), changed in place
    both: NDArray[np.float32],  # (inputs,), in how many of these `times` streams an input fired
    times: np.float32,
    inc: np.float32,
    dec: np.float32,
    gate: np.float32,
    e: NDArray[np.float32],  # (inputs,), room for exponentials
) -> None:
    """Apply the local rule to the inputs of a neuron that has just fired in some streams."""
    low, high, two = np.float32(-20), np.float32(80), np.float32(2)  # at them g is 2 to the last bit, and below 1e-34
    if gate > 0:
        for i in range(len(row)):  # loops as short as these become vectors
            x = row[i] / gate
            x = low if x < low else x
            e[i] = high if x > high else x
        for i in range(len(row)):
            e[i] = exp(e[i])
        for i in range(len(row)):
            row[i] += (inc * both[i] - dec * (times - both[i])) * (two / (np.float32(1) + e[i]))
    else:
        for i in range(len(row)):
            row[i] += inc * both[i] - dec * (times - both[i])


@compiled(
    "int64[::1](float32[:, ::1], float32[:, ::1], int64, int64, int64[::1], float32[::1], int64[::1], int32[::1], "
    "int32[::1], int32[::1], int64, float32[::1], boolean, int64)"
)
def run_block(
    before: NDArray[np.float32],  # (neurons, inputs) of the block
    weight: NDArray[np.float32],  # (neurons, inputs), written
    first: int,  # place of its first neuron in the layer
    vectors: int,  # one of `WIDTHS`, that of the block: neurons <= LANES * vectors
    begin: NDArray[np.int64],  # (active + 1,) where in `indices` each row begins that is stepped through, for each of
    kept: NDArray[np.float32],  # (active,) them what is kept of a potential since the last one of its stream, and
    rows: NDArray[np.int64],  # (active,) which row of the sleep it is
    indices: NDArray[np.int32],  # (spikes,), those of `InputSpikes`
    used: NDArray[np.int32],  # (used,), ascending: the inputs that ever fire
    places: NDArray[np.int32],  # (spikes,): where in `used` an index of `indices` stands
    batch: int,
    numbers: NDArray[np.float32],  # alpha, beta, inc, dec, gate; gate 0: none
    strict: bool,
    most: int,  # spikes of the layer beyond which the sleep is given up
) -> NDArray[np.int64]:
    """Run a block of neurons for all steps. Return its spikes in their order: place in `rows` << HALF | neuron."""
    (neurons, inputs), width = before.shape, LANES * vectors
    alpha, beta, inc, dec, gate = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    w = np.empty((len(used), width), np.float32)
    w[:, neurons:] = 0
    for k in range(neurons):
        for i in range(inputs):
            weight[k, i] = before[k, i]
    for low in range(0, len(used), TILE):
        for k in range(neurons):
            for i in range(low, min(low + TILE, len(used))):
                w[i, k] = before[k, used[i]]
    potentials = np.zeros((batch, width), np.float32)
    both, room = np.zeros(inputs, np.float32), np.empty(inputs, np.float32)
    spikes = np.empty(1024, np.int64)
    fired = learned = 0  # spikes so far, and those that were learned from
    latest = np.full(neurons, -1)  # spike of each neuron in this step, and the one before each of them, or -1
    previous = np.empty(batch * neurons, np.int64)
    weights_at, places_at = w.ctypes.data, places.ctypes.data
    for a in range(len(rows)):
        v = potentials[rows[a] % batch if batch > 1 else 0]
        p, end, d, v_at = begin[a], begin[a + 1], kept[a], v.ctypes.data
        if vectors == 8:
            reached = _advance_8(weights_at, places_at, v_at, p, end, d, alpha, beta)
        elif vectors == 4:
            reached = _advance_4(weights_at, places_at, v_at, p, end, d, alpha, beta)
        elif vectors == 2:
            reached = _advance_2(weights_at, places_at, v_at, p, end, d, alpha, beta)
        else:
            reached = _advance_1(weights_at, places_at, v_at, p, end, d, alpha, beta)
        if reached:
            if fired + neurons > len(spikes):
                longer = np.empty(2 * len(spikes), np.int64)
                longer[:fired] = spikes[:fired]
                spikes = longer
            for k in range(neurons):
                if v[k] > beta or (v[k] == beta and not strict):
                    v[k] = 0
                    previous[fired - learned] = latest[k]
                    latest[k] = fired
                    spikes[fired] = a << HALF | first + k
                    fired += 1
        if fired == learned or (batch > 1 and a + 1 < len(rows) and rows[a + 1] // batch == rows[a] // batch):
            continue  # the weights wait for the other streams
        if fired > most:  # the block alone fired more than its layer may
            break
        for s in range(learned, fired):
            k = (spikes[s] & ((1 << HALF) - 1)) - first
            if latest[k] < 0:
                continue
            times, at = 0, latest[k]
            while at >= 0:
                row = spikes[at] >> HALF
                for p in range(begin[row], begin[row + 1]):
                    both[indices[p]] += 1
                times += 1
                at = previous[at - learned]
            _learn(weight[k], both, np.float32(times), inc, dec, gate, room)
            both[:] = 0
            latest[k] = -1
            for i in range(len(used)):
                w[i, k] = weight[k, used[i]]
        learned = fired
    return spikes[:fired]


@compiled("UniTuple(int64[::1], 3)(int64[::1], int64, boolean)")
def active_rows(
    start: NDArray[np.int64], batch: int, every: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows with an input, or every row; where each begins in the lists; and its gap.

    The gap are the steps since the last such row of its stream, or since before the first step.
    """
    n = 0
    for row in range(len(start) - 1):
        n += every or start[row + 1] > start[row]
    rows, begin, gap = np.empty(n, np.int64), np.empty(n + 1, np.int64), np.empty(n, np.int64)
    last = np.full(batch, -1)
    begin[n] = start[-1]
    n = 0
    for step in range((len(start) - 1) // batch):
        for stream in range(batch):
            row = step * batch + stream
            if every or start[row + 1] > start[row]:
                rows[n], begin[n], gap[n] = row, start[row], step - last[stream]
                last[stream] = step
                n += 1
    return rows, begin, gap


@compiled("UniTuple(int32[::1], 2)(int32[::1], int64)")
def used_inputs(indices: NDArray[np.int32], inputs: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the inputs that ever fire, ascending, and for each of the indices its place among them."""
    place = np.zeros(inputs, np.int32)
    for i in indices:
        place[i] = 1
    used = np.empty(place.sum(), np.int32)
    n = 0
    for i in range(inputs):
        if place[i]:
            used[n], place[i] = i, n
            n += 1
    places = np.empty(len(indices), np.int32)
    for p in range(len(indices)):
        places[p] = place[indices[p]]
    return used, places


@compiled("Tuple((int64[::1], int32[::1]))(int64[::1], int64[::1], int64)")
def merge(
    spikes: NDArray[np.int64], rows: NDArray[np.int64], total: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the spikes of a layer as the lists of `InputSpikes`, of so many rows in total.

    spikes: those of its blocks, block after block, as `run_block` returns them; rows: as it takes them.
    """
    start, indices = np.zeros(total + 1, np.int64), np.empty(len(spikes), np.int32)
    for spike in spikes:
        start[rows[spike >> HALF] + 1] += 1
    for row in range(total):
        start[row + 1] += start[row]
    place = start.copy()
    for spike in spikes:  # neurons ascend from block to block, and in the row of a block
        row = rows[spike >> HALF]
        indices[place[row]] = spike & ((1 << HALF) - 1)
        place[row] += 1
    return start, indices
