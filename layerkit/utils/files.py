"""Files from the network: downloaded once, checked, and unpacked with care."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import urllib.parse
import zipfile
from collections.abc import Sequence
from pathlib import Path

from layerkit.config import say

CHUNK = 1 << 16
FORMATS = ("tar", "zip")


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded unless it is there, or of the folder of an archive's contents.

    A file appears whole or not at all. An archive with names that lead out of its folder is refused.

    Args:
        fname: the file's name; None: the last part of the URL.
        origin: the URL; "file:" works too.
        untar: unpack a tar archive; `extract` does for both kinds.
        md5_hash: an older name of `file_hash`, for MD5.
        file_hash: the checksum in hexadecimal digits; a file without it is downloaded again.
        cache_subdir: folder in the cache.
        hash_algorithm: "sha256", "md5", or "auto", by the number of digits.
        extract: unpack the archive and give the folder.
        archive_format: "tar", "zip", several of them, or "auto" for both.
        cache_dir: the cache; the environment's KERAS_HOME where None, or ~/.keras.
        force_download: download it even where it is there.

    Raises:
        ValueError: no `origin`, a name with folders, a wrong checksum, or no archive.
        OSError: the URL cannot be read.
    """
    if origin is None:
        raise ValueError("`get_file` needs `origin`, the URL of the file.")
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name or name in (".", "..") or os.path.basename(name) != name:
        raise ValueError(
            f"The file's name must be one without folders, got {name!r} (of {'`fname`' if fname else origin!r}): pass "
            "`fname`, and the folder as `cache_dir` and `cache_subdir`."
        )
    algorithm, digest = ("md5", md5_hash) if file_hash is None and md5_hash else (hash_algorithm, file_hash)
    folder = _cache_folder(cache_dir) / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    extract = extract or untar
    archive, contents = folder / name, folder / name
    if extract and fname and "." in name:
        contents = folder / f"{name.partition('.')[0]}_extracted"
    elif extract:
        archive = folder / f"{name}_archive"
    fresh = force_download or not _is_valid(archive, digest, algorithm)
    if fresh:
        say(f"Downloading data from {origin}")
        _download(origin, archive, digest, algorithm)
    if not extract:
        return str(archive)
    if fresh or not contents.is_dir():
        _unpack(archive, contents, "tar" if untar else archive_format)
    return str(contents)


def _cache_folder(given: str | os.PathLike | None) -> Path:
    """The cache, or one in the folder for temporary files where it cannot be written."""
    folder = Path(given or os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(folder, os.W_OK)
    return folder if writable else Path(tempfile.gettempdir()) / ".keras"


def _hasher(algorithm: str, digest: str) -> hashlib._Hash:
    if algorithm not in ("auto", "md5", "sha256"):
        raise ValueError(f"`hash_algorithm` must be 'auto', 'md5' or 'sha256', got {algorithm!r}.")
    if algorithm == "auto":
        algorithm = "sha256" if len(digest) == 64 else "md5"
    return hashlib.new(algorithm, usedforsecurity=False)


def _is_valid(path: Path, digest: str | None, algorithm: str) -> bool:
    """Whether a file is there, with the checksum if there is one."""
    return path.is_file() and (digest is None or _digest(path, digest, algorithm) == digest.lower())


def _digest(path: Path, digest: str, algorithm: str) -> str:
    hasher = _hasher(algorithm, digest)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def _download(origin: str, target: Path, digest: str | None, algorithm: str) -> None:
    """Write what a URL gives to a temporary file, check it, and rename it."""
    import urllib.request  # 50 ms, for downloads alone

    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            try:
                with urllib.request.urlopen(origin) as response:
                    shutil.copyfileobj(response, file, CHUNK)
                    expected = response.headers.get("Content-Length")
            except OSError as error:  # what urllib raises is of this kind
                raise OSError(f"Could not download {origin}: {error}") from error
            if expected is not None and file.tell() != int(expected):
                raise OSError(f"Could not download {origin}: {file.tell()} of {expected} bytes came.")
        if digest is not None and (found := _digest(Path(temporary), digest, algorithm)) != digest.lower():
            raise ValueError(f"What {origin} gives has the checksum {found}, not {digest}: it was not kept.")
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _unpack(archive: Path, folder: Path, archive_format: str | Sequence[str] | None) -> None:
    """Unpack an archive into a new folder, which takes the place of one that is there."""
    import tarfile  # for archives alone

    formats = FORMATS if archive_format == "auto" else (archive_format,)
    if not isinstance(archive_format, str):
        formats = tuple(archive_format or ())
    if unknown := [one for one in formats if one not in FORMATS]:
        raise ValueError(f"`archive_format` must be 'auto', 'tar' or 'zip', got {unknown[0]!r}.")
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        if "tar" in formats and tarfile.is_tarfile(archive):
            _unpack_tar(archive, temporary)
        elif "zip" in formats and zipfile.is_zipfile(archive):
            _unpack_zip(archive, temporary)
        else:
            raise ValueError(f"{archive} is no archive of the kind {' or '.join(formats) or archive_format}.")
        if folder.is_dir():
            shutil.rmtree(folder)
        temporary.chmod(0o755)  # that of mkdtemp is the user's alone
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack_tar(archive: Path, folder: Path) -> None:
    import tarfile  # for archives alone

    if not hasattr(tarfile, "data_filter"):
        raise RuntimeError("This version of Python unpacks tar archives without checks: use 3.11.4 or a later one.")
    with tarfile.open(archive) as file:
        try:
            file.extractall(folder, filter="data")  # refuses links and names that lead out, and devices
        except tarfile.FilterError as error:
            raise ValueError(f"{archive} was not unpacked: {error}.") from error


def _unpack_zip(archive: Path, folder: Path) -> None:
    root = folder.resolve()
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            if not (root / name).resolve().is_relative_to(root):
                raise ValueError(f"{archive} was not unpacked: {name!r} would be outside of the destination.")
        file.extractall(folder)
