"""Messages as lines of JSON that any strict reader takes: UTF-8, no NaN, no halves of characters."""

import json


def encode(message):
    """Returns a message as one line.

    Raises:
        ValueError: it holds what is no plain data, or a number that JSON has not.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"it is no plain data: {error}") from error
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(_whole(message), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _whole(value):
    """The same with an escape for each half of a character, which os.fsdecode makes of bytes that are no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    return value
