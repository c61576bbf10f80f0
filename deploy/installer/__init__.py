"""Installer: a whole server on one machine, `sudo deploy/install`; the standard library alone, since nothing else is there yet.

`answers.py` is what is asked, `facts.py` what the machine is like, `preflight.py` what stands in the way, `changes.py` how
anything is changed and told, `steps/` what is done, in the order of its `__init__.py`, `files/` what other programs read. Each
step can be taken again: it changes what differs.
"""
