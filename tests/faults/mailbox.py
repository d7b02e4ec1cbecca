"""Where mails of the product go on the stage: a ledger, one line for each mail, written to disk before it is taken."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

NAME = "mails.jsonl"


class Mailbox(BaseEmailBackend):
    """`EMAIL_BACKEND=tests.faults.mailbox.Mailbox`; the ledger lies in DATA_DIR."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            line = {"to": sorted(mail.to), "subject": mail.subject, "body": mail.body, **mail.extra_headers}
            with (Path(os.environ["DATA_DIR"]) / NAME).open("a") as ledger:
                ledger.write(json.dumps(line, default=str) + "\n")
                ledger.flush()
                os.fsync(ledger.fileno())
        return len(email_messages)


def mails(root: Path) -> Iterator[dict[str, Any]]:
    """What was taken."""
    path = root / NAME
    for line in path.read_text().splitlines() if path.exists() else ():
        yield json.loads(line)
