"""Checks that count, clients of the local KMS, and what an error has to be."""
import json
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = json.loads(sys.argv[1])
ACCOUNT = "123456789012"
EAST, WEST, NORTH = "us-east-1", "us-west-2", "eu-west-1"
ABSENT = "11111111-2222-4333-8444-555555555555"
CALLED = set()
SENT = []
CHECKS = []


def check(function):
    """A check of its own, run by `run`."""
    CHECKS.append(function)
    return function


def run():
    """Runs all checks; the number that failed."""
    failed = 0
    for function in CHECKS:
        try:
            function()
        except Exception:  # noqa: BLE001 - whatever it is, the check has failed
            failed += 1
            print(f"FAILED {function.__module__}.{function.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return failed


def client(region=EAST, server="quick", who="account"):
    """A client for a region of one of the servers; notes which operations are called, and what is sent."""
    found = CONFIG[server]
    keys = found[who]
    made = boto3.client(
        "kms",
        region_name=region,
        endpoint_url=found["endpoint"],
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys.get("sessionToken"),
        config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}),
    )
    made.meta.events.register("before-call.kms", lambda model, **_: CALLED.add(model.name))
    made.meta.events.register("before-send.kms", note)
    return made


def note(request, **_):
    SENT.append(request)


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def has(answer, **members):
    """An answer with these members, whatever others it has."""
    equal({name: answer.get(name) for name in members}, members)


def refused(code, call, message=None, status=400, **arguments):
    """A call that fails with this error code, text and status; the error."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        equal(error.response["Error"]["Code"], code)
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        if message is not None:
            equal(error.response["Error"]["Message"], message)
        return error
    raise AssertionError(f"{code} expected, got {answer!r}")


def new_key(kms, **arguments):
    return kms.create_key(**arguments)["KeyMetadata"]


def replica_arn(arn, region):
    return arn.replace(EAST, region)
