"""A DICOM file as a list of elements that can be wrong in every way, and written again (PS3.5 section 7, PS3.10)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

META = 0x0002
PIXEL_DATA = (0x7FE0, 0x0010)
TRANSFER_SYNTAX = (0x0002, 0x0010)
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
"""Value representations with two reserved bytes and a length of four."""
UNDEFINED = 0xFFFFFFFF
ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_WIDTH = {b"US": 2, b"SS": 2, b"OW": 2, b"AT": 2, b"UL": 4, b"SL": 4, b"FL": 4, b"OF": 4, b"FD": 8, b"OD": 8}


@dataclass(slots=True)
class Element:
    """A data element, or anything that stands in its place."""

    tag: tuple[int, int]
    vr: bytes
    value: bytes
    length: int | None = None
    """What is written as its length; None: the true one."""

    def written(self, *, implicit: bool = False, order: str = "little") -> bytes:
        value = self.value
        width = _WIDTH.get(self.vr, 1) if order == "big" else 1
        if width > 1 and len(value) % width == 0:
            value = b"".join(value[n : n + width][::-1] for n in range(0, len(value), width))
        length = len(self.value) if self.length is None else self.length
        head = b"".join(part.to_bytes(2, order) for part in self.tag)
        if implicit:
            return head + (length & UNDEFINED).to_bytes(4, order) + value
        if self.vr in LONG:
            return head + self.vr + b"\0\0" + (length & UNDEFINED).to_bytes(4, order) + value
        return head + self.vr + (length & 0xFFFF).to_bytes(2, order) + value


def taken_apart(content: bytes) -> list[Element]:
    """Elements of a well-formed file in explicit little endian, deflated or not; pixel data in items stay one value."""
    elements, place = [], 132
    while place < len(content):
        tag = (
            int.from_bytes(content[place : place + 2], "little"),
            int.from_bytes(content[place + 2 : place + 4], "little"),
        )
        if tag[0] != META and _syntax(elements) == DEFLATED and elements[-1].tag[0] == META:
            content, place = zlib.decompress(content[place:], -zlib.MAX_WBITS), 0
            elements.append(Element((0, 0), b"", b""))  # where group 2 ends; taken out below
            continue
        vr = content[place + 4 : place + 6]
        start = place + (12 if vr in LONG else 8)
        length = int.from_bytes(content[start - (4 if vr in LONG else 2) : start], "little")
        undefined = length == UNDEFINED
        place = len(content) if undefined else start + length
        elements.append(Element(tag, vr, content[start:place], UNDEFINED if undefined else None))
    return [element for element in elements if element.vr]


def _syntax(elements: list[Element]) -> str:
    found = [element.value for element in elements if element.tag == TRANSFER_SYNTAX]
    return found[-1].rstrip(b"\0 ").decode("ascii", "replace") if found else ""


def put_together(elements: list[Element], *, written_as: str | None = None) -> bytes:
    """The file; its data set is written in the transfer syntax that it names, or as in another."""
    syntax = _syntax(elements) if written_as is None else written_as
    meta = b"".join(element.written() for element in elements if element.tag[0] == META)
    how = {IMPLICIT: {"implicit": True}, BIG_ENDIAN: {"order": "big"}}.get(syntax, {})
    rest = b"".join(element.written(**how) for element in elements if element.tag[0] != META)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        rest = packer.compress(rest) + packer.flush()
    return bytes(128) + b"DICM" + meta + rest


def fragments(value: bytes) -> list[bytes]:
    """Contents of the items of encapsulated pixel data, the offset table first."""
    found, place = [], 0
    while value[place : place + 4] == ITEM:
        length = int.from_bytes(value[place + 4 : place + 8], "little")
        found.append(value[place + 8 : place + 8 + length])
        place += 8 + length
    return found


def encapsulated(items: list[bytes], *, end: bytes = DELIMITER + bytes(4)) -> bytes:
    """Items as pixel data of undefined length."""
    return b"".join(ITEM + len(item).to_bytes(4, "little") + item for item in items) + end
