"""The import dialog: a source, what is taken for what, and what an import would give before anything is kept.

May import: ``ui`` widgets and the page's own tables. Front door: ``dialog.ImportDialog``.
"""
