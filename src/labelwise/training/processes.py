"""How the processes of one run end: together, and with the words of the one that failed."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch.distributed as dist

from labelwise.errors import LabelwiseError

__all__ = ["leaving_together"]

log = logging.getLogger("labelwise.training")

_IS_INSIDE: ContextVar[bool] = ContextVar("_IS_INSIDE", default=False)
# What a collective says when the process at its other end is gone: gloo names its own source file.
_SIGNS_OF_A_LOST_PROCESS = ("gloo/", "connection closed by peer", "connection reset by peer")


@contextmanager
def leaving_together() -> Iterator[None]:
    """Let the processes that torchrun or accelerate started wait for each other, and take their group down.

    A process that leaves while its group is up may die by SIGABRT, work done or not: a thread of gloo that
    lets go of a tensor asks for an interpreter that is shutting down. A process that fails ends its part of
    the group at once, so that the others stop too instead of waiting for it. Of two such blocks, one in the
    other, the outer one ends the group; where there is one process, or the group was there before, nothing
    happens.

    Raises:
        LabelwiseError: another process of the run has gone.

    Example: ``@leaving_together()`` above the function that trains.
    """
    if not dist.is_available() or dist.is_initialized() or _IS_INSIDE.get():
        yield
        return
    mark = _IS_INSIDE.set(True)
    try:
        yield
        _take_down()
    except BaseException as error:
        if not dist.is_initialized():
            raise
        if _is_loss_of_a_process(error):
            # The frames hold the model; nothing is under way any more that could be waited for.
            traceback.clear_frames(error.__traceback__)
            _end_group()
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise LabelwiseError(
                "another process of this run is gone, and its own message says why: mend that, then go on "
                f"from the last checkpoint with --resume (seen here: {said[0]})"
            ) from error
        _break_off()
        raise
    finally:
        _IS_INSIDE.reset(mark)


def _take_down() -> None:
    """Wait until the first process has written what it writes, and end the group."""
    if not dist.is_initialized():
        return
    from accelerate import PartialState

    PartialState().wait_for_everyone()
    _end_group()


def _end_group() -> None:
    # Its threads end when nothing holds the group any more: a Trainer and its model are circles.
    gc.collect()
    dist.destroy_process_group()
    gc.collect()


def _break_off() -> None:
    """End what this process has under way in the group, where the backend can; the others see it leave."""
    try:
        dist.distributed_c10d._abort_process_group()
    except RuntimeError as error:
        log.debug("the group of processes could not be ended: %s", error)


def _is_loss_of_a_process(error: BaseException) -> bool:
    if not isinstance(error, RuntimeError):
        return False
    said = str(error).lower()
    return isinstance(error, dist.DistError) or any(sign in said for sign in _SIGNS_OF_A_LOST_PROCESS)
