"""No credential enters: seven of them, in each encoding, at every place a value can stand."""

from __future__ import annotations

import base64
import html
import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from autonomy.audit.log import AuditLog
from autonomy.audit.redact import MASK, Redactor
from autonomy.storage.database import Database

CANARIES = (
    "admin-T0ken/with+signs=and&more",
    "123456789:AAE-x_canary0123456789abcdefghijkl",
    'webhook secret with spaces "quoted" <é>',
    "sk-canary0000111122223333",
    "p@ss:w/rd?#1",
    "ghp_canary01234567890123456789",
    "日本語の秘密の鍵",
)
ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "json": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "html": html.escape,
    "basic authorization": lambda text: "Basic " + base64.b64encode(f"user:{text}".encode()).decode(),
    "inside base64": lambda text: base64.b64encode(f"ab{text}cd".encode()).decode(),
}


def traces(canary: str) -> list[str]:
    """What must not be found: the spellings, without what the log's own JSON would escape, and long pieces of them."""
    spelled = [encode(canary) for name, encode in ENCODINGS.items() if name not in ("basic authorization", "inside base64")]
    inner = [json.dumps(text, ensure_ascii=False)[1:-1] for text in spelled]
    core = base64.b64encode(b"ab" + canary.encode()).decode()[4:-4]
    return [*inner, core, *(text[4:-4] for text in inner if len(text) > 16)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("canary", CANARIES)
def test_a_known_credential_is_written_in_no_spelling_and_at_no_place(
    folder: Path, canary: str, encoding: str, tmp_path: Path, sqlite_template: Path
) -> None:
    import shutil

    shutil.copy(sqlite_template, tmp_path / "a.db")
    text = ENCODINGS[encoding](canary)
    with Database(f"sqlite:///{tmp_path / 'a.db'}", grow_wal=False) as database:
        log = AuditLog(folder, database, secrets=CANARIES)
        log.append(
            "error", correlation_id=text, actor=f"x{text}", about=f"before {text} after", url=f"https://h/{text}/x?a={text}",
            deep=[{"a": {text: [text, text.encode()]}}], long="y" * 1990 + text,
        )  # fmt: skip
        log.append(f"action {text}", correlation_id="c", actor="a", error=ValueError(text))
        written = b"".join(path.read_bytes() for path in folder.glob("events*")).decode()
        stored = database.read(lambda tx: tx.value("SELECT pending FROM audit_head"))
    for trace in traces(canary):
        assert trace not in written
        assert trace not in stored
    assert written.count(MASK) >= 8


def test_a_credential_is_found_whichever_of_its_characters_are_escaped() -> None:
    dice = random.Random(5)
    redactor = Redactor(CANARIES)
    ways: list[Callable[[str], str]] = [
        str, lambda each: "".join(f"%{byte:02X}" for byte in each.encode()), lambda each: f"\\u{ord(each):04X}",
        lambda each: f"&#{ord(each)};", lambda each: f"&#x{ord(each):X};",
    ]  # fmt: skip
    for _ in range(500):
        canary = dice.choice(CANARIES)
        spelled = "".join(dice.choice(ways)(each) for each in canary)
        assert redactor.text(f"a {spelled} b") == f"a {MASK} b"


@pytest.mark.parametrize(
    "text",
    [
        "POST https://api.telegram.org/bot111222333:AAHsecret_part-of-it/getUpdates",
        "the token is 987654321:AAHsecret_part-of-it0123456789abcdefgh",
        "Authorization: Bearer AAHsecret_part-of-it",
        "postgresql://user:AAHsecret_part-of-it@host/name",
        "https://host/path?api_key=AAHsecret_part-of-it&x=1",
        "key sk-AAHsecret_part-of-it0000",
    ],
)
def test_a_credential_nobody_told_of_is_known_by_its_looks(text: str) -> None:
    told = Redactor().text(text)
    assert MASK in told
    assert "AAHsecret_part-of-it" not in told


@pytest.mark.parametrize(
    "name",
    ["token", "bot_token", "BOT_TOKEN", "botToken", "X-Telegram-Bot-Api-Secret-Token", "secret", "webhookSecret", "password",
     "Authorization", "set-cookie", "Cookie", "api_key", "apiKey", "APIKey", "OPENAI_API_KEY", "private_key", "credentials",
     "secrets", "pin"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hush", ["hush"], {"a": "hush"}, b"hush"])
def test_what_stands_under_the_name_of_a_credential_is_masked(name: str, value: Any) -> None:
    assert Redactor().plain({"headers": {name: value}}) == {"headers": {name: MASK}}


@pytest.mark.parametrize(
    "kept",
    [{"tokens": 500}, {"tokens": {"limit": 5, "used": 3, "reserved": 0}}, {"tokens_in": 3}, {"signature_valid": True},
     {"secret_valid": False}, {"keys": ["a"]}, {"key": "a"}, {"monkey": "a"}, {"author": "a"}, {"task_id": "t1"},
     {"token": None}, {"shipping": "a"}],
)  # fmt: skip
def test_what_only_sounds_like_a_credential_is_kept(kept: dict[str, Any]) -> None:
    assert Redactor().plain(kept) == kept


def test_a_number_under_the_name_of_a_password_is_masked() -> None:
    assert Redactor().plain({"password": 123456, "pin": 1234}) == {"password": MASK, "pin": MASK}


def test_innocent_text_is_kept_as_it_is() -> None:
    dice = random.Random(11)
    redactor = Redactor(CANARIES)
    for _ in range(300):
        text = "".join(dice.choices(string.ascii_letters + string.digits + " .,/äß", k=60))
        assert redactor.text(text) == text


def test_a_short_secret_masks_no_innocent_words() -> None:
    assert Redactor(["abc", ""]).text("abcdef") == "abcdef"
