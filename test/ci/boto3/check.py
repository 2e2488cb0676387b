"""All checks, and last that they have called everything that the local KMS implements."""
import sys

import access  # noqa: F401 - its checks register themselves
import tier1  # noqa: F401
import tier2  # noqa: F401
from harness import CALLED, check, equal, run

OPERATIONS = """
CancelKeyDeletion CreateAlias CreateGrant CreateKey Decrypt DeleteAlias DescribeKey DisableKey DisableKeyRotation
EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateRandom GetKeyPolicy
GetKeyRotationStatus ListAliases ListGrants ListKeyRotations ListKeys PutKeyPolicy ReEncrypt ReplicateKey RetireGrant
RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion UpdateAlias UpdatePrimaryRegion
"""


@check
def every_operation_was_called():
    equal(CALLED, set(OPERATIONS.split()))


sys.exit(1 if run() else 0)
