"""Leases: a dead worker's lock is free, a frozen one's is not, and a clock that jumps takes nothing from the living."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autonomy.core.errors import ConfigurationError, InvalidInput, LeaseLost, StorageUnavailable
from autonomy.runtime import lease
from autonomy.runtime.lease import Held, Presence, Watch
from autonomy.storage.database import Database, Tx

SLEEPER = """
import sys
from autonomy.runtime import lease
with lease.Presence() as here:
    print(here.identity, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@contextmanager
def other_worker() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def held(holder: str, until: int, epoch: int = 1) -> Held:
    return Held(job_id=1, epoch=epoch, holder=holder, lease_until=until, lease_us=8_000_000)


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# -- signs of life ------------------------------------------------------------------------------------


def test_a_worker_lives_while_its_process_does_and_leaves_nothing_behind() -> None:
    watch = Watch()
    with Presence() as here:
        assert watch.life(here.identity) == "alive"
    assert watch.life(here.identity) == "unknown"
    assert list(lease.lock_folder().iterdir()) == []


def test_kill_9_frees_the_lock_and_freezing_does_not() -> None:
    watch = Watch()
    with other_worker() as (process, identity):
        assert watch.life(identity) == "alive"
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert watch.life(identity) == "alive"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert watch.life(identity) == "gone"


def test_a_worker_that_breaks_off_in_an_error_is_seen_to_be_gone() -> None:
    here = Presence()
    with pytest.raises(RuntimeError), here:
        raise RuntimeError
    assert Watch().life(here.identity) == "gone"


def test_workers_of_other_hosts_and_made_up_names_are_left_to_their_leases() -> None:
    watch = Watch()
    with Presence() as here:
        host, pid, token = here.identity.rsplit(":", 2)
        for holder in (f"elsewhere:{pid}:{token}", f"{host}:{pid}:../../etc/x", f"{host}:{pid}:{'0' * 16}", "", "::", "x"):
            assert watch.life(holder) == "unknown"


def test_a_new_worker_clears_the_locks_of_the_long_dead_away_and_no_others() -> None:
    with pytest.raises(RuntimeError), Presence():
        raise RuntimeError
    long_dead = next(lease.lock_folder().iterdir())
    with pytest.raises(RuntimeError), Presence() as lately:
        raise RuntimeError
    with other_worker() as (_, identity):
        old = lease.lock_folder() / f"{identity.rsplit(':', 1)[1]}.lock"
        for path in (long_dead, old):
            os.utime(path, (1, 1))
        with Presence() as here:
            left = {path.stem for path in lease.lock_folder().iterdir()}
            assert left == {each.rsplit(":", 1)[1] for each in (lately.identity, identity, here.identity)}


def test_dead_holders_are_looked_for_now_and_then() -> None:
    clock = Clock()
    watch = Watch(clock)
    assert [watch.due(), watch.due()] == [True, False]
    clock.now += lease.LOOK_SECONDS
    assert [watch.due(), watch.due()] == [True, False]


def test_the_folder_of_locks_is_private_and_somebody_elses_is_refused(tmp_path: Path) -> None:
    folder = lease.lock_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="private"):
        lease.lock_folder()
    folder.rmdir()
    folder.parent.rmdir()
    folder.parent.symlink_to(tmp_path)
    with pytest.raises(ConfigurationError):
        lease.lock_folder()


# -- judging ------------------------------------------------------------------------------------------


def test_a_holder_out_of_sight_is_judged_by_its_lease_alone() -> None:
    watch = Watch()
    assert watch.over(held("elsewhere:1:" + "0" * 16, until=10), now=11, patient=True)
    assert not watch.over(held("elsewhere:1:" + "0" * 16, until=10), now=10, patient=True)


def test_a_dead_holder_on_this_host_is_over_whatever_its_lease_says() -> None:
    here = Presence()
    with pytest.raises(RuntimeError), here:
        raise RuntimeError
    assert Watch().over(held(here.identity, until=10**18), now=1, patient=True)


def test_a_clock_that_jumps_takes_no_job_from_a_worker_that_still_beats() -> None:
    clock = Clock()
    watch = Watch(clock)
    jumped = 2 * 3600 * 1_000_000
    with Presence() as here:
        assert not watch.over(held(here.identity, until=8_000_000), now=jumped, patient=True)
        clock.now += 2.0
        assert not watch.over(held(here.identity, until=8_000_000), now=jumped + 2_000_000, patient=True)
        assert not watch.over(held(here.identity, until=jumped + 11_000_000), now=jumped + 3_000_000, patient=True)
        clock.now += 100.0
        assert not watch.over(held(here.identity, until=jumped + 111_000_000), now=jumped + 103_000_000, patient=True)


def test_a_frozen_worker_that_was_watched_going_late_is_over_when_its_lease_is() -> None:
    clock = Clock()
    watch = Watch(clock)
    with Presence() as here:
        assert not watch.over(held(here.identity, until=8_000_000), now=4_000_000, patient=True)
        clock.now += 3.9
        assert not watch.over(held(here.identity, until=8_000_000), now=7_900_000, patient=True)
        clock.now += 0.2
        assert watch.over(held(here.identity, until=8_000_000), now=8_100_000, patient=True)


def test_a_person_need_not_be_patient() -> None:
    with Presence() as here:
        assert Watch().over(held(here.identity, until=10), now=11, patient=False)


# -- heartbeat ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 0.5, -1, float("nan"), float("inf"), 10**6])
def test_a_lease_that_cannot_hold_four_beats_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidInput, match="lease"):
        lease.lease_us(seconds)


def test_the_heartbeat_goes_on_while_the_main_thread_is_busy(database: Database) -> None:
    beats, enough = [0], threading.Event()

    def beat(tx: Tx) -> None:
        beats[0] += 1
        if beats[0] == 3:
            enough.set()

    with lease.Heartbeat(database, 1.0) as heartbeat:
        heartbeat.add(1, beat, lambda: None, lambda _: None)
        assert enough.wait(20)


def test_a_lost_lease_and_each_request_are_told_once(database: Database) -> None:
    told, lost = list[str](), threading.Event()
    answers = iter(["pause", "pause", "abort"])

    def beat(tx: Tx) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise LeaseLost("gone") from None

    with lease.Heartbeat(database, 1.0) as heartbeat:
        heartbeat.add(1, beat, lost.set, told.append)
        assert lost.wait(20)
    assert told == ["pause", "abort"]


def test_a_worker_that_cannot_beat_gives_its_job_up_before_the_lease_is_over(database: Database) -> None:
    lost, tries = threading.Event(), [0]

    def beat(tx: Tx) -> None:
        tries[0] += 1
        raise StorageUnavailable("no database")

    with lease.Heartbeat(database, 1.0) as heartbeat:
        heartbeat.add(1, beat, lost.set, lambda _: None)
        assert lost.wait(20)
    assert tries[0] >= 3


def test_a_worker_that_overslept_its_lease_asks_before_it_gives_its_job_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("autonomy.runtime.lease.time.monotonic", clock)
    lost, beaten = list[str](), list[str]()
    heartbeat = lease.Heartbeat(database, 1.0)  # not started: the beat is asked for here

    def job(name: str, beat: Callable[[Tx], None]) -> lease._Beating:
        return lease._Beating(beat, lambda: lost.append(name), lambda _: None, clock.now)

    heartbeat._jobs = {1: job("mine", lambda tx: beaten.append("mine")), 2: job("taken", taken)}
    clock.now += 60.0
    heartbeat._beat(dict(heartbeat._jobs))
    if heartbeat._own is not None:
        heartbeat._own.close()
    assert (set(beaten), lost, list(heartbeat._jobs)) == ({"mine"}, ["taken"], [1])
    assert heartbeat._jobs[1].good == clock.now


def taken(tx: Tx) -> None:
    raise LeaseLost("another worker has it")


def test_nothing_beats_for_a_job_that_was_dropped_and_idle_heartbeats_sleep(database: Database) -> None:
    beaten = threading.Event()
    with lease.Heartbeat(database, 1.0) as heartbeat:
        heartbeat.add(1, lambda tx: beaten.set(), lambda: None, lambda _: None)
        assert beaten.wait(20)
        heartbeat.drop(1)
        before = database.commits
    assert database.commits <= before + 1
