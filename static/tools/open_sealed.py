#!/usr/bin/env python3
"""Opens files that were encrypted in the sender's browser.

    python3 open_sealed.py LINK FILE [FILE ...]
    python3 open_sealed.py --name NAME LINK FILE

LINK is the whole link as you got it, with what follows "#": the key. In most shells it has to stand in quotes. FILE is what you
downloaded. Each is written beside where you are, under the name that the sender gave it, which is told with its folders; nothing
there is overwritten. What was changed or cut off on the way is told and not kept.

Whoever keeps the files can't change them, but could give you one for another. So look at the names that are told: they are the
sender's. With --name a FILE of another name is not kept. Nor is one that came twice, under two names of the server's.

Needs Python 3.8 and the package cryptography: pip install cryptography, or apt install python3-cryptography.

The form, for who wants to write another such program:
    9 bytes      "TRABOULE" and 1
    16 bytes     salt; the key of the file is HKDF-SHA256(key of the link, salt, "traboule file 1"), 32 bytes
    2 bytes      the length of what follows, big-endian
    the name     AES-256-GCM, nonce 12 times 255, bound to the 27 bytes before: JSON {"name", "type"}, padded with spaces
    the content  in chunks of 1 MiB and its tag of 16 bytes, AES-256-GCM; nonce: number of the chunk, 11 bytes
                 big-endian, and one byte that is 1 for the last chunk, else 0
"""

import base64
import json
import os
import re
import sys

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    sys.exit("This needs the package cryptography: pip install cryptography, or apt install python3-cryptography")

START, SALT, TAG, CHUNK = b"TRABOULE\x01", 16, 16, 1024 * 1024
LONGEST_NAME = 4500  # bytes, sealed


class DamagedError(Exception):
    """In words for the person."""


def key_of(link):
    """The key of a link: 32 bytes."""
    text = link.rpartition("#")[2]
    try:
        key = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise DamagedError('this link has no key: copy all of it, with what follows "#"')
    return key


def opened(stream, key):
    """The name with its folders, the salt, which no other file has, and an iterator over the content."""
    fixed = stream.read(len(START) + SALT + 2)
    length = int.from_bytes(fixed[-2:], "big")
    if len(fixed) < len(START) + SALT + 2 or not fixed.startswith(START) or length > LONGEST_NAME:
        raise DamagedError("it is not a file of this kind")
    salt = fixed[len(START) : -2]
    cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"traboule file 1").derive(key))
    try:
        told = json.loads(cipher.decrypt(b"\xff" * 12, stream.read(length), fixed))
    except (InvalidTag, ValueError):
        raise DamagedError("this link does not open it, or its beginning was changed") from None
    return told["name"], salt, _content(stream, cipher)


def _content(stream, cipher):
    part, count = stream.read(CHUNK + TAG), 0
    while True:
        following = stream.read(CHUNK + TAG)
        nonce = count.to_bytes(11, "big") + (b"\0" if following else b"\1")
        try:
            yield cipher.decrypt(nonce, part, None)
        except (InvalidTag, ValueError):
            raise DamagedError("it was changed or cut off on the way: download it again") from None
        if not following:
            return
        part, count = following, count + 1


def harmless(path):
    """The last part of a path, without what could lead elsewhere or confuse."""
    name = re.sub(r'[<>:"|?*\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]', "_", path.replace("\\", "/").rpartition("/")[2])
    return name.strip(" ").rstrip(". ") or "file"


def save(file, key, expected=None, known=None):
    """Write one of them; returns what its sender called it, and under which name it is now. `known`: salts of those before it."""
    with open(file, "rb") as stream:
        path, salt, content = opened(stream, key)
        if expected is not None and path != expected:
            raise DamagedError(f"it is another file: its sender called it {visible(path)}")
        if known is not None and known.setdefault(salt, file) != file:
            raise DamagedError(f"it is the same as {known[salt]}, so you were given one file for another: download it again")
        name = harmless(path)
        stem, ending = os.path.splitext(name)
        number = 1
        while os.path.exists(name):
            number += 1
            name = f"{stem} ({number}){ending}"
        unfinished = name + ".part"
        try:
            with open(unfinished, "xb") as out:
                for part in content:
                    out.write(part)
            os.rename(unfinished, name)
        except BaseException:
            if os.path.exists(unfinished):
                os.remove(unfinished)
            raise
    return path, name


def visible(path):
    """As a terminal may show it."""
    return "".join(sign if sign.isprintable() else "?" for sign in path)


def main(arguments):
    expected = None
    if arguments[:1] == ["--name"] and len(arguments) == 4:
        expected = arguments.pop(1)
        arguments.pop(0)
    if len(arguments) < 2:
        sys.exit(__doc__)
    faults, known = 0, {}
    try:
        key = key_of(arguments[0])
    except DamagedError as error:
        sys.exit(str(error))
    for file in arguments[1:]:
        try:
            path, name = save(file, key, expected, known)
            called = "" if path == name else f" (its sender called it {visible(path)})"
            sys.stdout.write(f"{file}: {name}{called}\n")
        except (DamagedError, OSError) as error:
            sys.stderr.write(f"{file}: {error}\n")
            faults = 1
    sys.exit(faults)


if __name__ == "__main__":
    main(sys.argv[1:])
