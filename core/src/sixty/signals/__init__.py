"""What an operator sees of a running Sixty: metrics, log lines and traces. Nothing here changes what a call does."""
