"""A real server for a phase: `autonomy serve` in a process of its own, over a scratch workspace, on a free loopback port.

The phases speak to it over HTTP only, and look at the files it writes. It is ended by SIGTERM; what it logged stays in the
scratch workspace until the phase has copied it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from autonomy.bootstrap.config import little
from autonomy.core.errors import AutonomyError

START_SECONDS = 60.0
CHAT = 4242
"""The one Telegram chat that the scratch workspace listens to."""
ENTRY = ("-c", "from cli.main import entry; entry()", "serve")
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used on a loopback address; made once, since a client would read all the system's authorities for one of its own."""
CORPUS = {
    "leases.md": "# Leases\n\n## How a lease works\n\nA lease is a claim on a job that ends by itself after a fixed time. "
    "The worker renews its lease with a heartbeat as long as it is alive. A lease that is not renewed runs out, and another "
    "worker may take the job over.\n\n## Fencing\n\nA fencing token is a number that rises with every claim of a job. "
    "A store that refuses every write with an old number is safe from a worker that woke up too late.\n",
    "checkpoints.md": "# Checkpoints\n\n## What a checkpoint is\n\nA checkpoint is a stored copy of everything that a job "
    "needs to go on. After a crash the job loads its latest checkpoint and repeats only what came after it.\n\n"
    "## When to write one\n\nA checkpoint is written after each step whose result is expensive to repeat. The checkpoint and "
    "the events of a step are written in one transaction, so that the story never differs from the state.\n",
    "keys.md": "# Idempotency keys\n\n## What a key is for\n\nAn idempotency key is a value that the client chooses once for "
    "each operation. A server that has seen the key answers with the stored result and does nothing a second time.\n",
}


class ServerFailed(AutonomyError):
    """The server did not come up, or did not leave."""

    code = "server-failed"


@dataclass
class Server:
    """A running server: its address, its workspace, its secrets. `command` replaces the program that serves, `model` is the
    address of a model that runs may ask.

    `patience` is how many seconds it may take to leave before it is killed.
    """

    home: Path
    command: Sequence[str] = ENTRY
    database_url: str | None = None
    workers: int = 1
    patience: float = 15.0
    model: str | None = None
    admin: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    webhook: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    telegram: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    port: int = 0
    code: int | None = None
    """The exit code with which it left."""
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it wrote to stdout and stderr."""
        return self.home / "server.log"

    @property
    def tasks(self) -> Path:
        """Where the task files are."""
        return self.home / "ssot"

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.home / "audit" / "events.jsonl"

    def environ(self) -> Mapping[str, str]:
        """What the server process sees: the little it needs of ours, and the scratch workspace."""
        return {
            **little(os.environ, self.home, self.database_url),
            "AUTONOMY_ADMIN_TOKEN": self.admin,
            "WEBHOOK_SECRET": self.webhook,
            "TELEGRAM_SECRET": self.telegram,
        }

    def prepare(self) -> None:
        """Make the workspace with its settings and a small corpus."""
        corpus = self.home / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for name, text in CORPUS.items():
            (corpus / name).write_text(text, "utf-8")
        settings = f'[corpora]\nsample = "corpus"\n\n[tasks]\ncorpus = "sample"\n\n[telegram]\nchats = ["{CHAT}"]\n'
        if self.model is not None:
            settings += f'\n[[providers]]\nname = "model"\nkind = "local"\nmodel = "m"\nbase_url = "{self.model}"\n'
        (self.home / "autonomy.toml").write_text(settings, "utf-8")

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ServerFailed with the end of its log."""
        self.port = self.port or free_port()
        words = [*self.command, "--port", str(self.port), "--workers-inline", str(self.workers)]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=self.home, env=dict(self.environ()), stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        await self._ready(self._process)

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False, verify=_NO_TLS) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz", timeout=2)).status_code == 200:
                        return
                if process.returncode is not None:
                    raise ServerFailed(f"the server ended with code {process.returncode}: {self._tail()}", "See its log.")
                if asyncio.get_running_loop().time() > deadline:
                    await self.stop()
                    raise ServerFailed(f"the server did not answer within {START_SECONDS:g} s: {self._tail()}", "See its log.")
                await asyncio.sleep(0.02)

    def _tail(self) -> str:
        lines = self.log.read_text("utf-8", "replace").split("\n") if self.log.exists() else []
        return " / ".join(line.strip() for line in lines[-6:] if line.strip())[-600:]

    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """End it as a crash would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> float:
        """SIGTERM, and wait; returns the seconds it took. Raises ServerFailed when it had to be killed."""
        began = asyncio.get_running_loop().time()
        in_time = await self._end(signal.SIGTERM)
        took = asyncio.get_running_loop().time() - began
        if not in_time:
            raise ServerFailed(f"the server was still there {self.patience:g} s after SIGTERM", "See its log.")
        return took

    async def _end(self, how: signal.Signals) -> bool:
        process, self._process = self._process, None
        if process is None:
            return True
        in_time = True
        if process.returncode is None:
            process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), self.patience)
        except TimeoutError:
            process.kill()
            await process.wait()
            in_time = False
        self.code = process.returncode
        return in_time

    def client(self, token: str | None = None, *, connections: int = 100) -> httpx.AsyncClient:
        """An HTTP client with the admin's token, or another."""
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        headers = {"Authorization": f"Bearer {self.admin if token is None else token}"}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, timeout=30, trust_env=False, verify=_NO_TLS
        )  # fmt: skip


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """The server, started and in the end stopped, whatever happens in between."""
    server.prepare()
    await server.start()
    try:
        yield server
    finally:
        if server.alive():
            await server.stop()


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
