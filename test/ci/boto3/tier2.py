"""What key stores, rotations and drills for disasters call."""
import datetime

from harness import ABSENT, ACCOUNT, EAST, NORTH, WEST, check, client, equal, has, new_key, refused, replica_arn

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
DRY_RUN = "The request would have succeeded, but the DryRun option is set."


@check
def branch_keys():
    kms = client()
    key, other = new_key(kms), new_key(kms)
    made = kms.generate_data_key_without_plaintext(KeyId=key["Arn"], NumberOfBytes=32, EncryptionContext={"v": "1"})
    assert "Plaintext" not in made
    moved = kms.re_encrypt(
        CiphertextBlob=made["CiphertextBlob"],
        SourceEncryptionContext={"v": "1"},
        DestinationKeyId=other["Arn"],
        DestinationEncryptionContext={"v": "2"},
    )
    expected = {
        "SourceKeyId": key["Arn"],
        "KeyId": other["Arn"],
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": key["CurrentKeyMaterialId"],
        "DestinationKeyMaterialId": other["CurrentKeyMaterialId"],
    }
    has(moved, **expected)
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"v": "2"})
    equal(len(opened["Plaintext"]), 32)
    wrong = {"CiphertextBlob": made["CiphertextBlob"], "DestinationKeyId": other["Arn"]}
    refused("InvalidCiphertextException", kms.re_encrypt, "", **wrong)
    refused("IncorrectKeyException", kms.re_encrypt, SourceKeyId=other["Arn"], **wrong)


@check
def dry_runs():
    kms = client()
    key = new_key(kms)["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    grant = {"KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"]}
    made = kms.create_grant(**grant)
    for call, arguments in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (kms.decrypt, {"CiphertextBlob": blob}),
        (kms.decrypt, {"KeyId": key, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}),
        (kms.generate_data_key, {"KeyId": key, "NumberOfBytes": 32}),
        (kms.generate_data_key_without_plaintext, {"KeyId": key, "NumberOfBytes": 32}),
        (kms.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": key}),
        (kms.create_grant, grant),
        (kms.retire_grant, {"GrantToken": made["GrantToken"]}),
        (kms.revoke_grant, {"KeyId": key, "GrantId": made["GrantId"]}),
    ):
        refused("DryRunOperationException", call, DRY_RUN, DryRun=True, **arguments)
    equal(len(kms.list_grants(KeyId=key)["Grants"]), 1)
    refused("NotFoundException", kms.encrypt, KeyId=ABSENT, Plaintext=b"x", DryRun=True)


@check
def rotation_on_demand():
    kms = client()
    key = new_key(kms)
    arn = key["Arn"]
    old = kms.encrypt(KeyId=arn, Plaintext=b"old")["CiphertextBlob"]
    equal(kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"], arn)
    current = kms.describe_key(KeyId=arn)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert current != key["CurrentKeyMaterialId"]
    equal(kms.generate_data_key(KeyId=arn, NumberOfBytes=1)["KeyMaterialId"], current)
    has(kms.decrypt(CiphertextBlob=old), Plaintext=b"old", KeyMaterialId=key["CurrentKeyMaterialId"])
    for _ in range(9):
        kms.rotate_key_on_demand(KeyId=arn)
    limit = (
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {arn}"
    )
    refused("LimitExceededException", kms.rotate_key_on_demand, limit, KeyId=arn)
    first = kms.list_key_rotations(KeyId=arn, Limit=7)
    rest = kms.list_key_rotations(KeyId=arn, Limit=7, Marker=first["NextMarker"])
    equal([len(first["Rotations"]), first["Truncated"], len(rest["Rotations"]), rest["Truncated"]], [7, True, 3, False])
    last = rest["Rotations"][-1]
    has(last, KeyId=arn, KeyMaterialState="CURRENT", RotationType="ON_DEMAND")
    assert isinstance(last["RotationDate"], datetime.datetime)
    everything = kms.list_key_rotations(KeyId=arn, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal(everything[0], {"KeyId": arn, "KeyMaterialId": key["CurrentKeyMaterialId"], "KeyMaterialState": "NON_CURRENT"})


@check
def rotation_in_progress():
    kms = client(server="slow")
    arn = new_key(kms)["Arn"]
    kms.rotate_key_on_demand(KeyId=arn)
    assert isinstance(kms.get_key_rotation_status(KeyId=arn)["OnDemandRotationStartDate"], datetime.datetime)
    refused("ConflictException", kms.rotate_key_on_demand, KeyId=arn)


@check
def rotation_by_schedule():
    kms, west = client(), client(WEST)
    key = new_key(kms, MultiRegion=True)
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=WEST)
    replica = replica_arn(key["Arn"], WEST)
    off = kms.get_key_rotation_status(KeyId=key["KeyId"])
    has(off, KeyId=key["Arn"], KeyRotationEnabled=False, RotationPeriodInDays=None, NextRotationDate=None)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    has(west.get_key_rotation_status(KeyId=replica), KeyRotationEnabled=True, RotationPeriodInDays=90, KeyId=replica)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    equal(kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"], False)
    kms.enable_key_rotation(KeyId=key["KeyId"])
    equal(kms.get_key_rotation_status(KeyId=key["KeyId"])["RotationPeriodInDays"], 365)
    not_primary = f"{replica} is not a multi-region primary key."
    for call in (west.enable_key_rotation, west.disable_key_rotation, west.rotate_key_on_demand):
        refused("UnsupportedOperationException", call, not_primary, KeyId=replica)
    external = new_key(kms, Origin="EXTERNAL")["Arn"]
    origin = f"{external} origin is EXTERNAL which is not valid for this operation."
    refused("UnsupportedOperationException", kms.enable_key_rotation, origin, KeyId=external)
    signing = new_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["Arn"]
    refused("UnsupportedOperationException", kms.rotate_key_on_demand, "", KeyId=signing)


@check
def primary_region():
    kms, west = client(), client(WEST)
    key = new_key(kms, MultiRegion=True)
    for region in (WEST, NORTH):
        kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=region)
    kms.update_primary_region(KeyId=key["Arn"], PrimaryRegion=WEST)
    for region, kind in ((EAST, "REPLICA"), (WEST, "PRIMARY"), (NORTH, "REPLICA")):
        found = client(region).describe_key(KeyId=key["KeyId"])["KeyMetadata"]["MultiRegionConfiguration"]
        equal(found["MultiRegionKeyType"], kind)
        equal(found["PrimaryKey"], {"Arn": replica_arn(key["Arn"], WEST), "Region": WEST})
    not_primary = f"{key['Arn']} is not a multi-region primary key."
    refused("UnsupportedOperationException", kms.update_primary_region, not_primary, KeyId=key["Arn"], PrimaryRegion=NORTH)
    missing = f"Key '{replica_arn(key['Arn'], 'eu-west-9')}' does not exist"
    refused("NotFoundException", west.update_primary_region, missing, KeyId=key["KeyId"], PrimaryRegion="eu-west-9")
    has(west.schedule_key_deletion(KeyId=key["KeyId"]), KeyState="PendingReplicaDeletion", PendingWindowInDays=30)
    has(west.describe_key(KeyId=key["KeyId"])["KeyMetadata"], PendingDeletionWindowInDays=30, DeletionDate=None)
    waits = f"{replica_arn(key['Arn'], WEST)} is pending replica deletion."
    refused("KMSInvalidStateException", west.encrypt, waits, KeyId=key["KeyId"], Plaintext=b"x")
    has(kms.schedule_key_deletion(KeyId=key["KeyId"]), KeyState="PendingDeletion")


@check
def transient_states():
    kms, west = client(server="slow"), client(WEST, server="slow")
    key = new_key(kms, MultiRegion=True)
    replica = replica_arn(key["Arn"], WEST)
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=WEST)
    has(west.describe_key(KeyId=replica)["KeyMetadata"], KeyState="Creating", Enabled=False)
    creating = f"{replica} is creating."
    refused("KMSInvalidStateException", west.encrypt, creating, KeyId=replica, Plaintext=b"x")
    refused("KMSInvalidStateException", kms.update_primary_region, creating, KeyId=key["Arn"], PrimaryRegion=WEST)


@check
def eventual_consistency():
    kms = client(server="unseen")
    arn = new_key(kms)["Arn"]
    refused("NotFoundException", kms.describe_key, f"Key '{arn}' does not exist", KeyId=arn)
    equal(kms.list_keys()["Keys"], [])
