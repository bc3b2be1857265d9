"""A work queue on aiosqlite under Threadline, whole: leases, retries and dead letters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiosqlite
from threadline import Census, Driver, Handle, Model, Operation, Pool, Refuse, operation, pool

LEASE_S, TRIES = 30, 2
WORKERS = pool("ana", "ben")
JOBS = Pool(lambda now: list(now.model.jobs))
SECONDS = pool(1, LEASE_S - 1, LEASE_S)


@dataclass
class Job:
    """A job, as the model knows it; nobody's if it waits, or is dead."""

    urgent: bool
    tries: int = 0
    worker: str | None = None
    until_s: float = 0.0


class WorkQueue(Model):
    """Jobs that are tried twice at most: a worker who is not done in time has failed."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.jobs: dict[Handle, Job] = {}  # in the order in which they were put

    @operation(weight=2, urgent=pool(False, True))
    def put(self, urgent: bool) -> Handle:
        """A job is put into the queue."""
        job = self.new("j")
        self.jobs[job] = Job(urgent)
        return job

    @operation(weight=3, worker=WORKERS)
    def take(self, worker: str) -> Handle:
        """A worker takes the job that waits longest, an urgent one first."""
        waiting = sorted(self._waiting(), key=lambda job: not self.jobs[job].urgent)
        if not waiting:
            raise Refuse("nothing to do")
        job = self.jobs[waiting[0]]
        job.worker, job.until_s, job.tries = worker, self.now_s + LEASE_S, job.tries + 1
        return waiting[0]

    @operation(job=JOBS, worker=WORKERS)
    def renew(self, job: Handle, worker: str) -> None:
        """A worker asks for more time, from now on."""
        self._taken(job, worker).until_s = self.now_s + LEASE_S

    @operation(job=JOBS, worker=WORKERS)
    def finish(self, job: Handle, worker: str) -> None:
        """A worker is done with a job."""
        self._taken(job, worker)
        del self.jobs[job]

    @operation(job=JOBS, worker=WORKERS)
    def fail(self, job: Handle, worker: str) -> None:
        """A worker gives a job back, to be tried again."""
        self._taken(job, worker).worker = None

    @operation(job=JOBS)
    def revive(self, job: Handle) -> None:
        """A job that is dead waits again, as if it had not been tried."""
        if job not in self._dead():
            raise Refuse("not dead")
        self.jobs[job].tries = 0

    @operation(job=JOBS)
    def drop(self, job: Handle) -> None:
        """A job is removed, whatever it is."""
        del self.jobs[job]

    @operation(weight=2, seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        """Time passes, and who has had a job for too long has it no more."""
        self.now_s += seconds
        for job in self.jobs.values():
            job.worker = job.worker if job.until_s > self.now_s else None

    def census(self) -> Census:
        taken = {job: each.worker for job, each in self.jobs.items() if each.worker}
        return {"taken": taken, "waiting": self._waiting(), "dead": self._dead()}

    def teardown(self) -> Iterator[Operation]:
        for job in list(self.jobs):
            yield WorkQueue.drop(job)

    def _taken(self, job: Handle, worker: str) -> Job:
        if self.jobs[job].worker != worker:
            raise Refuse("not yours")
        return self.jobs[job]

    def _waiting(self) -> list[Handle]:
        return [job for job, each in self.jobs.items() if not each.worker and each.tries < TRIES]

    def _dead(self) -> list[Handle]:
        return [job for job, each in self.jobs.items() if not each.worker and each.tries == TRIES]


# --- the queue, as its author wrote it


class NothingToDo(Exception):
    """No job waits."""


class NotYours(Exception):
    """A worker has no such job, or no longer."""


class NotDead(Exception):
    """A job is not among the dead letters."""


class SqlQueue:
    """Jobs in a table of SQLite; whose time is up is looked for at each call."""

    id_type = "INTEGER PRIMARY KEY AUTOINCREMENT"

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.database = aiosqlite.connect(":memory:", isolation_level=None)

    async def open(self) -> None:
        await self.database
        await self._rows(
            f"CREATE TABLE jobs (id {self.id_type}, urgent, tries DEFAULT 0, worker, until)"
        )

    async def close(self) -> None:
        await self.database.close()

    async def put(self, urgent: bool) -> int:
        rows = await self._rows("INSERT INTO jobs (urgent) VALUES (?) RETURNING id", urgent)
        return int(rows[0][0])

    async def take(self, worker: str) -> int:
        """Return the job that a worker has from now on."""
        await self.expire()
        rows = await self._rows(
            "UPDATE jobs SET worker = ?, until = ?, tries = tries + 1 WHERE id = (SELECT id FROM"
            " jobs WHERE worker IS NULL AND tries < ? ORDER BY urgent DESC, id LIMIT 1)"
            " RETURNING id",
            *(worker, self.clock() + LEASE_S, TRIES),
        )
        if not rows:
            raise NothingToDo
        return int(rows[0][0])

    async def renew(self, job: int, worker: str) -> None:
        await self._check(job, worker)
        await self._rows("UPDATE jobs SET until = ? WHERE id = ?", self.clock() + LEASE_S, job)

    async def finish(self, job: int, worker: str) -> None:
        await self._check(job, worker)
        await self.drop(job)

    async def fail(self, job: int, worker: str) -> None:
        await self._check(job, worker)
        await self._rows("UPDATE jobs SET worker = NULL WHERE id = ?", job)

    async def revive(self, job: int) -> None:
        if job not in (await self.report())["dead"]:
            raise NotDead(job)
        await self._rows("UPDATE jobs SET tries = 0 WHERE id = ?", job)

    async def drop(self, job: int) -> None:
        await self._rows("DELETE FROM jobs WHERE id = ?", job)

    async def report(self) -> dict[str, Any]:
        """Return the jobs that wait, those that are taken and by whom, and those that are dead."""
        await self.expire()
        rows = await self._rows("SELECT id, worker, tries FROM jobs ORDER BY id")
        return {
            "waiting": [job for job, worker, tries in rows if not worker and tries < TRIES],
            "taken": {job: worker for job, worker, _ in rows if worker},
            "dead": [job for job, worker, tries in rows if not worker and tries >= TRIES],
        }

    async def expire(self) -> None:
        """Take the jobs back from those whose time is up."""
        await self._rows("UPDATE jobs SET worker = NULL WHERE until <= ?", self.clock())

    async def _check(self, job: int, worker: str) -> None:
        if (await self.report())["taken"].get(job) != worker:
            raise NotYours(job, worker)

    async def _rows(self, statement: str, *values: object) -> list[Any]:
        return list(await self.database.execute_fetchall(statement, values))


# --- how Threadline reaches it


class WorkQueueDriver(Driver[WorkQueue]):
    """Calls one queue, on a database in memory."""

    refuses = {NothingToDo: "nothing to do", NotYours: "not yours", NotDead: "not dead"}
    through = "queue"
    make: type[SqlQueue] = SqlQueue

    def __init__(self) -> None:
        self.queue = self.make(self.clock)
        self.pump.call(self.queue.open())

    def census(self) -> Census:
        return self.pump.call(self.queue.report())

    def close(self) -> None:
        self.pump.call(self.queue.close())
        super().close()


# --- the same with one bug each


class SlackQueue(SqlQueue):
    """Says < where its documentation says <=."""

    async def expire(self) -> None:
        await self._rows("UPDATE jobs SET worker = NULL WHERE until < ?", self.clock())


class TrustingQueue(SqlQueue):
    """Does not look who says that a job is done."""

    async def finish(self, job: int, worker: str) -> None:
        if job not in (await self.report())["taken"]:
            raise NotYours(job, worker)
        await self.drop(job)


class PatientQueue(SqlQueue):
    """Counts a try for those alone who say that they have failed."""

    async def expire(self) -> None:
        await self._rows(
            "UPDATE jobs SET worker = NULL, tries = tries - 1"
            " WHERE worker IS NOT NULL AND until <= ?",
            self.clock(),
        )


class GrudgingQueue(SqlQueue):
    """Lets what was dead be tried once more, and not as often as what is new."""

    async def revive(self, job: int) -> None:
        await super().revive(job)
        await self._rows("UPDATE jobs SET tries = ? WHERE id = ?", TRIES - 1, job)


class ForgetfulQueue(SqlQueue):
    """Lets SQLite number the jobs, which takes the highest number that there is, and one more."""

    id_type = "INTEGER PRIMARY KEY"


class LeaseEndsLate(WorkQueueDriver):
    """A job whose time is just up is still taken."""

    make = SlackQueue


class AnyoneFinishes(WorkQueueDriver):
    """A worker finishes another's job."""

    make = TrustingQueue


class TimeoutsAreNoTries(WorkQueueDriver):
    """A job that is always abandoned is tried for ever."""

    make = PatientQueue


class RevivedIsTired(WorkQueueDriver):
    """A job that was revived is dead again too soon."""

    make = GrudgingQueue


class ReusesNumbers(WorkQueueDriver):
    """A new job has the number of one that is gone; not planted, the author's own."""

    make = ForgetfulQueue
