"""Tasks: long work that a person starts and a worker does, step by step, with progress, cancelling and a result to fetch.

`store` is for the pages, `kinds` for the areas that have long work, `runner` and `heartbeat` for the worker.
"""
