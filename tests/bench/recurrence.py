"""`python -m tests.bench.recurrence [HOW MANY]`: random rules of all kinds, expanded by us, by dateutil and by libical.

Prints how many are the same to all, which are not and why, and what is refused; ends with 1 if a difference is not explained.
"""

from __future__ import annotations

import sys

from tests.support import random_rules
from tests.support.libical import Libical, NotHere

SEED = 20261130


def main(arguments: list[str]) -> int:
    many = int(arguments[0]) if arguments else 3_000
    try:
        with Libical() as libical:
            found = random_rules.compare(many, SEED, libical)
    except NotHere as reason:
        print(reason)
        return 1
    print(f"{found.rules} rules: {found.equal} the same to all three")
    print(f"{found.never:6} never apply, and {found.refused_never} more are refused for it")
    for known, times in found.known.most_common():
        print(f"{times:6} {known.other}: {known.words}")
    for name, texts in (("refused, though they apply", found.refused), ("not explained", found.unknown)):
        print(f"{len(texts):6} {name}")
        print("".join(f"       {text}\n" for text in texts), end="")
    return int(bool(found.refused or found.unknown))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
