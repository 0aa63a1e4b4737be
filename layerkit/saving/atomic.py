"""Files that appear whole: written under a temporary name in the same folder, and renamed when they are on the disk."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import socket
import stat
import sys
from collections.abc import Iterator

_SUFFIX = ".layerkit-tmp"
_LONGEST_STEM = 120  # leaves room for host, process and token within the 255 bytes of a file name
_being_written: set[str] = set()  # by this process


@contextlib.contextmanager
def replacing(path: str) -> Iterator[io.FileIO]:
    """A new unbuffered file that takes the place of `path` once the block has ended and its bytes are on the disk.

    Where anything fails, `path` is as it was and the new file is gone. After a kill the file at `path` is the old or
    the new one; the temporary file that may be left is removed by the next save to `path`.

    Raises:
        OSError: the file cannot be written; the message says that nothing changed.
    """
    target = os.path.realpath(path)  # a link stays a link
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, "Cannot save to a path that is a folder", path)
    try:
        os.makedirs(folder, exist_ok=True)
        _remove_leftovers(target)
        temporary = _temporary_name(target)
        _being_written.add(temporary)
        try:
            with open(temporary, "x+b", buffering=0) as file:
                if os.path.exists(target):
                    os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
                yield file
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            _being_written.discard(temporary)
    except OSError as error:
        raise _not_saved(error, path) from error
    _sync_folder(folder)


def _not_saved(error: OSError, path: str) -> OSError:
    state = "the file that was there is unchanged" if os.path.exists(path) else "no file was made"
    return type(error)(error.errno, f"Could not save ({error.strerror or error}); {state}", path)


def _sync_folder(folder: str) -> None:
    """Make the rename last. Systems that cannot do this for a folder say so by EINVAL, or have no such files at all."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _prefix(target: str) -> str:
    return f".{os.path.basename(target)[:_LONGEST_STEM]}."


def _host() -> str:
    return "".join(c if c.isalnum() else "_" for c in socket.gethostname())[:40]


def _temporary_name(target: str) -> str:
    name = f"{_prefix(target)}{_host()}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
    return os.path.join(os.path.dirname(target), name)


def _remove_leftovers(target: str) -> None:
    """Remove the temporary files for this path of processes of this host that are no more."""
    folder, prefix = os.path.dirname(target), _prefix(target)
    for name in os.listdir(folder):
        if not (name.startswith(prefix) and name.endswith(_SUFFIX)):
            continue
        host, _, rest = name[len(prefix) : -len(_SUFFIX)].partition("-")
        process = rest.partition("-")[0]
        leftover = os.path.join(folder, name)
        if host == _host() and process.isdigit() and not _is_writing(int(process), leftover):
            with contextlib.suppress(FileNotFoundError):  # another process cleans up too
                os.unlink(leftover)


def _is_writing(process: int, path: str) -> bool:
    if process == os.getpid():
        return path in _being_written
    if os.name == "nt":
        return True  # there signal 0 is not a question, but ends the process
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # it exists and belongs to another user, or cannot be asked
    return True


def may_write(path: str, overwrite: bool) -> bool:
    """Whether to write to `path`: a person is asked before a file is overwritten that shall not be.

    Raises:
        FileExistsError: the file exists and there is nobody to ask.
    """
    if overwrite or not os.path.exists(path):
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise FileExistsError(
            errno.EEXIST, "The file exists and overwrite=False; pass overwrite=True or another path", path
        )
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    return answer == "y"
