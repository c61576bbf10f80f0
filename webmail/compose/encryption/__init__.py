"""What is signed or encrypted of the messages that are written: what was chosen, for whom there are keys, and the finished bytes.

The worker holds no key: whatever needs one is done in the request of the person.
"""
