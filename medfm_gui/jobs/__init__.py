"""Where a run happens: a worker process a run, watched by one supervisor, told through files in the run folder.

May import: ``base``, ``domain``, filelock, the standard library; never ``store`` (who watches is not its business).
Front door: ``process.py`` (supervise, run_queue, start_supervisor, request_pause, request_cancel), ``follow.py``
(state_of, read_all), ``warm.py`` (WarmWorker). To add a place to run: one file beside ``process.py`` that fills the
same run folder (``inline.py`` is the smallest example).
"""
