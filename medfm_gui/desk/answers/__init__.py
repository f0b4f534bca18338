"""What the desk does with each question, a file a topic; each ends with its ``ENTRIES``."""
