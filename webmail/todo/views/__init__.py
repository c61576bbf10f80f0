"""To-do views: importing these modules registers their routes."""

from webmail.todo import todo_texts
from webmail.todo.blueprint import blueprint
from webmail.todo.views import doing, from_message, item, listing, lists

__all__ = ["blueprint", "doing", "from_message", "item", "listing", "lists", "todo_texts"]
