"""The index of a TensorFlow checkpoint: a table of sorted keys in blocks, each with a CRC32C.

Source: tensorflow/core/lib/io/format.cc, block.cc, table_builder.cc. TensorFlow's own reader passes over the parts
that it does not need; here every byte is checked.
"""

import struct

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5


class Damaged(Exception):
    """The message says what is wrong."""


def read(path):
    """Returns {key: value}, both bytes.

    Raises:
        Damaged: a checksum does not match, or the blocks are not what the footer says.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < _FOOTER:
        raise Damaged(f"{len(content)} bytes are too few for an index")
    footer = content[-_FOOTER:]
    if struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise Damaged("it does not end as an index does: it is cut off, or no checkpoint")
    meta, position = _handle(footer, 0)
    index, position = _handle(footer, position)
    if any(footer[position:-8]):
        raise Damaged("the padding of its footer is not empty")
    handles = [_handle(value, 0)[0] for _, value in _entries(_block(content, index))]
    _block(content, meta)
    end = 0
    for offset, size in [*handles, meta, index]:
        if offset != end:
            raise Damaged("its blocks do not follow one another")
        end = offset + size + _TRAILER
    if end != len(content) - _FOOTER:
        raise Damaged(f"{len(content) - _FOOTER - end} bytes belong to no block")
    return {key: value for handle in handles for key, value in _entries(_block(content, handle))}


def _handle(data, position):
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return (offset, size), position


def _varint(data, position):
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise Damaged("a number in it has no end")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if byte == 0 and shift > 7:
                raise Damaged("a number in it is not written as it should be")
            return value, position


def _block(content, handle):
    offset, size = handle
    if offset + size + _TRAILER > len(content) - _FOOTER:
        raise Damaged("a block lies beyond its end")
    block, kind = content[offset : offset + size], content[offset + size]
    (stored,) = struct.unpack("<I", content[offset + size + 1 : offset + size + _TRAILER])
    if _masked(_crc32c(content[offset : offset + size + 1])) != stored:
        raise Damaged("a checksum does not match")
    if kind != 0:
        raise Damaged("it is compressed, which TensorFlow does not do")
    return block


def _entries(block):
    if len(block) < 4:
        raise Damaged("a block is too short")
    (restarts,) = struct.unpack("<I", block[-4:])
    end, position, key = len(block) - 4 - 4 * restarts, 0, b""
    while position < end:
        shared, position = _varint(block, position)
        own, position = _varint(block, position)
        size, position = _varint(block, position)
        if shared > len(key) or position + own + size > end:
            raise Damaged("an entry is longer than its block")
        key = key[:shared] + block[position : position + own]
        yield key, block[position + own : position + own + size]
        position += own + size


def _tabulate():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _tabulate()


def _crc32c(data):
    value, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
