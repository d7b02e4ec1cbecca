"""People and their handles, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from rest_framework import serializers

from accounts.rest.fields import NetworkKey, QueryId, Words
from accounts.rest.views import Kind, ListEndpoint, PageQuery, RecordEndpoint, brand_ids
from contacts.models import Acquaintance, Contact, Identity, IdentityLink

if TYPE_CHECKING:
    from django.db.models import QuerySet


class HandleSerializer(serializers.Serializer[Identity]):
    """An identity, as far as its network tells."""

    id = serializers.IntegerField()
    network = serializers.CharField()
    external_id = serializers.CharField()
    handle = serializers.CharField()
    name = serializers.CharField()
    permalink = serializers.CharField()
    followers = serializers.IntegerField(allow_null=True)
    verified = serializers.BooleanField(allow_null=True)


class LinkedHandleSerializer(serializers.Serializer[IdentityLink]):
    """A handle of a contact, and on what proof and since when it is theirs."""

    identity = HandleSerializer()
    proof = serializers.ChoiceField(choices=IdentityLink.Proof.values)
    linked_at = serializers.DateTimeField()


class ContactSerializer(serializers.Serializer[Contact]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    organisation = serializers.CharField()
    location = serializers.CharField()
    language = serializers.CharField()
    tags = serializers.SerializerMethodField()
    identities = LinkedHandleSerializer(source="open_links", many=True)
    created_at = serializers.DateTimeField()

    def get_tags(self, contact: Contact) -> list[str]:
        return [tag.name for tag in contact.tags.all()]


class IdentitySerializer(HandleSerializer):
    avatar_url = serializers.CharField(help_text="On the network's own server.")
    gone = serializers.CharField(help_text="Why its content may no longer be kept; empty while it may.")
    contact = serializers.SerializerMethodField(help_text="Id of the contact it belongs to.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_contact(self, identity: Identity) -> int:
        links: list[IdentityLink] = identity.open_links  # type: ignore[attr-defined]  # prefetched
        return links[0].contact_id


SHORTEST_PART = 2  # letters of a name


class ContactQuery(PageQuery):
    brand = QueryId(required=False, help_text="Those who spoke with this brand.")
    network = NetworkKey(required=False, help_text="Those who have a handle on this network.")
    tag = Words(required=False, max_length=50, help_text="Those who bear this tag.")
    email = Words(required=False, max_length=254, help_text="Those of this e-mail address, whatever its case.")
    q = Words(
        required=False, min_length=SHORTEST_PART, max_length=100, trim_whitespace=False,
        help_text="Part of a name or a handle. One letter among spaces finds nobody.",
    )  # fmt: skip


class IdentityQuery(PageQuery):
    contact = QueryId(required=False, help_text="The handles of this contact.")
    network = NetworkKey(required=False)
    handle = Words(required=False, max_length=255, help_text="The whole handle, whatever its case, without @.")
    external_id = Words(required=False, max_length=255, help_text="The network's own id.")


class Contacts(Kind):
    tag = "contacts"
    answer_class = ContactSerializer

    def rows(self) -> QuerySet[Contact]:
        open_links = IdentityLink.objects.filter(ended_at=None).select_related("identity").order_by("id")
        seen = Contact.objects.visible_to(self.user)
        return seen.prefetch_related("tags", Prefetch("links", open_links, "open_links"))


class ContactList(Contacts, ListEndpoint):
    """List contacts

    People who spoke with a brand you see, the newest record first.
    """

    operation = "list_contacts"
    query_class = ContactQuery

    def narrowed(self, rows: QuerySet[Contact], asked: dict[str, Any]) -> QuerySet[Contact]:
        brands = brand_ids(asked, self.user)
        if brands is not None:
            rows = rows.filter(pk__in=Acquaintance.objects.filter(brand__in=brands).values("contact"))
        if "network" in asked:
            rows = rows.filter(_has_handle(identity__network=asked["network"]))
        if "tag" in asked:
            rows = rows.filter(tags__name=asked["tag"])
        if "email" in asked:
            rows = rows.filter(email__iexact=asked["email"])
        if "q" in asked:
            part = asked["q"].strip()
            rows = rows.filter(pk__in=_called(part)) if len(part) >= SHORTEST_PART else rows.none()
        return rows


class ContactRecord(Contacts, RecordEndpoint):
    """Read a contact

    Whether one of its handles is blocked on a network, and how far that came, is told by the list of blockings.
    """

    operation = "read_contact"


class Identities(Kind):
    tag = "identities"
    answer_class = IdentitySerializer

    def rows(self) -> QuerySet[Identity]:
        open_links = IdentityLink.objects.filter(ended_at=None)
        return Identity.objects.visible_to(self.user).prefetch_related(Prefetch("links", open_links, "open_links"))


class IdentityList(Identities, ListEndpoint):
    """List identities

    Handles of the contacts you see, the newest record first.
    """

    operation = "list_identities"
    query_class = IdentityQuery
    filters = {"network": "network", "external_id": "external_id", "handle": "handle__iexact"}

    def narrowed(self, rows: QuerySet[Identity], asked: dict[str, Any]) -> QuerySet[Identity]:
        brands = brand_ids(asked, self.user)
        if brands is not None:
            links = IdentityLink.objects.filter(ended_at=None, contact__acquaintances__brand__in=brands)
            rows = rows.filter(pk__in=links.values("identity"))
        if "contact" in asked:
            links = IdentityLink.objects.filter(identity=OuterRef("pk"), ended_at=None, contact=asked["contact"])
            rows = rows.filter(Exists(links))
        return rows


class IdentityRecord(Identities, RecordEndpoint):
    """Read an identity

    Whether it is blocked on its network, and how far that came, is told by the list of blockings.
    """

    operation = "read_identity"


def _called(part: str) -> QuerySet[Any, Any]:
    """The ids of contacts with this part in a name or a handle: each half by its own index."""
    by_name = Contact.objects.filter(name__icontains=part).values_list("pk", flat=True)
    links = IdentityLink.objects.filter(ended_at=None)
    by_handle = links.filter(identity__handle__icontains=part).values_list("contact_id", flat=True)
    return by_name.union(by_handle)


def _has_handle(**such: Any) -> Q:
    return Q(Exists(IdentityLink.objects.filter(contact=OuterRef("pk"), ended_at=None, **such)))
