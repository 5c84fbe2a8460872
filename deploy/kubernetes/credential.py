"""Who a job of the workflow is, told to kubectl anew whenever it asks: the job's own identity, valid for minutes.

kubectl runs it as a credential plugin. No password and no key is kept anywhere: the cluster trusts the issuer.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.request import Request, urlopen

AUDIENCE = "sixty-cluster"


def main() -> int:
    """Print the credential, as kubectl wants it."""
    asked = os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + f"&audience={AUDIENCE}"
    request = Request(asked, headers={"Authorization": f"Bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"})
    with urlopen(request, timeout=30) as response:
        token = json.load(response)["value"]
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    print(json.dumps(credential))
    return 0


if __name__ == "__main__":
    sys.exit(main())
