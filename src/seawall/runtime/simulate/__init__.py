"""Attacks that harm nothing, run in containers of their own, to see with one's own eyes that they are caught.

catalog.py says what there is, inside.py is what happens in the container, image.py makes the image from this host's
files, stage.py builds the containers up and always takes them down again.
"""
