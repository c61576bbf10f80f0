"""The outbox: messages from *Send* until they are in Sent: waiting, sent once, retried, filed."""
