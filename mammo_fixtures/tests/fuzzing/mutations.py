"""Mutations of a file's bytes, keyed on seed and case so that any one can be made again."""

import numpy as np

WORDS = tuple(
    bytes.fromhex(word)
    for word in (
        "00",
        "ff",
        "7f",
        "80",
        "0000",
        "ffff",
        "ff7f",
        "00000000",
        "ffffffff",
        "ffffff7f",
        "00000080",
        "feffdde0",
    )
)
"""Ends of integers' ranges, and DICOM's sequence delimiter."""
TEXT = (
    *(
        b"0",
        b"1",
        b"-1",
        b"1e999",
        b"nan",
        b"inf",
        b"-0",
        b"9" * 400,
        b"0x10",
        b"1_0",
        b"",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\t",
    ),
    *(b"\x00", b"\x1b[31m", b"\xff", "\u202e".encode(), "\u0661".encode(), b"=1+1", b"../../etc/passwd", b"/dev/zero"),
    *(b"<script>", b"L", b"R", b"[[", b"]]", b"'", b"{", b"}", b"#", b" ", b"clean", b"\xef\xbb\xbf", b"%s%n", b"True"),
)


def mutated(content, *, seed, case, words=WORDS):
    """The content after one to four mutations."""
    random = np.random.default_rng([seed, case])
    data = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        _MUTATIONS[random.integers(len(_MUTATIONS))](data, random, words)
    return bytes(data)


def _place(data, random):
    # Headers decide what happens, and lie at the start: half of all places are there.
    end = min(len(data), 1500) if random.random() < 0.5 else len(data)
    return int(random.integers(end)) if end else 0


def _flip(data, random, _):
    if data:
        data[_place(data, random)] ^= 1 << int(random.integers(8))


def _byte(data, random, _):
    if data:
        data[_place(data, random)] = int(random.integers(256))


def _word(data, random, words):
    word, place = words[random.integers(len(words))], _place(data, random)
    data[place : place + len(word)] = word


def _insert(data, random, words):
    place = _place(data, random)
    data[place:place] = words[random.integers(len(words))] * int(random.choice([1, 1, 1, 2, 50]))


def _cut(data, random, _):
    place = _place(data, random)
    del data[place : place + int(random.choice([1, 2, 4, 8, 64, 1024]))]


def _end(data, random, _):
    del data[_place(data, random) :]


def _repeat(data, random, _):
    place, length = _place(data, random), int(random.integers(1, 200))
    data[place:place] = data[place : place + length]


def _move(data, random, _):
    first, second, length = _place(data, random), _place(data, random), int(random.integers(1, 64))
    data[second : second + length] = data[first : first + length]


_MUTATIONS = (_flip, _flip, _byte, _byte, _word, _word, _insert, _cut, _end, _repeat, _move)
