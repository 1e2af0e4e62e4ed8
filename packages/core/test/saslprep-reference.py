#!/usr/bin/env python3
"""
What SASLprep (RFC 4013) makes of text, by the tables of RFC 3454 that come with Python.

    saslprep-reference.py runs     > the text of RUNS in src/sasl/saslprep-tables.ts
    saslprep-reference.py digests  > test/saslprep-digests.json

The rule is written here a second time, in another language and from other tables, so that saslprep.test.ts compares two
works and not one with itself.
"""
import hashlib
import json
import stringprep
import sys
import unicodedata

TABLES_OF_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)

# Unicode 3.2 decomposed these five wrongly (Corrigendum 4). Everybody has the corrected form.
CORRECTED = {
    "\U0002F868": "\u36FC",
    "\U0002F874": "\u5F53",
    "\U0002F91F": "\U000243AB",
    "\U0002F95F": "\u7AEE",
    "\U0002F9BF": "\u45D7",
}


def saslprep(text):
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else "" if stringprep.in_table_b1(c) else CORRECTED.get(c, c)
        for c in text
    )
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(c) for c in normal for prohibits in TABLES_OF_PROHIBITED):
        return None
    if any(stringprep.in_table_d1(c) for c in normal):
        if any(stringprep.in_table_d2(c) for c in normal):
            return None
        if not (stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1])):
            return None
    return normal


def runs():
    """Each class of code points with the length of its run in base 36; a length of 1 is left out."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"

    def class_of(c):
        if stringprep.in_table_c12(c):
            return "S"
        if stringprep.in_table_b1(c):
            return "B"
        if any(prohibits(c) for prohibits in TABLES_OF_PROHIBITED):
            return "P"
        if stringprep.in_table_a1(c):
            return "U"
        if stringprep.in_table_d1(c):
            return "R"
        return "L" if stringprep.in_table_d2(c) else "N"

    text = ""
    start = 0
    for code_point in range(1, 0x110001):
        if code_point < 0x110000 and class_of(chr(code_point)) == class_of(chr(start)):
            continue
        length = code_point - start
        number = ""
        while length > 1 or number and length > 0:
            length, digit = divmod(length, 36)
            number = digits[digit] + number
        text += number + class_of(chr(start))
        start = code_point
    return text


def digest(texts):
    """Results one behind the other: `+` and the text, or `-`; each ended by an octet that UTF-8 has not."""
    sha = hashlib.sha256()
    for text in texts:
        prepared = saslprep(text)
        sha.update(b"-" if prepared is None else b"+" + prepared.encode())
        sha.update(b"\xff")
    return sha.hexdigest()


def contexts(plane):
    """Each code point alone, behind a letter, between letters of Hebrew and at their end: its classes all show."""
    for code_point in range(plane * 0x10000, (plane + 1) * 0x10000):
        c = chr(code_point)
        yield c
        yield "A" + c
        yield "\u05d0" + c + "\u05d0"
        yield "\u05d0" + c


# Marks that combine and change places, Hangul, letters of both directions, spaces, and what is mapped or unassigned.
POOL = "aAe\u00e9\u0301\u0323\u0327\u0345\u0308 \u00a0\u00ad\u200b\u2126\u2168\ufb01\u0628\u05d0\ufef5\u0661" \
    "\u1100\u1161\u11a8\uac00\u0f71\u0f72\u0f74\u09c7\u09be\u09d7\u0b47\u0b3e\u0958\u0344\u0340" \
    "\U0001F600\U0001F201\U0001D15F\U0001D165\U0001D16E\u0373\u1e9e\u0591\u0378"


def mixtures():
    """Texts of 1 to 8 characters of the pool, drawn by the generator that MINSTD names."""
    seed = 1
    for _ in range(20000):
        text = ""
        seed = seed * 48271 % 2147483647
        for _ in range(1 + seed % 8):
            seed = seed * 48271 % 2147483647
            text += POOL[seed % len(POOL)]
        yield text


if sys.argv[1:] == ["runs"]:
    print(runs())
elif sys.argv[1:] == ["digests"]:
    planes = {str(plane): digest(contexts(plane)) for plane in range(0x11)}
    print(json.dumps({"pool": POOL, "planes": planes, "mixtures": digest(mixtures())}, indent=2))
else:
    sys.exit(__doc__)
