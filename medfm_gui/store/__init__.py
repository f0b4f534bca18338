"""Every dataset, split, run and study of a workspace, searchable; an index that the workspace's files can rebuild.

May import: ``base``, ``domain``, numpy and, alone in the program, sqlite-utils with the SQLite it finds (pysqlite3).
Front door: ``store.Store`` writes, ``queries`` reads (``with store.reading() as reader: queries.runs(reader)``).
To add a table: a migration in ``migrations.py``, a function in ``records.py`` that writes its rows, one in
``queries.py`` that reads them. One thread a process writes; workers never come here.
"""
