"""JSON out of files: within limits of size and depth, and with errors that say where it is wrong."""

from __future__ import annotations

import json
from typing import Any

from layerkit.saving.errors import SavedFileError

LARGEST = 64 << 20
DEEPEST = 200


def parse_json(text: str, where: str) -> dict[str, Any]:
    """The object that a text holds.

    Args:
        text: JSON.
        where: the file and the place in it, for errors.

    Raises:
        SavedFileError: the text is no JSON object, or is larger or deeper than any model's.
    """
    if len(text) > LARGEST:
        raise SavedFileError(f"{where} has {len(text)} characters; more than {LARGEST} are not read.")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SavedFileError(f"{where} is not JSON: {error}.") from error
    except RecursionError as error:
        raise _too_deep(where) from error
    if not isinstance(value, dict):
        raise SavedFileError(f"{where} is not a JSON object but a {type(value).__name__}.")
    _check_depth(value, where)
    return value


def _check_depth(value: Any, where: str) -> None:
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise _too_deep(where)
        inner = (item for item in level if isinstance(item, dict | list))
        level = [below for item in inner for below in (item.values() if isinstance(item, dict) else item)]
        depth += 1


def _too_deep(where: str) -> SavedFileError:
    return SavedFileError(f"{where} is nested more than {DEEPEST} deep.")
