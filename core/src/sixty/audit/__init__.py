"""The audit trail: a line for every call, signed by the process that writes it, and sealed in a chain after commit.

`entry.py` is the line, `redacting.py` what is kept out of it, `signing.py` how it is known again; `trail.py` writes
lines, `sealing.py` chains them, `marks.py` says where the chain begins and ends, `verifying.py` finds what somebody
has changed. No tool reads any of it.
"""

from sixty.audit.entry import Entry
from sixty.audit.trail import AuditTrail

__all__ = ["AuditTrail", "Entry"]
