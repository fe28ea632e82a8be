"""The site's settings in a data folder that lives as long as the test run."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

TEST_VARIABLES = {"OPTSITE_SHARED_DATA", "OPTSITE_REQUIRE_ALL", "OPTSITE_SOAK"}

if "pytest" in sys.modules:
    for name in [name for name in os.environ if name.startswith("OPTSITE_") and name not in TEST_VARIABLES]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    run_dir = Path(tempfile.mkdtemp(prefix="optsite-tests-"))
    atexit.register(shutil.rmtree, run_dir, ignore_errors=True)
    os.environ["OPTSITE_DATA_DIR"] = str(run_dir)
    os.environ["OPTSITE_PROVIDER"] = "demo"

from optsite.settings import *  # noqa: E402, F403
from optsite.settings import DATABASES, OPTSITE  # noqa: E402

# A file, not memory: tests of slots and queues use threads and processes.
DATABASES["default"]["TEST"] = {"NAME": str(OPTSITE.data_dir / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
