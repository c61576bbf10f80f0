"""The desk: what people ask of those who administer, from whatever page, as one list with states and answers.

Whoever stores a request opens its case in the same transaction, and settles it when it is done elsewhere.
"""
