"""Reading a message: who sent it and how far that is proven, its attachments, images, receipts, unsubscribing."""
