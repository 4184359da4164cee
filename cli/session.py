"""What a command is handed: its output, and the ways to the settings and to the application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.output import Output

if TYPE_CHECKING:
    from autonomy.bootstrap.app import App
    from autonomy.bootstrap.settings import Settings


class Session:
    """One invocation. `open_app` may be replaced, so that tests can hand in another application."""

    def __init__(self, out: Output, *, debug: bool = False, open_app: Callable[..., Any] | None = None) -> None:
        self.out = out
        self.debug = debug
        self._open_app = open_app
        self._json = self._no_color = False

    def note(self, *, json: bool, debug: bool, no_color: bool) -> None:
        """Add the flags parsed at one place: before the command, after the noun, or after the verb. One place is enough."""
        self._json |= json
        self._no_color |= no_color
        self.debug |= debug

    def use_noted(self) -> None:
        """Speak as the flags noted so far ask for; until then the output is what the raw words seemed to ask for."""
        if self._json != self.out.json or self._no_color:
            self.out = Output(json=self._json, no_color=self._no_color)

    def settings(self, flags: Mapping[str, Any] | None = None) -> Settings:
        """The settings of this invocation; `flags` maps dotted keys to values of the command line."""
        from autonomy.bootstrap import config

        return config.load(os.environ, flags)

    @contextmanager
    def app(self, flags: Mapping[str, Any] | None = None, *, logs: bool = False, writes: bool = True) -> Iterator[App]:
        """The application over a checked workspace; closed at the end. `logs` go to stderr, as under --debug.

        A command that only looks says so with `writes=False`: it also works where nothing can be written.
        """
        from autonomy.bootstrap import config
        from cli.logs import logging_to_stderr

        settings = self.settings(flags)
        config.check_workspace(settings.home, writes=writes)
        with (
            logging_to_stderr(settings, aloud=logs or self.debug),
            (self._open_app or _open_app)(settings, writes=writes) as app,
        ):
            yield app


def _open_app(settings: Settings, *, writes: bool) -> App:
    from autonomy.bootstrap.app import open_app

    return open_app(settings, writes=writes)
