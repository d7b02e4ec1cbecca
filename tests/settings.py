"""The product's settings on embedded services of their own, in a directory that goes away.

Workers of one run share them: the first process names the directory in the
environment. With DATABASE_URL and REDIS_URL set, those servers are used.
"""

import atexit
import os
import shutil
import tempfile

if "TEST_DATA_DIR" not in os.environ:
    os.environ["TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="scrm-test-")
    atexit.register(shutil.rmtree, os.environ["TEST_DATA_DIR"], ignore_errors=True)
os.environ["DATA_DIR"] = os.environ["TEST_DATA_DIR"]
os.environ.setdefault("EMBEDDED_FSYNC", "0")

from scrm.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
