"""Mutations that know what a DICOM file is made of: elements, pixel layout, items, codestreams."""

from __future__ import annotations

import copy

from mammo_fixtures.tests.fuzzing.dicom_structure import (
    BIG_ENDIAN,
    DEFLATED,
    DELIMITER,
    IMPLICIT,
    ITEM,
    PIXEL_DATA,
    TRANSFER_SYNTAX,
    UNDEFINED,
    Element,
    encapsulated,
    fragments,
    put_together,
)

LENGTHS = (0, 1, 2, 3, 7, 8, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, UNDEFINED)
REPRESENTATIONS = (
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV ZZ".split()
)
REPRESENTATIONS += [b"\0\0", b"us"]
JPEG = (50, 51, 57, 70, 80, 81, 90, 91, 92, 100, 102, 110, 201, 202, 203)
SYNTAXES = (IMPLICIT, DEFLATED, BIG_ENDIAN, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5")
SYNTAXES += tuple(f"1.2.840.10008.1.2.4.{number}" for number in JPEG)
NUMBERS = (0, 1, 2, 3, 7, 8, 9, 11, 12, 13, 15, 16, 17, 24, 32, 47, 48, 49, 63, 64, 65, 128, 4095, 4096, 32768, 65535)
DECIMALS = (
    *b"0 1 -1 0.5 2 1e-9 1e9 1e999 nan inf -inf 1.0000001 100 -2048 2048 4095 0x10 1,5 1_0 1\\2 \\ 1\\1\\1 abc".split(),
    *(b"", b" 1 ", b"9" * 300, b"1\0", b"\xff\xfe"),
)
TEXTS = (b"", b"L", b"R", b"B", b"CC", b"MLO", b"MONOCHROME1", b"MONOCHROME2 ", b"monochrome2", b"RGB", b"INVERSE")
TEXTS += (b"IDENTITY", b"FOR PROCESSING", b"LINEAR_EXACT", b"SIGMOID", b"A\\R", b"\x1b[31m", b"\xff" * 8, b"\\" * 40)
LAYOUT = tuple((0x0028, number) for number in (2, 6, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x106, 0x107, 0x120))
DECIMAL_TAGS = ((0x0018, 0x1164), (0x0028, 0x0030), (0x0028, 0x1052), (0x0028, 0x1053), (0x0028, 0x1050))
DECIMAL_TAGS += ((0x0028, 0x1051), (0x0018, 0x1114), (0x0028, 0x0008))
TEXT_TAGS = ((0x0020, 0x0062), (0x0020, 0x0060), (0x0018, 0x5101), (0x0028, 0x0004), (0x2050, 0x0020), (0x0008, 0x0068))
TEXT_TAGS += (
    (0x0028, 0x1056),
    (0x0020, 0x0020),
    (0x0008, 0x0060),
    (0x0008, 0x0016),
    (0x0028, 0x2110),
    (0x0008, 0x0005),
)


def mutated_structure(elements, random):
    """A file made of the elements after one to three mutations of them."""
    elements = copy.deepcopy(elements)
    for _ in range(int(random.choice([1, 1, 2, 3]))):
        _MUTATIONS[random.integers(len(_MUTATIONS))](elements, random)
    other = random.random() < 0.05
    content = put_together(elements, written_as=_of(SYNTAXES, random) if other else None)
    return content[: int(random.integers(len(content)))] if random.random() < 0.02 else content


def _of(things, random):
    return things[int(random.integers(len(things)))]


def _one(elements, random):
    return _of(elements, random) if elements else Element((8, 8), b"CS", b"")


def _put(elements, tag, vr, value):
    """In place of the element of that tag, or where it belongs."""
    value += b" " * (len(value) % 2) if vr != b"US" else b""
    for element in elements:
        if element.tag == tag:
            element.value = value
            return
    place = next((n for n, element in enumerate(elements) if element.tag > tag), len(elements))
    elements.insert(place, Element(tag, vr, value))


def _pixels(elements):
    return next((element for element in elements if element.tag == PIXEL_DATA), None)


def _length(elements, random):
    element = _one(elements, random)
    near = len(element.value) + int(random.integers(-3, 4))
    element.length = max(near, 0) if random.random() < 0.5 else _of(LENGTHS, random)


def _representation(elements, random):
    _one(elements, random).vr = _of(REPRESENTATIONS, random)


def _layout(elements, random):
    value = _of(NUMBERS, random).to_bytes(2, "little") * int(random.choice([1, 1, 1, 2]))
    _put(elements, _of(LAYOUT, random), b"US", value)


def _decimal(elements, random):
    first, second = _of(DECIMALS, random), _of(DECIMALS, random)
    _put(elements, _of(DECIMAL_TAGS, random), b"DS", first if random.random() < 0.6 else first + b"\\" + second)


def _text(elements, random):
    _put(elements, _of(TEXT_TAGS, random), b"CS", _of(TEXTS, random))


def _syntax(elements, random):
    uid = _of(SYNTAXES, random).encode()
    _put(elements, TRANSFER_SYNTAX, b"UI", uid + b"\0" * (len(uid) % 2))


def _drop(elements, random):
    if elements:
        del elements[int(random.integers(len(elements)))]


def _twice(elements, random):
    element = copy.deepcopy(_one(elements, random))
    elements.insert(int(random.integers(len(elements) + 1)), element)


def _swap(elements, random):
    if elements:
        first, second = (int(random.integers(len(elements))) for _ in "ab")
        elements[first], elements[second] = elements[second], elements[first]


def _nested(elements, random):
    """Sequences in sequences, whole or without their ends."""
    depth, whole = int(random.choice([1, 2, 10, 100, 3000])), random.random() < 0.6
    value = b""
    for _ in range(depth):
        if whole:
            value = ITEM + b"\xff\xff\xff\xff" + value + b"\xfe\xff\x0d\xe0" + bytes(4)
            value = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + value + DELIMITER + bytes(4)
        else:
            value += b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + ITEM + b"\xff\xff\xff\xff"
    tag = _of(((0x0008, 0x1140), (0x0054, 0x0220), (0x0028, 0x3010), (0x0028, 0x3000), (0x0011, 0x1001)), random)
    place = next((n for n, element in enumerate(elements) if element.tag > tag), len(elements))
    inside = ITEM + b"\xff\xff\xff\xff" + value + b"\xfe\xff\x0d\xe0" + bytes(4) + DELIMITER + bytes(4)
    elements.insert(place, Element(tag, b"SQ", inside, UNDEFINED))


def _lookup_table(elements, random):
    """A VOI LUT whose descriptor and data need not fit."""
    descriptor = b"".join(_of(NUMBERS, random).to_bytes(2, "little") for _ in range(int(random.choice([2, 3, 3, 3]))))
    data = random.bytes(2 * _of(NUMBERS[:20], random))
    item = Element((0x0028, 0x3002), b"US", descriptor).written() + Element((0x0028, 0x3006), b"OW", data).written()
    value = ITEM + len(item).to_bytes(4, "little") + item
    place = next((n for n, element in enumerate(elements) if element.tag > (0x0028, 0x3010)), len(elements))
    elements.insert(place, Element((0x0028, 0x3010), b"SQ", value))


def _private(elements, random):
    group = int(random.choice([0x0009, 0x0011, 0x0019, 0x0029, 0x7FE1, 0x0003, 0x0001]))
    place = next((n for n, element in enumerate(elements) if element.tag[0] > group), len(elements))
    data = random.bytes(int(random.integers(40)))
    elements[place:place] = [
        Element((group, 0x0010), b"LO", b"MAKER "),
        Element((group, 0x1001), _of(REPRESENTATIONS, random), data + b"\0" * (len(data) % 2)),
    ]


def _bomb(elements, random):
    """Megabytes of zeros, which deflate packs to kilobytes."""
    _put(elements, TRANSFER_SYNTAX, b"UI", DEFLATED.encode())
    size = 2 ** int(random.integers(16, 23))
    _put(elements, _of(((0x0011, 0x1002), (0x0029, 0x1010), PIXEL_DATA), random), b"OB", bytes(size))


def _pixel_length(elements, random):
    element = _pixels(elements)
    if element is not None:
        change = int(random.choice([-1000, -2, -1, 1, 2, 1000]))
        element.value = element.value[:change] if change < 0 else element.value + bytes(change)


def _items(elements, random):
    """Fragments split, lost, swapped, emptied; offset tables of another image; no end."""
    element = _pixels(elements)
    if element is None or not (items := fragments(element.value)):
        return
    table, frame = items[0], b"".join(items[1:])
    kind = int(random.integers(8))
    end = DELIMITER + bytes(4)
    if kind == 0:
        cuts = sorted(int(random.integers(len(frame) + 1)) for _ in range(int(random.integers(1, 6))))
        items = [table, *(frame[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True))]
    elif kind == 1:
        del items[int(random.integers(len(items)))]
    elif kind == 2:
        items = items[::-1]
    elif kind == 3:
        items.insert(int(random.integers(len(items) + 1)), b"")
    elif kind == 4:
        items[0] = b"".join(int(random.choice([0, 4, 2**31, 2**32 - 1])).to_bytes(4, "little") for _ in range(3))
    elif kind == 5:
        end = b""
    elif kind == 6:
        items.append(frame)
    else:
        items[-1] = items[-1][: int(random.integers(len(items[-1]) + 1))]
    element.value = encapsulated(items, end=end)


def _codestream(elements, random):
    """Headers of the compressed frame: the first bytes, its markers, another frame behind its end."""
    element = _pixels(elements)
    if element is None or len(items := fragments(element.value)) < 2:
        return
    frame = bytearray(b"".join(items[1:]))
    if not frame:
        return
    kind = int(random.integers(5))
    markers = [n for n in range(len(frame) - 1) if frame[n] == 0xFF and frame[n + 1] not in (0, 0xFF)]
    if kind == 0:
        frame[int(random.integers(min(len(frame), 120)))] = int(random.integers(256))
    elif kind == 1 and markers:
        place = _of(markers, random)
        frame[place + 1] = int(random.integers(256))
    elif kind == 2 and markers:
        place = _of(markers, random) + 2
        frame[place : place + 2] = random.bytes(2)
    elif kind == 3:
        frame += bytes(frame)
    else:
        place = int(random.integers(len(frame)))
        frame[place:place] = random.bytes(int(random.integers(1, 9)))
    element.value = encapsulated([items[0], bytes(frame)])


_MUTATIONS = (
    *(_length, _length, _representation, _layout, _layout, _layout, _decimal, _decimal, _text, _text, _syntax),
    *(_drop, _twice, _swap, _nested, _lookup_table, _private, _bomb, _pixel_length),
    *(_items, _items, _codestream, _codestream),
)
