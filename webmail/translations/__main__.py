"""Build the catalogues of this checkout: `.venv/bin/python -m webmail.translations`, after an installation or an update."""

from __future__ import annotations

import sys

from webmail import translations


def main() -> int:
    try:
        written = translations.build()
    except OSError as error:
        sys.stderr.write(f"Not built: {error.strerror or error} ({error.filename})\n")
        return 1
    sys.stdout.write("".join(f"{one}\n" for one in written) or "All catalogues are built.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
