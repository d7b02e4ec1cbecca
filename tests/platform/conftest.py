import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.places import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """A fresh data directory; nothing of it is left running."""
    with tempfile.TemporaryDirectory(prefix="scrm-site-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name))
        yield site
        site.clear()
