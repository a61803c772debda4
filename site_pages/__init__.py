"""The pages of the site: those of docs/, and those made of scenarios, runs and docstrings.

`python -m site_pages FOLDER` writes them for mkdocs, which `make docs` builds the site from.
"""
