"""What contacts tells those above it, inside the transaction of the deed."""

from django.dispatch import Signal

# sender: Merge; identity_ids: list[int]; old: Contact; new: Contact. What stands under these identities now belongs
# to `new`; both contacts' acquaintances are to be drawn up anew.
identities_moved = Signal()
