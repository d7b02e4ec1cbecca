"""The doors of X, and what answers behind each."""

from __future__ import annotations

from aiohttp import web

from . import messages, oauth, posts, users, writing


def routes() -> list[web.RouteDef]:
    get, put, send, delete = web.get, web.put, web.post, web.delete
    return [
        send("/x/2/oauth2/token", oauth.token),
        get("/x/2/users/me", users.me),
        get("/x/2/users", users.users),
        get("/x/2/users/by", users.users_by_usernames),
        get("/x/2/users/by/username/{username}", users.user_by_username),
        get("/x/2/users/{id}", users.user),
        get("/x/2/users/{id}/mentions", posts.mentions),
        get("/x/2/users/{id}/tweets", posts.timeline),
        get("/x/2/tweets/search/recent", posts.search_recent),
        get("/x/2/tweets", posts.posts),
        send("/x/2/tweets", writing.create_post),
        get("/x/2/tweets/{id}", posts.post),
        delete("/x/2/tweets/{id}", writing.delete_post),
        put("/x/2/tweets/{id}/hidden", writing.hide_reply),
        send("/x/2/media/upload", writing.upload),
        send("/x/2/media/metadata", writing.describe),
        get("/x/2/dm_events", messages.messages),
        get("/x/2/dm_events/{id}", messages.message),
        get("/x/2/dm_conversations/with/{id}/dm_events", messages.messages_with),
        get("/x/2/dm_conversations/{id}/dm_events", messages.messages_of_conversation),
        send("/x/2/dm_conversations/with/{id}/messages", messages.send_to_person),
        send("/x/2/dm_conversations/{id}/messages", messages.send_to_conversation),
    ]
