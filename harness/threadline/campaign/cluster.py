"""Slices played by the workers of a Dask cluster, through the interface of concurrent.futures.

A job travels as JSON, what it tells comes back as lines when it is over. Each worker of the cluster
needs the same code and packages as this process, in its working folder.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial

from distributed import Client
from distributed.cfexecutor import ClientExecutor

from ..json_lines import BadTrace
from ..loading import Target, load_target
from ..trace import parse, save
from .campaign import Interrupted, WorkerFailed, campaign
from .events import Broke, Event, Found, Message, Shorter, decode, encode
from .hands import Done, Told
from .job import Job

CONNECT_S = 30.0
RETRIES = 3  # of a slice whose worker was lost; it is played on another


class NoCluster(RuntimeError):
    """No scheduler answers, or it has no workers; says what was given."""


class Cluster:
    """Plays each slice on a worker of a cluster; one that loses its worker is played on another.

    What is told of a slice comes when it is over. Raises NoCluster.
    """

    def __init__(self, address: str) -> None:
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            why = f"no scheduler answers at {address}: {error}"
            raise NoCluster(f"{why}; write --scheduler tcp://HOST:8786") from error
        self.workers = sum(self._client.nthreads().values())
        if not self.workers:
            self._client.close()
            raise NoCluster(f"the scheduler at {address} has no workers; start some there")
        self._executor = ClientExecutor(self._client, pure=False, retries=RETRIES)
        self._futures: list[Future[list[bytes]]] = []

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        """Send a job to the cluster."""
        del interrupted  # a slice that was sent ends by its own time, or is given up by stop()
        future = self._executor.submit(played, job.encoded())
        self._futures.append(future)
        future.add_done_callback(partial(_came_back, job, target, told))

    def stop(self) -> None:
        """Give up every slice that has not come back."""
        for future in self._futures:
            future.cancel()

    def close(self) -> None:
        self._client.close()


def played(encoded: bytes) -> list[bytes]:
    """Play a job where this is called, in a folder of its own, and return what it tells."""
    lines: list[bytes] = []

    def listen(event: Message) -> None:
        lines.append(encode(event))

    with tempfile.TemporaryDirectory(prefix="threadline-") as folder:
        job = replace(Job(**json.loads(encoded)), folder=folder)
        try:
            campaign(job, load_target(job.driver), listen)
        except WorkerFailed as error:
            listen(Broke(str(error)))
    return lines


def _came_back(job: Job, target: Target, told: Told, future: Future[list[bytes]]) -> None:
    try:
        lines = future.result()
    except CancelledError:
        told(Done(KeyboardInterrupt()))
        return
    except Exception as error:  # what a cluster makes of its own trouble
        told(Done(WorkerFailed(f"{job.scenario} on {job.driver}: the cluster: {error}")))
        return
    broke = ""
    for line in lines:
        message = decode(line)
        if isinstance(message, Broke):
            broke = message.text
        else:
            told(_kept_here(message, job, target))  # type: ignore[arg-type]  # only events
    told(Done(WorkerFailed(broke) if broke else None))


def _kept_here(event: Event, job: Job, target: Target) -> Event:
    """Return an event whose trace is in this campaign's folder, and no longer in the worker's."""
    if not isinstance(event, Found | Shorter) or not event.trace:
        return event
    try:
        lines = event.lines.encode("ascii").split(b"\n")
        trace, _ = parse("the trace", lines, target.model.kinds())
    except BadTrace:  # made by another version of the project
        return replace(event, trace="")
    saved = save(job.path(event.signature), trace)
    return replace(event, trace=saved, text=event.text.replace(event.trace, saved))
