"""Every payload of GitHub's published webhook examples, signed and delivered: none may fail, and each is answered 200.

    npm pack @octokit/webhooks-examples && tar xzf octokit-webhooks-examples-*.tgz
    python benchmarks/webhook_examples.py package/*/index.json

The examples (MIT licence) are not part of this repository. Each is delivered as JSON and as a form, in a workspace of its
own; prints a table of what came of each event, and exits 1 if an answer was other than 200.
"""

from __future__ import annotations

import collections
import hashlib
import hmac
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from autonomy.bootstrap import config
from autonomy.bootstrap.app import App, open_app
from autonomy.ingress import github
from autonomy.ingress.reply import Reply

SECRET = b"It's a Secret to Everybody"


def deliver(app: App, event: str, delivery: str, body: bytes, content_type: bytes) -> Reply:
    """One signed delivery."""
    signature = b"sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()
    headers = [
        (b"x-github-event", event.encode()), (b"x-github-delivery", delivery.encode()), (b"x-hub-signature-256", signature),
        (b"content-type", content_type),
    ]  # fmt: skip
    return github.receive(body, headers, secret=SECRET, options=github.Options(), tasks=app.tasks, database=app.database)


def main(paths: list[str]) -> int:
    """Deliver every example of the files."""
    kinds: list[dict[str, Any]] = [kind for path in paths for kind in json.loads(Path(path).read_text("utf-8"))]
    came: collections.Counter[tuple[str, str]] = collections.Counter()
    bad: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder, open_app(config.load({"AUTONOMY_HOME": folder})) as app:
        number = 0
        for kind in kinds:
            for example in kind["examples"]:
                number += 1
                text = json.dumps(example)
                for form, body, content_type in (
                    ("json", text.encode(), b"application/json"),
                    ("form", urlencode({"payload": text}).encode(), b"application/x-www-form-urlencoded"),
                ):
                    start = time.perf_counter()
                    reply = deliver(app, kind["name"], f"{number}-{form}", body, content_type)
                    slowest = max(slowest, time.perf_counter() - start)
                    came[kind["name"], reply.body["status"]] += 1
                    if reply.status != 200:
                        bad.append(f"{kind['name']} {number} {form}: {reply.status} {reply.body}")
    for (name, effect), count in sorted(came.items()):
        print(f"{name:<36} {effect:<10} {count:>4}")
    print(f"{number} examples, {sum(came.values())} deliveries, slowest {slowest * 1000:.0f} ms, {len(bad)} not answered 200")
    print("\n".join(bad))
    return 1 if bad or not number else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
