"""What the keyrings of the AWS Encryption SDK call: data keys, keys, aliases, replicas, key states."""
import re

from harness import ABSENT, ACCOUNT, EAST, SENT, WEST, check, client, equal, has, new_key, refused, replica_arn

VALIDATION = "1 validation error detected: Value {} failed to satisfy constraint: Member must {}"


@check
def request_shape():
    kms = client()
    SENT.clear()
    kms.generate_random(NumberOfBytes=8)
    (request,) = SENT
    equal(request.headers["X-Amz-Target"], b"TrentService.GenerateRandom")
    equal(request.headers["Content-Type"], b"application/x-amz-json-1.1")
    equal(request.body, b'{"NumberOfBytes": 8}')
    assert b"/us-east-1/kms/aws4_request" in request.headers["Authorization"]


@check
def create_and_describe():
    kms = client()
    made = new_key(kms, Description="mine", Tags=[{"TagKey": "a", "TagValue": "b"}])
    arn = f"arn:aws:kms:{EAST}:{ACCOUNT}:key/{made['KeyId']}"
    expected = {
        "AWSAccountId": ACCOUNT,
        "Arn": arn,
        "Description": "mine",
        "Enabled": True,
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "MultiRegion": False,
    }
    has(made, **expected)
    assert re.fullmatch(r"[0-9a-f]{64}", made["CurrentKeyMaterialId"])
    equal(kms.describe_key(KeyId=arn)["KeyMetadata"], made)
    assert "MultiRegionConfiguration" not in made


@check
def data_keys():
    kms = client()
    key = new_key(kms)
    for size, length in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 24}, 24)):
        made = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext={"a": "b"}, **size)
        equal(len(made["Plaintext"]), length)
        has(made, KeyId=key["Arn"], KeyMaterialId=key["CurrentKeyMaterialId"])
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
        has(opened, KeyId=key["Arn"], Plaintext=made["Plaintext"], EncryptionAlgorithm="SYMMETRIC_DEFAULT")
    equal(len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]), 1024)


@check
def encrypt_and_decrypt():
    kms = client()
    key = new_key(kms)
    made = kms.encrypt(KeyId=key["Arn"], Plaintext=b"\x00secret", EncryptionContext={"\U00010000": "\u00e9"})
    has(made, KeyId=key["Arn"], EncryptionAlgorithm="SYMMETRIC_DEFAULT")
    assert "KeyMaterialId" not in made
    blob = made["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"], EncryptionContext={"\U00010000": "\u00e9"})
    equal(opened["Plaintext"], b"\x00secret")
    for context in ({}, {"\U00010000": "e"}, {"\U00010000": "\u00e9", "b": ""}):
        refused("InvalidCiphertextException", kms.decrypt, "", CiphertextBlob=blob, EncryptionContext=context)


@check
def blobs_that_do_not_open():
    kms = client()
    key, other = new_key(kms), new_key(kms)
    blob = kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    refused(
        "IncorrectKeyException",
        kms.decrypt,
        "The key ID in the request does not identify a CMK that can perform this operation.",
        CiphertextBlob=blob,
        KeyId=other["Arn"],
    )
    refused(
        "AccessDeniedException",
        client(WEST).decrypt,
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
        "or you are not allowed to access.",
        CiphertextBlob=blob,
    )
    for wrong in (blob[:-1], blob[:20], bytes([blob[0] ^ 1]) + blob[1:]):
        refused("InvalidCiphertextException", kms.decrypt, "", CiphertextBlob=wrong)


@check
def limits():
    kms = client()
    key = new_key(kms)["Arn"]
    too_long = VALIDATION.format("at 'plaintext'", "have length less than or equal to 4096")
    refused("ValidationException", kms.encrypt, too_long, KeyId=key, Plaintext=bytes(4097))
    equal(len(kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key, Plaintext=bytes(4096))["CiphertextBlob"])["Plaintext"]), 4096)
    too_many = VALIDATION.format("'1025' at 'numberOfBytes'", "have value less than or equal to 1024")
    refused("ValidationException", kms.generate_data_key, too_many, KeyId=key, NumberOfBytes=1025)
    neither = "Please specify either number of bytes or key spec."
    refused("ValidationException", kms.generate_data_key, neither, KeyId=key)
    refused("ValidationException", kms.generate_data_key, neither, KeyId=key, NumberOfBytes=32, KeySpec="AES_256")
    refused("InvalidKeyUsageException", kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")


@check
def key_ids():
    kms = client()
    key = new_key(kms)
    kms.create_alias(AliasName="alias/ids", TargetKeyId=key["KeyId"])
    alias = f"arn:aws:kms:{EAST}:{ACCOUNT}:alias/ids"
    for form in (key["KeyId"], key["Arn"], "alias/ids", alias):
        equal(kms.describe_key(KeyId=form)["KeyMetadata"]["Arn"], key["Arn"])
        equal(kms.generate_data_key(KeyId=form, NumberOfBytes=1)["KeyId"], key["Arn"])
    missing = f"arn:aws:kms:{EAST}:{ACCOUNT}:key/{ABSENT}"
    for form, message in (
        (ABSENT, f"Key '{missing}' does not exist"),
        (missing, f"Key '{missing}' does not exist"),
        ("nothing", "Invalid keyId 'nothing'"),
        ("alias/nothing", f"Alias arn:aws:kms:{EAST}:{ACCOUNT}:alias/nothing is not found."),
        (key["Arn"].replace(EAST, WEST), f"Invalid arn {WEST}"),
    ):
        refused("NotFoundException", kms.encrypt, message, KeyId=form, Plaintext=b"x")
    refused("NotFoundException", kms.disable_key, "Invalid keyId 'alias/ids'", KeyId="alias/ids")


@check
def states():
    kms = client()
    key = new_key(kms)["Arn"]
    kms.disable_key(KeyId=key)
    refused("DisabledException", kms.encrypt, f"{key} is disabled.", KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=key)
    has(kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7), KeyId=key, KeyState="PendingDeletion")
    refused("KMSInvalidStateException", kms.encrypt, f"{key} is pending deletion.", KeyId=key, Plaintext=b"x")
    assert "DeletionDate" in kms.describe_key(KeyId=key)["KeyMetadata"]
    equal(kms.cancel_key_deletion(KeyId=key)["KeyId"], key)
    refused("KMSInvalidStateException", kms.cancel_key_deletion, f"{key} is not pending deletion.", KeyId=key)
    has(kms.describe_key(KeyId=key)["KeyMetadata"], KeyState="Disabled", Enabled=False)
    refused("ValidationException", kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=6)
    external = new_key(kms, Origin="EXTERNAL")["Arn"]
    refused("KMSInvalidStateException", kms.encrypt, f"{external} is pending import.", KeyId=external, Plaintext=b"x")
    signing = new_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["Arn"]
    usage = f"{signing} key usage is SIGN_VERIFY which is not valid for Encrypt."
    refused("InvalidKeyUsageException", kms.encrypt, usage, KeyId=signing, Plaintext=b"x")


@check
def aliases():
    kms = client()
    one, two = new_key(kms), new_key(kms)
    kms.create_alias(AliasName="alias/moved", TargetKeyId=one["Arn"])
    kms.update_alias(AliasName="alias/moved", TargetKeyId=two["Arn"])
    equal(kms.describe_key(KeyId="alias/moved")["KeyMetadata"]["Arn"], two["Arn"])
    (found,) = kms.list_aliases(KeyId=two["KeyId"])["Aliases"]
    has(found, AliasName="alias/moved", TargetKeyId=two["KeyId"])
    taken = f"An alias with the name arn:aws:kms:{EAST}:{ACCOUNT}:alias/moved already exists"
    refused("AlreadyExistsException", kms.create_alias, taken, AliasName="alias/moved", TargetKeyId=one["Arn"])
    refused("NotAuthorizedException", kms.create_alias, AliasName="alias/aws/x", TargetKeyId=one["Arn"])
    prefix = (
        'Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )
    refused("ValidationException", kms.create_alias, prefix, AliasName="x", TargetKeyId=one["Arn"])
    kms.delete_alias(AliasName="alias/moved")
    refused("NotFoundException", kms.delete_alias, AliasName="alias/moved")


@check
def paging():
    kms = client("eu-west-1")
    made = sorted(new_key(kms)["KeyId"] for _ in range(5))
    for index, key in enumerate(made):
        kms.create_alias(AliasName=f"alias/page{index}", TargetKeyId=key)
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    equal([len(page["Keys"]) for page in pages], [2, 2, 1])
    equal([page["Truncated"] for page in pages], [True, True, False])
    equal([entry["KeyId"] for page in pages for entry in page["Keys"]], made)
    names = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}).search("Aliases[].AliasName")
    equal(list(names), [f"alias/page{index}" for index in range(5)])
    refused("InvalidMarkerException", kms.list_keys, Marker="%%%")
    refused("ValidationException", kms.list_keys, Limit=1001)


@check
def replicas():
    kms, west = client(), client(WEST)
    primary = new_key(kms, MultiRegion=True)
    assert re.fullmatch(r"mrk-[0-9a-f]{32}", primary["KeyId"])
    answer = kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=WEST)
    has(answer["ReplicaKeyMetadata"], KeyState="Creating", Enabled=False, Arn=replica_arn(primary["Arn"], WEST))
    assert "CurrentKeyMaterialId" not in answer["ReplicaKeyMetadata"]
    equal(set(answer) - {"ResponseMetadata"}, {"ReplicaKeyMetadata", "ReplicaPolicy"})
    blob = kms.encrypt(KeyId=primary["Arn"], Plaintext=b"both")["CiphertextBlob"]
    has(west.decrypt(CiphertextBlob=blob), Plaintext=b"both", KeyId=replica_arn(primary["Arn"], WEST))
    configuration = west.describe_key(KeyId=primary["KeyId"])["KeyMetadata"]["MultiRegionConfiguration"]
    equal(configuration["MultiRegionKeyType"], "REPLICA")
    equal(configuration["PrimaryKey"], {"Arn": primary["Arn"], "Region": EAST})
    refused("AlreadyExistsException", kms.replicate_key, KeyId=primary["KeyId"], ReplicaRegion=WEST)
    not_primary = f"{replica_arn(primary['Arn'], WEST)} is not a multi-region primary key."
    refused("UnsupportedOperationException", west.replicate_key, not_primary, KeyId=primary["KeyId"], ReplicaRegion=EAST)


@check
def credentials():
    equal(len(client(who="temporary").generate_random(NumberOfBytes=4)["Plaintext"]), 4)
    expired = "The security token included in the request is expired"
    refused("ExpiredTokenException", client(who="expired").generate_random, expired, NumberOfBytes=4)
    unknown = "The security token included in the request is invalid."
    refused("UnrecognizedClientException", client(who="nobody").generate_random, unknown, NumberOfBytes=4)
    wrong = "The request signature we calculated does not match the signature you provided."
    error = refused("InvalidSignatureException", client(who="forged").generate_random, NumberOfBytes=4)
    assert error.response["Error"]["Message"].startswith(wrong)
