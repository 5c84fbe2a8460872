"""Sixty side by side with the SDK it stands on and with its peers, in one run and on one machine.

`make bench` runs it. A machine's speed wanders, so each subject is measured in several short rounds, turn by turn with
the others, and the middle one counts: trust the ratios, not the absolutes.
"""
