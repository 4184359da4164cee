"""Logs of a command: structured, without credentials, and only where they are wanted."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from autonomy.bootstrap import config
from cli.logs import logging_to_stderr

SETTINGS = {
    "AUTONOMY_ADMIN_TOKEN": "admin-secret",
    "OPENAI_API_KEY": "sk-secret",
    "AUTONOMY_DATABASE_URL": "postgresql://u:db%40secret@h/d",
}


def test_a_line_holds_its_fields_and_no_credential(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = config.load({**SETTINGS, "AUTONOMY_HOME": str(tmp_path)})
    with logging_to_stderr(settings, aloud=True):
        text = "401 for sk-secret with admin-secret at u:db@secret or db%40secret\x1b[2J\nnext"
        logging.getLogger("autonomy.calls").info("%s", text, extra={"run_id": "r1", "attempts": 2, "key": "sk-secret"})
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    body = json.loads(shown)
    fields = {"level": "info", "logger": "autonomy.calls", "run_id": "r1", "attempts": 2, "key": "****"}
    assert fields.items() <= body.items()
    assert "secret" not in shown
    assert "\x1b" not in body["message"]


def test_a_watched_command_is_not_disturbed_by_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr(config.load({"AUTONOMY_HOME": str(tmp_path)}), aloud=False):
        logging.getLogger("autonomy.calls").warning("request failed, another follows")
    assert capsys.readouterr().err == ""


def test_nothing_stays_behind(tmp_path: Path) -> None:
    before = list(logging.getLogger("autonomy").handlers)
    for aloud in (True, False):
        with logging_to_stderr(config.load({"AUTONOMY_HOME": str(tmp_path)}), aloud=aloud):
            assert len(logging.getLogger("autonomy").handlers) == len(before) + 1
    assert logging.getLogger("autonomy").handlers == before
