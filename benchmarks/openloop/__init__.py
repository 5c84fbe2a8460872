"""A load that does not wait: requests are sent when they are due, whatever has become of those before them.

When each is due is fixed before the first is sent, and how long it took counts from then. So a server that stalls is
charged for everybody who would have asked meanwhile, and not only for who happened to be waiting. It runs as a process
of its own, knows whether it kept up with its own schedule, and says so.
"""
