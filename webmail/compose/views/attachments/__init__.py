"""Pages and answers about files of a message being written."""
