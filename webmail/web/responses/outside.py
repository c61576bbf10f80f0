"""Pages that wait for other servers: few of a process at once, so that threads are left for mail."""

from __future__ import annotations

from webmail.admission import Admission

ASKING_OUTSIDE = Admission(4, waiting=8, patience=2.0)
