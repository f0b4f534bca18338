"""Studies and predictions of single studies."""
