"""The one message that travels up: what a channel received, sent inside the transaction that stores it."""

from django.dispatch import Signal

# sender: Channel; channel: Channel; items: Sequence[Item]; returns a channels_ingest.ingest.Recorded
posts_received = Signal()
