"""What the scripted world makes of a draft: its quotations by number, and the report that flags some of them."""

from __future__ import annotations

import json
import re

from autonomy.core.errors import InvalidInput
from autonomy.evaluation.task import Brought

_BODY = re.compile(r"^## .*?(?=^## (?:References|Notes)\s*$|\Z)", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"“(?P<inline>[^“”]+)”|^> (?P<block>.+)$", re.MULTILINE)
_MARK = re.compile(r"\s*(?:\([^()]*\)|\[\d+(?:, \d+)*\])\s*$")


def quotations(draft: str) -> list[str]:
    """The quotations of a draft in their order, without their marks: between the first heading and notes or references.

    >>> quotations('# T\\n\\n> No.\\n\\n## A\\n\\nIt says: “First.” (*B*).\\n\\n> Second. (*C*, n.d.)\\n\\n## References\\n')
    ['First.', 'Second.']
    """
    body = _BODY.search(draft)
    found = _QUOTED.finditer(body.group()) if body else ()
    return [each["inline"] or _MARK.sub("", each["block"]) for each in found]


def report(brought: Brought, draft: str) -> tuple[bytes, list[str]]:
    """The report as JSON, and the passages that it flags. Raises InvalidInput for a number that the draft does not reach."""
    quoted = quotations(draft)
    beyond = [number for number in brought.flag if number > len(quoted)]
    if beyond:
        raise InvalidInput(f"the draft has {len(quoted)} quotations, none numbered {beyond[0]}", "Flag fewer.")
    passages = [quoted[number - 1] for number in brought.flag]
    body = {"overall": brought.similarity, "flagged": [{"text": text, "source": "www.example.org"} for text in passages]}
    return json.dumps(body, ensure_ascii=False).encode(), passages
