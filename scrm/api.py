"""Everything under /api/v1/: the addresses, the schema and its readable page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.template import loader
from django.urls import path, re_path
from django.views.defaults import server_error as plain_server_error
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import declared
from accounts.api import Me, TeamList, TeamRecord
from accounts.rest.errors import Unavailable, problem
from accounts.rest.throttle import AddressThrottle
from accounts.rest.views import ByAcceptHeader
from channels_ingest.api import ChannelList, ChannelRecord
from contacts.api import ContactList, ContactRecord, IdentityList, IdentityRecord
from conversations.api import answers, articles, blockings, interactions, moderation, pictures, promises, threads
from scrm.api_docs import docs
from scrm.api_schema import OnceGenerated

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern
    from rest_framework.request import Request


class Schema(SpectacularAPIView):
    """The OpenAPI schema, as YAML or (`?format=json`) as JSON. It holds no data, so anybody may read it."""

    generator_class = OnceGenerated
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [AddressThrottle]


class Elsewhere(APIView):
    """Any address that the API does not have."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    content_negotiation_class = ByAcceptHeader
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is no such address. Addresses end with a slash.")

    def get(self, request: Request) -> Response:
        return Response(status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: programs get the shape they know, people a page. 503 where the database did not answer."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _unavailable(request)
    if request.path.startswith("/api/"):
        return JsonResponse(problem("server_error", "Something went wrong here. It was noted."), status=500)
    return plain_server_error(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(Unavailable.wait)}
    if request.path.startswith("/api/"):
        body = problem(Unavailable.default_code, Unavailable.default_detail)
        return JsonResponse(body, status=503, headers=headers)
    return HttpResponse(loader.get_template("503.html").render(), status=503, headers=headers)


urlpatterns: list[URLPattern] = [
    path("me/", Me.as_view(), name="api-me"),
    path("threads/", threads.ThreadList.as_view(), name="api-threads"),
    path("threads/<int:id>/", threads.ThreadRecord.as_view(), name="api-thread"),
    path("threads/<int:id>/possibilities/", answers.ThreadPossibilities.as_view(), name="api-possibilities"),
    path("threads/<int:id>/reply/", answers.Reply.as_view(), name="api-reply"),
    path("threads/<int:id>/assign/", threads.Assign.as_view(), name="api-assign"),
    path("threads/<int:id>/snooze/", threads.Snooze.as_view(), name="api-snooze"),
    path("threads/<int:id>/close/", threads.Close.as_view(), name="api-close"),
    path("threads/<int:id>/reopen/", threads.Reopen.as_view(), name="api-reopen"),
    path("threads/<int:id>/tags/", threads.TagThread.as_view(), name="api-tags"),
    path("threads/<int:id>/notes/", answers.WriteNote.as_view(), name="api-notes"),
    path("threads/<int:id>/pictures/", pictures.UploadPicture.as_view(), name="api-upload-picture"),
    path("pictures/", pictures.PictureList.as_view(), name="api-pictures"),
    path("pictures/<int:id>/removal/", pictures.RemovePicture.as_view(), name="api-remove-picture"),
    path("interactions/", interactions.InteractionList.as_view(), name="api-interactions"),
    path("interactions/<int:id>/", interactions.InteractionRecord.as_view(), name="api-interaction"),
    path("interactions/<int:id>/undo/", interactions.Undo.as_view(), name="api-undo"),
    path("interactions/<int:id>/retry/", interactions.Retry.as_view(), name="api-retry"),
    path("interactions/<int:id>/decide/", interactions.Decide.as_view(), name="api-decide"),
    path("interactions/<int:id>/moderate/", moderation.Moderate.as_view(), name="api-moderate"),
    path("promises/", promises.PromiseList.as_view(), name="api-promises"),
    path("promises/<int:id>/", promises.PromiseRecord.as_view(), name="api-promise"),
    path("promises/<int:id>/settle/", promises.SettlePromise.as_view(), name="api-settle"),
    path("interactions/<int:id>/article/", articles.DraftArticle.as_view(), name="api-draft-article"),
    path("articles/", articles.ArticleList.as_view(), name="api-articles"),
    path("articles/<int:id>/", articles.ArticleRecord.as_view(), name="api-article"),
    path("articles/<int:id>/edit/", articles.EditArticle.as_view(), name="api-edit-article"),
    path("articles/<int:id>/step/", articles.StepArticle.as_view(), name="api-step-article"),
    path("contacts/", ContactList.as_view(), name="api-contacts"),
    path("contacts/<int:id>/", ContactRecord.as_view(), name="api-contact"),
    path("identities/", IdentityList.as_view(), name="api-identities"),
    path("identities/<int:id>/", IdentityRecord.as_view(), name="api-identity"),
    path("blockings/", blockings.BlockingList.as_view(), name="api-blockings"),
    path("blockings/<int:id>/", blockings.BlockingRecord.as_view(), name="api-blocking"),
    path("channels/", ChannelList.as_view(), name="api-channels"),
    path("channels/<int:id>/", ChannelRecord.as_view(), name="api-channel"),
    path("teams/", TeamList.as_view(), name="api-teams"),
    path("teams/<int:id>/", TeamRecord.as_view(), name="api-team"),
    path("schema/", declared(Schema.as_view(), "public"), name="api-schema"),
    path("docs/", docs, name="api-docs"),
    re_path(r"", declared(Elsewhere.as_view(), "public"), name="api-elsewhere"),
]
