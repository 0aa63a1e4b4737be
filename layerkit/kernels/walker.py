"""The plan walker: the one native call of a step, and the loop in which the other threads help it.

A plan is an int64 table with a row per instruction: kernel address, address of its arguments, units, grain.
An instruction of more units than its grain is cut into pieces that any thread may claim. The claim word
holds instruction, pieces and the next piece, so one atomic addition claims a piece consistently, and a thread
that comes late finds nothing to do instead of being waited for.

Rows that begin with a small number are control flow; their third number is the row to go on with where they jump:
    ENTER   begin of a loop; the second number points at its state: turns, turn, n, and n times an address of an int64
            (an argument of an instruction) and what it grows by in a turn. Jumps behind the loop if there is no turn.
    NEXT    end of a turn: moves the arguments and jumps to the first row, or after the last turn moves them back.
    BREAK   the second number points at the address of a bool; jumps behind the loop where it is false.
    SWITCH  the second number points at the address of an int32, the third at the number of targets and these.
    JUMP    jumps.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from layerkit.kernels.abi import (
    atomic_add,
    atomic_load,
    atomic_store,
    call_kernel,
    inline,
    int32_at,
    int64_at,
    uint8_at,
)
from layerkit.kernels.launch import BREAK, CONTROL_CODES, ENTER, NEXT, SWITCH

# Byte offsets in the shared state, a cache line apart.
CLAIM, DONE, PLAN, STOP = 0, 64, 128, 192
ROW = 4
FIELD = 1 << 20
PIECES_PER_THREAD = 4

_X86 = platform.machine() in ("x86_64", "AMD64")
_ARM = platform.machine() in ("aarch64", "arm64")


@intrinsic
def pause(typing):
    """Tell the processor that this is a spin loop."""

    def codegen(context, builder, signature, values):
        if _X86:
            function = builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), ir.FunctionType(ir.VoidType(), []))
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def flush_subnormals(typing):
    """Have this thread take numbers below 2**-126 (float32) as zero, and give what its control register was before.

    A dead unit's Adam moments decay through the subnormal numbers for thousands of steps, and arithmetic on those takes
    some hundred times as long. TensorFlow's threads do the same.
    """

    def codegen(context, builder, signature, values):
        i64 = ir.IntType(64)
        if _X86:
            place = builder.alloca(ir.IntType(32))
            _control(builder, "llvm.x86.sse.stmxcsr", place)
            before = builder.load(place)
            builder.store(builder.or_(before, ir.Constant(ir.IntType(32), 0x8040)), place)
            _control(builder, "llvm.x86.sse.ldmxcsr", place)
            return builder.zext(before, i64)
        if _ARM:
            kind = ir.FunctionType(i64, [])
            before = builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.get.fpcr"), [])
            _set_fpcr(builder, builder.or_(before, ir.Constant(i64, 1 << 24)))
            return before
        return ir.Constant(i64, 0)

    return types.int64(), codegen


@intrinsic
def restore_control(typing, before):
    """Undo `flush_subnormals`."""

    def codegen(context, builder, signature, values):
        if _X86:
            place = builder.alloca(ir.IntType(32))
            builder.store(builder.trunc(values[0], ir.IntType(32)), place)
            _control(builder, "llvm.x86.sse.ldmxcsr", place)
        elif _ARM:
            _set_fpcr(builder, values[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


def _control(builder: ir.IRBuilder, name: str, place: ir.Value) -> None:
    byte = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [byte]), name)
    builder.call(function, [builder.bitcast(place, byte)])


def _set_fpcr(builder: ir.IRBuilder, value: ir.Value) -> None:
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.set.fpcr"), [value])


@inline
def move_arguments(state, turns):
    """Let what a loop moves be so many turns further."""
    for k in range(state[2]):
        place = int64_at(state[3 + 2 * k])
        place[0] += turns * state[4 + 2 * k]


@inline
def after_control(plan, i):
    """The row that comes after control row i."""
    code, target = plan[ROW * i], plan[ROW * i + 2]
    state = int64_at(plan[ROW * i + 1])
    if code == ENTER:
        state[1] = 0
        return i + 1 if state[0] > 0 else target
    if code == NEXT:
        state[1] += 1
        if state[1] < state[0]:
            move_arguments(state, 1)
            return target
        move_arguments(state, 1 - state[1])
        return i + 1
    if code == BREAK:
        return i + 1 if uint8_at(state[0])[0] != 0 else target
    if code == SWITCH:
        index, targets = int32_at(state[0])[0], int64_at(target)
        return targets[1 + min(max(index, 0), targets[0] - 1)]
    return target


@inline
def run_in_pieces(state, threads, i, kernel, arguments, units, grain):
    """Run instruction i in pieces that helpers may claim; comes back when all are done."""
    pieces = min((units + grain - 1) // grain, threads * PIECES_PER_THREAD)
    step = (units + pieces - 1) // pieces
    pieces = (units + step - 1) // step
    atomic_store(state + DONE, 0)
    atomic_store(state + CLAIM, (i * FIELD + pieces) * FIELD)
    while True:
        piece = atomic_add(state + CLAIM, 1) & (FIELD - 1)
        if piece >= pieces:
            break
        call_kernel(kernel, arguments, piece * step, min(units, (piece + 1) * step), 0)
        atomic_add(state + DONE, 1)
    while atomic_load(state + DONE) < pieces:
        pause()


def walk(args, lo, hi, worker):
    """Run the instructions lo..hi of a plan. Arguments: plan, state, threads."""
    control = flush_subnormals()
    plan, state, threads = int64_at(args[0]), args[1], args[2]
    atomic_store(state + PLAN, args[0])
    i = lo
    while i < hi:
        kernel, arguments, units, grain = plan[ROW * i], plan[ROW * i + 1], plan[ROW * i + 2], plan[ROW * i + 3]
        if kernel < CONTROL_CODES:
            i = after_control(plan, i)
            continue
        if threads == 1 or units <= grain:
            call_kernel(kernel, arguments, 0, units, 0)
        else:
            run_in_pieces(state, threads, i, kernel, arguments, units, grain)
        i += 1
    restore_control(control)


def help_walk(args, lo, hi, worker):
    """Claim pieces of whatever plan is walked until `spins` looks in a row found none. Arguments: state, spins."""
    state, spins = args[0], args[1]
    control = flush_subnormals()
    idle = 0
    while idle < spins:
        claim = atomic_load(state + CLAIM)
        if claim & (FIELD - 1) >= (claim >> 20) & (FIELD - 1):
            idle += 1
            pause()
            continue
        claim = atomic_add(state + CLAIM, 1)
        piece, pieces, i = claim & (FIELD - 1), (claim >> 20) & (FIELD - 1), claim >> 40
        if piece >= pieces:
            continue
        idle = 0
        # A valid claim holds the walker at instruction i, so the row below cannot change.
        plan = int64_at(atomic_load(state + PLAN))
        units = plan[ROW * i + 2]
        step = (units + pieces - 1) // pieces
        call_kernel(plan[ROW * i], plan[ROW * i + 1], piece * step, min(units, (piece + 1) * step), worker)
        atomic_add(state + DONE, 1)
    restore_control(control)
