"""Keys: what encrypts and signs a person's messages (OpenPGP, S/MIME), and the certificates of those they write to.

Here is how keys are made, sealed, opened, published and found. Messages are read and written in the areas of those names; what a
key does to bytes is in `webmail/crypto/`.
"""

from webmail.crypto import owner_locks
from webmail.late_calls import late_call

owner_locks[:] = [late_call("webmail.keys.operation_lock:keep_apart")]
