"""GIF files block by block: what they hold, without decoding any of it."""

_EXTENSION, _IMAGE = 0x21, 0x2C


def count_pictures(content: bytes, most: int) -> int:
    """The number of pictures in a GIF file up to its end or the first damage, at most `most`."""
    place, count = 13 + _colours(content[10] if len(content) > 10 else 0), 0
    while count < most and place + 10 < len(content):
        if content[place] == _IMAGE:
            count += 1
            place += 11 + _colours(content[place + 9])  # with the size of its code words
        elif content[place] == _EXTENSION:
            place += 2
        else:
            break
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1
    return count


def _colours(flags: int) -> int:
    """Bytes of the table of colours that flags tell of."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
