"""One circuit breaker per provider, in this process: after repeated failures nobody asks for a while, then one tries.

Only unavailability counts (time-outs, 429, 5xx); a refusal or a bad answer shows that somebody is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    shut_until: float | None = None
    reason: str = ""


class Breakers:
    """Shared by all runs of a process. `threshold` failures in a row open a circuit for `rest` seconds."""

    def __init__(self, threshold: int = 5, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._rest = rest
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}
        self._guard = threading.Lock()

    def wait(self, name: str) -> float:
        """Seconds until the provider may be asked; 0 if it may be now. Asks for nothing."""
        with self._guard:
            until = self._circuit(name).shut_until
            return 0.0 if until is None else max(0.0, until - self._clock())

    def admit(self, name: str) -> bool:
        """Whether this request may go out. After the rest one request is the trial; others wait for what it brings.

        A trial that never reports (its process was stopped) is replaced after another rest.
        """
        with self._guard:
            circuit = self._circuit(name)
            if circuit.shut_until is None:
                return True
            now = self._clock()
            if now < circuit.shut_until:
                return False
            circuit.shut_until = now + self._rest
            return True

    def reason(self, name: str) -> str:
        """What the last failure said; empty if there was none since the last answer."""
        with self._guard:
            return self._circuit(name).reason

    def failed(self, name: str, reason: str = "") -> bool:
        """Count an unavailability; True if this one opened the circuit (a failed trial keeps it open)."""
        with self._guard:
            circuit = self._circuit(name)
            circuit.reason = reason
            circuit.failures += 1
            if circuit.failures < self._threshold and circuit.shut_until is None:
                return False
            opened = circuit.shut_until is None
            circuit.shut_until = self._clock() + self._rest
            return opened

    def answered(self, name: str) -> bool:
        """Count an answer; True if it closed an open circuit."""
        with self._guard:
            circuit = self._circuit(name)
            closed = circuit.shut_until is not None
            circuit.failures, circuit.shut_until, circuit.reason = 0, None, ""
            return closed

    def _circuit(self, name: str) -> _Circuit:
        return self._circuits.setdefault(name, _Circuit())
