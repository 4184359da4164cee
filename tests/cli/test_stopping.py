"""Which signals a command that works a run in the foreground takes for a stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cli import foreground
from cli.live import PlainView
from cli.output import Output


@pytest.fixture
def hang_up() -> Iterator[Any]:
    before = signal.getsignal(signal.SIGHUP)
    yield before
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_hang_up_that_was_ignored_before_stays_ignored(hang_up: Any, ignored: bool) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    out = Output()
    with foreground.stopping(out, "run", PlainView(out), None) as stopper:
        during = signal.getsignal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGINT) is stopper
    assert during is (signal.SIG_IGN if ignored else stopper)
    assert signal.getsignal(signal.SIGHUP) is (signal.SIG_IGN if ignored else signal.SIG_DFL)
