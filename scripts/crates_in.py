"""Prints the crates that a program is made of, one `name version` a line, as cargo-auditable wrote them into it.

usage: python3 scripts/crates_in.py PROGRAM ROOT: fails unless ROOT is the crate that the program is.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

SECTION = b".dep-v0"


class Failure(Exception):
    """Why there is no list, in one line."""


def main() -> None:
    _, program, root = sys.argv
    packages = json.loads(zlib.decompress(section(Path(program).read_bytes())))["packages"]
    roots = [package["name"] for package in packages if package.get("root")]
    if roots != [root]:
        raise Failure(f"{program} is {roots}, not {root}")
    # What only its build needed is not in it.
    for package in packages:
        if package.get("kind", "runtime") == "runtime":
            print(package["name"], package["version"])


def section(elf: bytes) -> bytes:
    """The content of the section, of a 64-bit little-endian ELF file (System V ABI, chapter 4)."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise Failure("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + number * size) for number in range(count)]
    names_at = headers[names][4]
    for name, _, _, _, offset, length in headers:
        if elf.startswith(SECTION + b"\0", names_at + name):
            return elf[offset : offset + length]
    raise Failure(f"there is no section {SECTION.decode()}: it was not built with cargo-auditable")


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError, ValueError) as error:
        sys.exit(f"crates_in: {error}")
