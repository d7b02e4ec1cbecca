"""The shapes an address of the API can have: one record, a page of records, a deed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.access import declared
from accounts.models import Brand, User
from accounts.rest.fields import Query, QueryId, Strict
from accounts.rest.keyset import Keyset
from accounts.rest.parser import BoundedJSONParser
from accounts.rest.schema import ApiSchema
from accounts.rest.throttle import TokenThrottle
from accounts.roles import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rest_framework.request import Request
    from rest_framework.views import AsView, GenericView

Row = TypeVar("Row", bound=Model)

LARGEST_PAGE = 100


class RoleAllows(BasePermission):
    """Lets in who holds a token and whose role has the permission that the address needs."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and isinstance(view, Endpoint) and request.user.may(view.needs)


class ByAcceptHeader(DefaultContentNegotiation):
    """The format is chosen by the Accept header alone: no query parameter is kept for it."""

    settings: Any = SimpleNamespace(URL_FORMAT_OVERRIDE=None)


class Endpoint(APIView):
    """An address that says what it needs, takes and answers; checks and schema both follow from it."""

    needs: ClassVar[Permission] = Permission.READ
    tag: ClassVar[str]
    operation: ClassVar[str]  # the operation id in the schema
    query_class: ClassVar[type[Query]] = Query
    body_class: ClassVar[type[Strict] | None] = None
    upload_types: ClassVar[tuple[str, ...]] = ()  # the media types of a body that is a file
    answer_class: ClassVar[type[serializers.BaseSerializer[Any]]]
    paged: ClassVar[bool] = False  # answers with a page of these
    answers: ClassVar[dict[int, str]] = {200: "Done."}
    refusals: ClassVar[dict[int, str]] = {}  # besides those that every address may answer
    headers_taken: ClassVar[tuple[Any, ...]] = ()  # OpenApiParameter

    http_method_names = ["get", "head", "post"]
    permission_classes = [RoleAllows]
    renderer_classes = [JSONRenderer]
    parser_classes = [BoundedJSONParser]
    throttle_classes = [TokenThrottle]
    content_negotiation_class = ByAcceptHeader
    schema = ApiSchema()

    query: dict[str, Any]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> AsView[GenericView]:
        return declared(super().as_view(**initkwargs), cls.needs.value)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method and request.method.lower() in self.allowed_methods_lower:
            self.query = self.query_class.of(once_each(request))

    @property
    def allowed_methods_lower(self) -> set[str]:
        return {method.lower() for method in self.allowed_methods}

    @property
    def user(self) -> User:
        """Who holds the token. The permission check has seen to it that somebody does."""
        user = self.request.user
        if not isinstance(user, User):
            raise TypeError("This address was reached without a token.")
        return user

    def body(self) -> dict[str, Any]:
        """The checked body. Raises ValidationError, ParseError, UnsupportedMediaType, TooLarge."""
        if self.body_class is None:
            raise TypeError("This address takes no body.")
        taken = self.body_class(data=self.request.data)
        taken.is_valid(raise_exception=True)
        return dict(taken.validated_data)


class Kind(Endpoint):
    """Base of the addresses of one kind of record: its tag, its shape (`answer_class`), and who sees which."""

    def record(self, id: int) -> Any:
        """Raises Http404 for one that the user may not see."""
        return load(self.rows(), id)

    def rows(self) -> QuerySet[Any]:
        """The records the user may see, with all that the answer shows."""
        raise NotImplementedError


class RecordEndpoint(Kind):
    """One record that the user may see; 404 for any other."""

    answers = {200: "The record."}

    def get(self, request: Request, id: int) -> Response:
        return Response(self.answer_class(self.record(id)).data)


class PageQuery(Query):
    cursor = serializers.CharField(
        required=False, default="", max_length=512, help_text="Where to begin; taken from `next` of the page before."
    )
    limit = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=LARGEST_PAGE, help_text="Records on a page."
    )


class PageOfBrandQuery(PageQuery):
    brand = QueryId(required=False)


class ListEndpoint(Kind):
    """A page of records, newest first."""

    query_class = PageQuery
    answers = {200: "A page of records."}
    paged = True
    filters: ClassVar[Mapping[str, str]] = {}  # the parameters that narrow the rows, each with its lookup

    def get(self, request: Request) -> Response:
        asked = dict(self.query)
        cursor, limit = asked.pop("cursor"), asked.pop("limit")
        page = self.order(asked).page(self.wanted(asked), cursor=cursor, limit=limit, branches=self.branches(asked))
        return Response(
            {
                "results": self.answer_class(page.rows, many=True).data,
                "next": replace_query_param(request.build_absolute_uri(), "cursor", page.after) if page.after else None,
            }
        )

    def wanted(self, asked: dict[str, Any]) -> QuerySet[Any]:
        """The records the user may see, narrowed by what was asked for."""
        such = {lookup: asked[name] for name, lookup in self.filters.items() if name in asked}
        return self.narrowed(self.rows(), asked).filter(**such)

    def narrowed(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """The rows narrowed by what `filters` cannot say."""
        return rows

    def order(self, asked: dict[str, Any]) -> Keyset:
        return Keyset(self.tag)

    def branches(self, asked: dict[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Conditions that part these rows so that an index serves each: see `Keyset.page`."""
        return ()


def brand_ids(asked: dict[str, Any], user: User) -> list[int] | None:
    """The numbers of the brands whose records are asked for; None for all there are.

    Numbers in a query, rather than a join, let the planner know a small brand from a large one.
    """
    if user.sees_all_brands and "brand" not in asked:
        return None
    visible = Brand.objects.visible_to(user)
    return list((visible.filter(pk=asked["brand"]) if "brand" in asked else visible).values_list("pk", flat=True))


def of_brands(rows: QuerySet[Row], user: User) -> QuerySet[Row]:
    """Those of the rows, which have a `brand`, that the user may see."""
    brands = brand_ids({}, user)
    return rows if brands is None else rows.filter(brand__in=brands)


def load(rows: QuerySet[Any], id: int) -> Any:
    """The record of that id among those a user may see. Raises Http404."""
    record = rows.filter(pk=id).first()
    if record is None:
        raise Http404
    return record


def once_each(request: Request) -> dict[str, str]:
    """The query string as a mapping. Raises ValidationError where a parameter is given twice."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        raise serializers.ValidationError({"request": ["A query parameter is given more than once."]})
    return request.query_params.dict()
