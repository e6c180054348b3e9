"""Verifies an audit log from its files, as docs/audit.md describes them, and shares no code with Signet.

usage: verify_audit.py FOLDER VERIFIER_KEY [CHECKPOINT_FILE ...]

Prints "ok EVENTS CHECKPOINTS", or what is wrong, and ends with 1.
"""

import base64
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Damage(Exception):
    pass


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def read_stream(paths):
    """The lines of one stream, its numbers and its chain checked: (index, leaf hash) of each."""
    previous, seq = "0" * 64, 0
    for path in paths:
        lines = path.read_bytes().split(b"\n")
        if lines.pop() != b"":
            print(f"remark: {path.name} ends within a line", file=sys.stderr)
        for line in lines:
            seq += 1
            try:
                event = json.loads(line)
            except ValueError:
                raise Damage(f"{path.name}: line {seq} is no JSON") from None
            stream = path.name.rsplit("-", 1)[0]
            if event.get("stream") != stream or event.get("seq") != seq:
                raise Damage(f"{stream} {seq}: another event stands there")
            if event.get("prev_hash") != previous:
                raise Damage(f"{stream} {seq}: it, or the one before it, was changed")
            leaf = sha256(b"\x00", line)
            previous = leaf.hex()
            yield event["index"], leaf


def root_of(leaves):
    """RFC 6962 s2.1, level by level: a node without a partner moves up as it is."""
    if not leaves:
        return sha256(b"")
    level = leaves
    while len(level) > 1:
        above = [sha256(b"\x01", *level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level = above + level[-1:] if len(level) % 2 else above
    return level[0]


def read_key(text):
    name, digits, key = text.split("+", 2)
    key = base64.b64decode(key, validate=True)
    key_hash = sha256(name.encode(), b"\n", key)[:4]
    if key[:1] != b"\x01" or len(key) != 33 or key_hash.hex() != digits:
        raise SystemExit(f"{text} is no verifier key")
    return name, key_hash, Ed25519PublicKey.from_public_bytes(key[1:])


def read_notes(path):
    """The notes of a file: a text, an empty line, signatures, and an empty line before the next."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"((?:[^\n]+\n)+)\n((?:\u2014 [^\n]+\n)+)", text)


def open_checkpoint(text, signatures, key):
    name, key_hash, public_key = key
    for line in signatures.splitlines():
        _, signer, data = line.split(" ")
        data = base64.b64decode(data, validate=True)
        if signer != name or data[:4] != key_hash:
            continue
        try:
            public_key.verify(data[4:], text.encode())
        except InvalidSignature:
            raise Damage("a checkpoint is forged") from None
        origin, size, root = text.splitlines()[:3]
        if origin != name:
            raise Damage(f"a checkpoint is of another log: {origin}")
        return int(size), base64.b64decode(root, validate=True)
    raise Damage("a checkpoint was signed by nobody who is known")


def verify(folder, key, checkpoint_files):
    streams = {}
    for path in folder.glob("*.jsonl"):
        stream, number = path.stem.rsplit("-", 1)
        streams.setdefault(stream, []).append((int(number), path))
    leaves = {}
    for files in streams.values():
        for index, leaf in read_stream([path for _, path in sorted(files)]):
            if index in leaves:
                raise Damage(f"event {index} is there twice")
            leaves[index] = leaf
    for index in range(len(leaves)):
        if index not in leaves:
            raise Damage(f"event {index} is missing")
    ordered = [leaves[index] for index in range(len(leaves))]

    beside = [folder / "checkpoints", folder / "checkpoint"]
    checkpoints = set()
    for path in [path for path in beside if path.exists()] + checkpoint_files:
        notes = read_notes(path)
        if not notes and path.stat().st_size > 0:
            raise Damage(f"{path.name} holds no checkpoint")
        checkpoints |= {open_checkpoint(text, signatures, key) for text, signatures in notes}
    for size, root in sorted(checkpoints):
        if size > len(ordered):
            raise Damage(f"{size} events were signed, {len(ordered)} are there")
        if root_of(ordered[:size]) != root:
            raise Damage(f"the first {size} events are not those that were signed")
    return len(ordered), len(checkpoints)


if __name__ == "__main__":
    try:
        events, signed = verify(
            pathlib.Path(sys.argv[1]),
            read_key(sys.argv[2]),
            [pathlib.Path(path) for path in sys.argv[3:]],
        )
    except Damage as damage:
        print(damage)
        sys.exit(1)
    print(f"ok {events} {signed}")
