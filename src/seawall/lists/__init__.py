"""The one contract of all lists (filter, sort, keyset page, export), and the door by which rooms meet the app."""

from seawall.lists.door import Beside, Change, Door, Held, Node, Refused, Resync, Source, User
from seawall.lists.query import Listing, Page, joined, page
from seawall.lists.route import add

__all__ = [
    "Beside",
    "Change",
    "Door",
    "Held",
    "Listing",
    "Node",
    "Page",
    "Refused",
    "Resync",
    "Source",
    "User",
    "add",
    "joined",
    "page",
]
