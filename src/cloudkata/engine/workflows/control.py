"""Lines of control: what is stopped together, what a line waits for, and where it stands."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cloudkata.engine.clock import AwsClock
from cloudkata.engine.workflows.errors import HEARTBEAT, TIMEOUT, StateError, Stopped
from cloudkata.engine.workflows.history import History
from cloudkata.engine.workflows.paths import Scope


class Stop:
    """Set once; whoever listens is told. What is made `under` another one is set with it."""

    def __init__(self, under: Stop | None = None) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.set = False
        self.leave = under.listen(self.stop) if under else lambda: None

    def stop(self) -> None:
        with self._lock:
            self.set = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called when this is set, at once if it is; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)
            told = self.set
        if told:
            listener()

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave


class Pending:
    """The outcome of a task that somebody else brings: a value or a StateError, whichever comes first."""

    def __init__(self, account: str = "") -> None:
        self.account = account
        self.woken = threading.Event()
        self.beaten = 0.0  # AWS time of the last heartbeat
        self.ends: float | None = None  # AWS time of its time-out
        self.silence: float | None = None  # how long it may go without a heartbeat
        self._lock = threading.Lock()
        self._outcome: tuple[object, StateError | None] | None = None
        self._closed = False

    def settle(self, value: object = None, error: StateError | None = None) -> bool:
        """Whether this is the outcome: nobody came before, and the task still waits."""
        with self._lock:
            if self._outcome is not None or self._closed:
                return False
            self._outcome = (value, error)
        self.woken.set()
        return True

    def started(self, now: float, seconds: float | None, heartbeat: float | None) -> None:
        """Count its limits from `now` on, whoever waits for it from when on."""
        self.beaten, self.silence = now, heartbeat
        self.ends = None if seconds is None else now + seconds

    def late(self, now: float) -> bool:
        """Whether a limit is passed, also where nobody has noticed yet."""
        return (self.ends is not None and now >= self.ends) or (
            self.silence is not None and now >= self.beaten + self.silence
        )

    @property
    def open(self) -> bool:
        return self._outcome is None and not self._closed

    def close(self) -> tuple[object, StateError | None] | None:
        """Take no outcome from now on; the one that came, if any."""
        with self._lock:
            self._closed = True
            return self._outcome


def detached(work: Callable[[], object]) -> Pending:
    """Do `work` in a thread that can be left alone, in the account of this one. Any other error is States.Runtime."""
    pending = Pending()

    def run() -> None:
        try:
            pending.settle(work())
        except StateError as error:
            pending.settle(error=error)
        except Exception as error:
            pending.settle(error=StateError("States.Runtime", f"{type(error).__name__}: {error}"))

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="kata-task", daemon=True).start()
    return pending


@dataclass(frozen=True)
class Machine:
    """What an execution runs: the definition with its ARN, as it was when the execution started."""

    arn: str
    name: str
    definition: dict
    express: bool
    role: str
    version: str = ""
    alias: str = ""
    logging: dict = field(default_factory=dict)
    source: str = ""


@dataclass
class Line:
    """One line of control: an execution's own, a branch's, or an iteration's.

    `previous` is the id of its last event; `state` the name and the event id of the state it is in.
    """

    execution: str
    machine: Machine
    clock: AwsClock
    history: History
    stop: Stop
    states: dict
    language: str
    context: dict
    variables: dict
    previous: int = 0
    state: tuple[str, int] = ("", 0)

    def scope(self, data: object) -> Scope:
        return Scope(data, self.context, self.variables)

    def event(self, kind: str, details: dict | None = None, follow: bool = True) -> int:
        """Write an event of this line. What comes next names it as previous, unless `follow` is false."""
        self.check()
        number = self.history.add(kind, self.previous, details)
        if follow:
            self.previous = number
        return number

    def check(self) -> None:
        if self.stop.set:
            raise Stopped

    def branch(self, states: dict, stop: Stop) -> Line:
        """A line of its own from here, with copies of what it may change."""
        return replace(self, states=states, stop=stop, context=dict(self.context), variables=dict(self.variables))

    def sleep(self, seconds: float) -> None:
        """Wait for an interval of AWS time. Raises Stopped."""
        woken = threading.Event()
        leave = self.stop.listen(woken.set)
        try:
            self.clock.wait(woken, seconds)
        finally:
            leave()
        self.check()

    def outcome(
        self,
        pending: Pending,
        seconds: float | None,
        heartbeat: float | None,
        real: bool = False,
        began: float | None = None,
    ) -> object:
        """The value a task came to. Raises its StateError, a time-out's, or Stopped.

        `seconds` and `heartbeat` are AWS time, counted from `began` if it is given; `real` says that the task is a
        function's code, whose time is real.
        """
        now = time.monotonic if real else self.clock.now
        until = None if seconds is None else (now() if began is None else began) + seconds
        pending.beaten = self.clock.now() if began is None else max(began, pending.beaten)
        leave = self.stop.listen(pending.woken.set)
        late = ""
        try:
            while pending.open and not self.stop.set and not late:
                left = None if until is None else until - now()
                beat = None if heartbeat is None else pending.beaten + heartbeat - self.clock.now()
                if left is not None and left <= 0:
                    late = TIMEOUT
                elif beat is not None and beat <= 0:
                    late = HEARTBEAT
                elif real:
                    pending.woken.wait(left)
                else:
                    self.clock.wait(pending.woken, min((x for x in (left, beat) if x is not None), default=None))
        finally:
            leave()
            outcome = pending.close()
        self.check()
        if outcome is None:
            raise StateError(late)
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]
