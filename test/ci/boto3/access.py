"""Who may do what: grants, their tokens, key policies."""
import json

from harness import ACCOUNT, check, client, equal, has, new_key, refused

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
TOKEN = "InvalidGrantTokenException"


@check
def grants():
    kms, alice = client(), client(who="alice")
    arn = new_key(kms)["Arn"]
    data_key = {"KeyId": arn, "NumberOfBytes": 8, "EncryptionContext": {"a": "b", "c": "d"}}
    denied = (
        f"User: {ALICE} is not authorized to perform: kms:GenerateDataKey on resource: {arn} "
        "because no resource-based policy allows the kms:GenerateDataKey action"
    )
    refused("AccessDeniedException", alice.generate_data_key, denied, **data_key)
    asked = {
        "KeyId": arn,
        "GranteePrincipal": ALICE,
        "RetiringPrincipal": ALICE,
        "Operations": ["GenerateDataKey", "DescribeKey"],
        "Constraints": {"EncryptionContextSubset": {"a": "b"}},
        "Name": "mine",
    }
    made, again = kms.create_grant(**asked), kms.create_grant(**asked)
    equal(made["GrantId"], again["GrantId"])
    assert made["GrantToken"] != again["GrantToken"]
    equal(alice.generate_data_key(**data_key)["KeyId"], arn)
    equal(alice.describe_key(KeyId=arn)["KeyMetadata"]["Arn"], arn)
    refused("AccessDeniedException", alice.generate_data_key, KeyId=arn, NumberOfBytes=8)
    (listed,) = kms.list_grants(KeyId=arn)["Grants"]
    has(listed, GrantId=made["GrantId"], IssuingAccount=ROOT, **asked)
    alice.retire_grant(GrantToken=made["GrantToken"])
    equal(kms.list_grants(KeyId=arn)["Grants"], [])
    refused("AccessDeniedException", alice.generate_data_key, denied, **data_key)
    refused("NotFoundException", kms.revoke_grant, KeyId=arn, GrantId=made["GrantId"])
    refused("InvalidGrantIdException", kms.revoke_grant, KeyId=arn, GrantId="none")
    refused("InvalidArnException", kms.create_grant, KeyId=arn, GranteePrincipal="alice", Operations=["Decrypt"])
    refused("ValidationException", kms.create_grant, KeyId=arn, GranteePrincipal=ALICE, Operations=["Sign"])


@check
def grant_tokens():
    kms, alice = client(server="slow"), client(server="slow", who="alice")
    arn = new_key(kms)["Arn"]
    token = kms.create_grant(KeyId=arn, GranteePrincipal=ALICE, Operations=["Encrypt"])["GrantToken"]
    refused("AccessDeniedException", alice.encrypt, KeyId=arn, Plaintext=b"x")
    equal(alice.encrypt(KeyId=arn, Plaintext=b"x", GrantTokens=[token])["KeyId"], arn)
    message = "The grant token is not valid."
    refused(TOKEN, kms.encrypt, message, KeyId=arn, Plaintext=b"x", GrantTokens=["token"])
    refused(TOKEN, kms.retire_grant, message, GrantToken=token[:-4])
    foreign = client().create_grant(KeyId=new_key(client())["Arn"], GranteePrincipal=ALICE, Operations=["Encrypt"])
    refused(TOKEN, kms.encrypt, message, KeyId=arn, Plaintext=b"x", GrantTokens=[foreign["GrantToken"]])


@check
def grant_pages():
    kms = client()
    arn = new_key(kms)["Arn"]
    made = [kms.create_grant(KeyId=arn, GranteePrincipal=ALICE, Operations=["Decrypt"])["GrantId"] for _ in range(5)]
    pages = list(kms.get_paginator("list_grants").paginate(KeyId=arn, PaginationConfig={"PageSize": 2}))
    equal([len(page["Grants"]) for page in pages], [2, 2, 1])
    equal([grant["GrantId"] for page in pages for grant in page["Grants"]], sorted(made))
    equal(len(kms.list_grants(KeyId=arn, GrantId=made[0])["Grants"]), 1)
    for grant in made:
        kms.revoke_grant(KeyId=arn, GrantId=grant)
    equal(kms.list_grants(KeyId=arn)["Truncated"], False)


@check
def policies():
    kms = client()
    arn = new_key(kms)["Arn"]
    default = kms.get_key_policy(KeyId=arn, PolicyName="default")
    equal(json.loads(default["Policy"])["Id"], "key-default-1")
    equal(default["PolicyName"], "default")
    allow = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    deny = {**allow, "Effect": "Deny", "Action": ["kms:Decrypt", "kms:ReEncrypt*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=policy)
    equal(kms.get_key_policy(KeyId=arn)["Policy"], policy)
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    denied = f"User: {ROOT} is not authorized to perform: kms:{{}} on resource: {arn} with an explicit deny in a resource-based policy"
    refused("AccessDeniedException", kms.decrypt, denied.format("Decrypt"), CiphertextBlob=blob, KeyId=arn)
    into = {"CiphertextBlob": blob, "DestinationKeyId": arn}
    refused("AccessDeniedException", kms.re_encrypt, denied.format("ReEncryptTo"), **into)
    locked = "The new key policy will not allow you to update the key policy in the future."
    only_deny = json.dumps({"Statement": [deny]})
    refused("MalformedPolicyDocumentException", kms.put_key_policy, locked, KeyId=arn, Policy=only_deny)
    refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=arn, Policy="{")
    refused("NotFoundException", kms.get_key_policy, "No such policy exists", KeyId=arn, PolicyName="other")
    equal(kms.get_key_policy(KeyId=new_key(kms, Policy=policy)["Arn"])["Policy"], policy)
