"""The search index, filled after the commit: what is not indexed yet is found by query.

A text stands in it twice: word for word (configuration `simple`, without accents), and by word stems where its language
has a configuration. So `stakes` finds `stake` in an English text, and any word finds itself in any language.
"""

from __future__ import annotations

from django.db import connection

# ISO 639-1 to PostgreSQL's text search configurations
CONFIGS = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip

_TEXT = "unaccent(left({text}, 20000))"
_STEMMED = " ".join(
    f"WHEN '{language}' THEN to_tsvector('simple', {_TEXT}) || to_tsvector('{config}', {_TEXT})"
    for language, config in CONFIGS.items()
)
_DOCUMENT = f"CASE left({{language}}, 2) {_STEMMED} ELSE to_tsvector('simple', {_TEXT}) END"


def document(text: str, language: str) -> str:
    """The SQL of an indexed text, of the SQL of its text and its language."""
    return _DOCUMENT.format(text=text, language=language)


def stems(text: str, language: str) -> str:
    """The SQL of the word stems alone, of the SQL of a text and a language that is known (ISO 639-1)."""
    return f"to_tsvector('{CONFIGS[language]}', {_TEXT.format(text=text)})"


_INDEX = """
    WITH due AS (
        SELECT id FROM conversations_interaction WHERE NOT indexed ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ), written AS (
        INSERT INTO conversations_searchentry (interaction_id, brand_id, thread_id, posted_at, document)
        SELECT i.id, c.brand_id, i.thread_id, i.posted_at,
            DOCUMENT
        FROM due JOIN conversations_interaction i USING (id) JOIN channels_ingest_channel c ON c.id = i.channel_id
        LEFT JOIN conversations_reading r ON r.interaction_id = i.id
        WHERE i.removed_at IS NULL AND i.text <> ''
        ON CONFLICT (interaction_id) DO UPDATE SET
            document = excluded.document, thread_id = excluded.thread_id, posted_at = excluded.posted_at
    )
    UPDATE conversations_interaction SET indexed = true FROM due WHERE conversations_interaction.id = due.id
""".replace("DOCUMENT", document("i.text", "COALESCE(NULLIF(r.language, ''), i.language)"))


# PostgreSQL puts off what is written to an inverted index, and every look into it has to wade through that. A search
# looks once for each day; so a batch is put in its place at once, which takes half as long as text after text would.
_SORT_IN = "SELECT gin_clean_pending_list('search_by_days')"


def index_texts(limit: int = 2000) -> int:
    """Indexes up to `limit` new texts; returns how many were taken up."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEX, [limit])
        taken = int(cursor.rowcount)
        if taken:
            cursor.execute(_SORT_IN)
        return taken
