"""Updates: `sudo deploy/update` puts another release beside the one that serves, and switches without a refused request.

If the new one is not well, the code goes back by itself; the data never does: a release's migrations only add, and the one before
runs on them. `sources.py` is where releases come from, `switching.py` how one takes the other's place.
"""
