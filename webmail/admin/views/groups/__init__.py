"""Views of groups: the list, a group with its people, what it gives them."""
