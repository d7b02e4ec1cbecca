"""The product's settings with a migration more, which the database does not have yet."""

import os

from scrm.settings import *

MIGRATION_MODULES = {"insights": os.environ["PENDING"]}
