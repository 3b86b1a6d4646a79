"""The one contract of all lists (filter, sort, keyset page, export), and the door by which rooms meet the app."""

from seawall.lists.door import Change, Door, Refused, Resync, Source, User
from seawall.lists.query import Listing, Page, page
from seawall.lists.route import add

__all__ = ["Change", "Door", "Listing", "Page", "Refused", "Resync", "Source", "User", "add", "page"]
