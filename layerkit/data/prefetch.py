"""Work on several items at once in threads, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, queue_size: int
) -> Generator[Result, None, None]:
    """Results of `function` in the order of `items`, computed ahead by threads.

    Args:
        function: called in the threads; must be safe to call concurrently.
        items: read one at a time as results are taken, so they may be endless.
        workers: number of threads.
        queue_size: at most so many items are under way or finished and not yet taken.

    Raises:
        Exception: what `function` raised, with its traceback, when its result's turn comes. The items after it
            are dropped, and the threads have ended when this returns or is closed.
    """
    pending: deque[Future[Result]] = deque()
    source = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="layerkit-data")
    try:
        pending.extend(pool.submit(function, item) for item in islice(source, queue_size))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
