"""Where things lie under the data directory, and who owns them."""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# A socket's path must fit into 108 bytes (104 on BSD), with the file's name.
LONGEST_SOCKET_DIRECTORY = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")
SERVICE_ACCOUNT = "embedded_postgres"
OTHERS_RUN = stat.S_IROTH | stat.S_IXOTH


class ServiceError(Exception):
    """An embedded service cannot be used; the message says why, in one or a few lines."""


@dataclass(frozen=True)
class Places:
    """The directories and files of one data directory."""

    root: Path

    @cached_property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @cached_property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @cached_property
    def logs(self) -> Path:
        return self.root / "log"

    @cached_property
    def owner_lock(self) -> Path:
        return self.root / "services.lock"

    @cached_property
    def users_lock(self) -> Path:
        return self.root / "services.users"

    @cached_property
    def state(self) -> Path:
        return self.root / "services.json"

    @cached_property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @cached_property
    def sockets(self) -> Path:
        """Where the services' sockets lie: below the root, or a short name where that is too long."""
        below = self.root / "run"
        if len(os.fsencode(below)) <= LONGEST_SOCKET_DIRECTORY and PLAIN_PATH.fullmatch(str(below)):
            return below
        key = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(f"/tmp/scrm-{os.geteuid()}-{key}")

    def prepare(self) -> None:
        """Create the directories; hand those of the services to their account."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        account = service_account()
        for directory in (self.postgres, self.valkey, self.sockets):
            _own_directory(directory, account)
        if account:
            _let_others_pass(self.root)

    def leave(self) -> None:
        """Remove what lies outside the root, once the services have ended."""
        if self.root not in self.sockets.parents:
            shutil.rmtree(self.sockets, ignore_errors=True)


def service_account() -> str | None:
    """The system user the services run as: ours, or, where we are root, one without rights."""
    if os.geteuid() != 0:
        return None
    for name in (SERVICE_ACCOUNT, "nobody"):
        if _exists(name) or (name == SERVICE_ACCOUNT and _create_account(name)):
            return name
    raise ServiceError("PostgreSQL refuses to run as root, and no other system user could be found.")


def let_account_run(program: Path, directory: Path) -> None:
    """Make a shipped program, and all below its directory, usable for the service account."""
    _let_others_pass(directory)
    if program.stat().st_mode & OTHERS_RUN == OTHERS_RUN:
        return
    for path in (directory, *directory.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | (stat.S_IRGRP | stat.S_IROTH)
        if mode & stat.S_IXUSR:
            wanted |= stat.S_IXGRP | stat.S_IXOTH
        if wanted != mode:
            path.chmod(wanted)


def _own_directory(directory: Path, account: str | None) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(account).pw_uid if account else os.geteuid()
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServiceError(f"{directory} must be a directory.")
    if found.st_uid != owner:
        _hand_over(directory, owner)
    directory.chmod(0o700)


def _hand_over(directory: Path, owner: int) -> None:
    """Give the tree to the account. Only what root itself made may change hands."""
    if os.geteuid() != 0 or directory.lstat().st_uid != 0:
        raise ServiceError(f"{directory} belongs to another user; remove it or set DATA_DIR.")
    os.chown(directory, owner, -1)
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            os.chown(Path(folder, name), owner, -1, follow_symlinks=False)


def _let_others_pass(directory: Path) -> None:
    """Allow passing through (not listing) the directories above, as the service account must."""
    for path in (directory, *directory.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)


def _exists(account: str) -> bool:
    return any(entry.pw_name == account for entry in pwd.getpwall())


def _create_account(name: str) -> bool:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd is None:
        return False
    argv = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
