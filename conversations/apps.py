from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "conversations"

    def ready(self) -> None:
        from channels_ingest.signals import posts_received
        from contacts.signals import identities_moved
        from conversations.merging import follow
        from conversations.record import receive

        posts_received.connect(receive, dispatch_uid="conversations.record")
        identities_moved.connect(follow, dispatch_uid="conversations.merging")
