"""The plan walker: the one native call of a step, and the loop in which the other threads help it.

A plan is an int64 table with a row per instruction: kernel address, address of its arguments, units, grain.
An instruction of more units than its grain is cut into pieces that any thread may claim. The claim word
holds instruction, pieces and the next piece, so one atomic addition claims a piece consistently, and a thread
that comes late finds nothing to do instead of being waited for.
"""

import platform

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import atomic_add, atomic_load, atomic_store, call_kernel, int64_at

# Byte offsets in the shared state, a cache line apart.
CLAIM, DONE, PLAN, STOP = 0, 64, 128, 192
ROW = 4
FIELD = 1 << 20
PIECES_PER_THREAD = 4

_PAUSE = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}.get(platform.machine())


@intrinsic
def pause(typing):
    """Tell the processor that this is a spin loop."""

    def codegen(context, builder, signature, values):
        if _PAUSE:
            function = builder.module.declare_intrinsic(_PAUSE, (), ir.FunctionType(ir.VoidType(), []))
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen


def walk(args, lo, hi, worker):
    """Run the instructions lo..hi of a plan. Arguments: plan, state, threads."""
    plan, state, threads = int64_at(args[0]), args[1], args[2]
    atomic_store(state + PLAN, args[0])
    for i in range(lo, hi):
        kernel, arguments, units, grain = plan[ROW * i], plan[ROW * i + 1], plan[ROW * i + 2], plan[ROW * i + 3]
        if threads == 1 or units <= grain:
            call_kernel(kernel, arguments, 0, units, 0)
            continue
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


def help_walk(args, lo, hi, worker):
    """Claim pieces of whatever plan is walked until `spins` looks in a row found none. Arguments: state, spins."""
    state, spins = args[0], args[1]
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
