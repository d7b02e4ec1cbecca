"""What our mails have in common: their names, their reader's language, and how one leaves once."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.utils import translation

from accounts.alone import alone
from accounts.failpoints import failpoint
from accounts.models import User

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person. Written anew with the same kind and key it is the same mail, and readers show it once."""

    kind: str  # one word, which also names its failpoints
    key: object
    to: User
    subject: str
    text: str
    html: str = ""  # the same, where it has one
    headers: Mapping[str, str] = field(default_factory=dict)  # of its own

    @property
    def name(self) -> str:
        return f"<{self.kind}-{self.key}@{urlsplit(settings.PUBLIC_URL).hostname or 'localhost'}>"


def in_language_of(user: User) -> AbstractContextManager[Any]:
    """What is translated within is in the language of the user's pages."""
    return translation.override(user.language or translation.get_language())


def mail_once(letter: Letter, due: QuerySet[Any], *, rows: int = 1, lock: tuple[int, int], **noted: Any) -> bool:
    """Mails what `due` says of this many rows, and notes on them that it was taken; False where it did not leave.

    By one worker at a time, who holds the advisory lock. It is noted afterwards: where the mail cannot be sent, or who
    sends it dies, it is due again, under the same Message-ID. To be told twice is better than never.
    """
    with alone(*lock) as ours:
        if not (ours and due.count() == rows and _send(letter)):
            return False
        failpoint(f"{letter.kind}.mailed")
        due.update(**noted)
        return True


def _send(letter: Letter) -> bool:
    failpoint(f"{letter.kind}.mailing")
    try:
        _message(letter).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("A mail (%s) could not be sent: %s", letter.kind, type(error).__name__)
        return False
    return True


def _message(letter: Letter) -> EmailMultiAlternatives:
    subject = " ".join(letter.subject.split())  # a name in it may hold what ends a line
    # No program answers what a program sent (RFC 3834).
    headers = {"Message-ID": letter.name, "Auto-Submitted": "auto-generated", **letter.headers}
    message = EmailMultiAlternatives(subject, letter.text, None, [letter.to.email], headers=headers)
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message
