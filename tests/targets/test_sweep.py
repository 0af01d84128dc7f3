"""Sweeping an account in which AWS takes its time, in which other things lie, and whose ledgers may not be believed."""

import contextlib
import json
import random
import time

import pytest
from troubles import Troubles

from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.ledger import Call, Written
from cloudkata.targets.owned import Owned
from cloudkata.targets.sweep import AT_ONCE, Item, Pace, Sweep
from cloudkata.targets.things import TABLE

PATIENT = Pace(patience=60.0, pause=0.1, longest=0.2, lag=1.5)
SHORT = Pace(patience=1.0, pause=0.05, longest=0.2, lag=0.0)
TRUST, POLICY = (
    json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})
    for action, more in (
        ("sts:AssumeRole", {"Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}}),
        ("s3:GetObject", {"Resource": "*"}),
    )
)


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as started:
        yield started


@pytest.fixture
def session(target):
    return target.session("14")


def client(session, service):
    return session.client(service, session.checks)


def table(session, name, **more):
    client(session, "dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def role(session, name):
    iam = client(session, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="in", PolicyDocument=POLICY)
    return arn


def sweep(session, owned=None, *, troubles=None, pace=AT_ONCE, **more) -> list[Item]:
    """What became of what the session's prefix owns, or `owned`."""
    reach = troubles.client(session) if troubles else lambda service, _: client(session, service)
    return Sweep(reach, owned or Owned([session.prefix]), pace=pace, lenient=True, **more).run()


def states(items) -> dict[tuple[str, str], str]:
    return {(item.kind, item.name): item.state for item in items}


def put_up(session, prefix, protected=True) -> int:
    """Things of several services; how many."""
    table(session, f"{prefix}-t", DeletionProtectionEnabled=protected)
    client(session, "sqs").create_queue(QueueName=f"{prefix}-q")
    client(session, "sqs").create_queue(QueueName=f"{prefix}-q.fifo", Attributes={"FifoQueue": "true"})
    client(session, "sns").create_topic(Name=f"{prefix}-n")
    client(session, "kinesis").create_stream(StreamName=f"{prefix}-s", ShardCount=1)
    client(session, "s3").create_bucket(Bucket=f"{prefix}-b")
    client(session, "s3").put_bucket_versioning(Bucket=f"{prefix}-b", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        client(session, "s3").put_object(Bucket=f"{prefix}-b", Key="k", Body=body)
    client(session, "s3").delete_object(Bucket=f"{prefix}-b", Key="k")
    client(session, "s3").create_multipart_upload(Bucket=f"{prefix}-b", Key="m")
    client(session, "cognito-idp").create_user_pool(PoolName=f"{prefix}-p", DeletionProtection="ACTIVE")
    client(session, "apigateway").create_rest_api(name=f"{prefix}-r")
    client(session, "apigatewayv2").create_api(Name=f"{prefix}-h", ProtocolType="HTTP")
    client(session, "logs").create_log_group(logGroupName=f"/aws/lambda/{prefix}-f")
    client(session, "ssm").put_parameter(Name=f"/{prefix}/p", Value="v", Type="String")
    client(session, "events").put_rule(Name=f"{prefix}-e", ScheduleExpression="rate(1 day)")
    client(session, "events").put_targets(
        Rule=f"{prefix}-e", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{session.account}:{prefix}-q"}]
    )
    arn = role(session, f"{prefix}-role")
    client(session, "stepfunctions").create_state_machine(
        name=f"{prefix}-m",
        roleArn=arn,
        definition='{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 900, "End": true}}}',
    )
    iam = client(session, "iam")
    policy = iam.create_policy(PolicyName=f"{prefix}-pol", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=f"{prefix}-role", PolicyArn=policy)
    iam.create_user(UserName=f"{prefix}-u")
    iam.create_access_key(UserName=f"{prefix}-u")
    iam.attach_user_policy(UserName=f"{prefix}-u", PolicyArn=policy)
    return 16


def everything(session) -> dict[tuple[str, str], str]:
    reach = lambda service, _: client(session, service)  # noqa: E731
    return states(Sweep(reach, Owned(everything=True), pace=AT_ONCE, lenient=True).look())


def test_all_of_an_attempt_goes(session):
    made = put_up(session, session.prefix)
    items = sweep(session)
    assert {item.state for item in items} == {"gone"} and len(items) == made
    assert everything(session) == {}
    assert sweep(session) == []


def test_refusals_that_pass_and_lists_that_lag_are_waited_for(session):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    made = put_up(session, session.prefix, protected=False)
    troubles = Troubles(seed, refusals=2, behind=0.4, slow=0.7)
    used = {"dynamodb", "sqs", "sns", "kinesis", "s3", "cognito-idp", "apigateway", "apigatewayv2", "logs", "ssm"}
    used |= {"events", "iam", "stepfunctions"}
    table = [listing for listing in TABLE if listing.service in used]
    items = sweep(session, troubles=troubles, pace=PATIENT, since=time.time(), table=table)
    assert {(item.kind, item.name): (item.state, item.reason) for item in items if item.state != "gone"} == {}
    assert len(items) == made and everything(session) == {}


def test_a_list_that_lags_is_not_taken_for_an_empty_account(session):
    """The same without patience for lists finds nothing: the troubles are there."""
    table(session, f"{session.prefix}-t")
    only = [listing for listing in TABLE if listing.service == "dynamodb"]
    assert sweep(session, troubles=Troubles(1, behind=60), table=only) == []
    assert states(sweep(session, troubles=Troubles(1, behind=0.4), pace=PATIENT, since=time.time(), table=only)) == {
        ("table", f"{session.prefix}-t"): "gone"
    }


def test_a_table_that_takes_too_long_is_left_with_the_reason(session):
    table(session, f"{session.prefix}-t")
    (item,) = sweep(session, troubles=Troubles(1, slow=60), pace=SHORT)
    assert item.state == "left" and "being deleted" in item.reason and "table?name=" in item.where


def test_what_may_not_be_deleted_is_left_with_the_reason_and_the_rest_goes(session):
    put_up(session, session.prefix)
    items = sweep(session, troubles=Troubles(1, denied="DeleteTopic"))
    left = [item for item in items if item.state != "gone"]
    assert [(item.kind, item.state) for item in left] == [("topic", "left")]
    assert "you may not" in left[0].reason and left[0].where == "/sns/v3/home?region=us-east-1#/topics"
    assert everything(session) == {("topic", f"{session.prefix}-n"): "found"}


def test_what_may_not_be_listed_is_not_taken_for_nothing(session):
    table(session, f"{session.prefix}-t")
    items = sweep(session, troubles=Troubles(1, denied="ListTables"))
    assert [(item.kind, item.state) for item in items] == [("tables", "left")]
    assert "could not be listed" in items[0].reason and "you may not" in items[0].reason


def test_where_nobody_answers_that_is_said_once_and_at_once():
    with EmbeddedTarget() as other:
        session = other.session("14")
        table(session, f"{session.prefix}-t")
        assert states(sweep(session, pace=SHORT)) == {("table", f"{session.prefix}-t"): "gone"}
    began = time.monotonic()
    (item,) = sweep(session, pace=PATIENT)
    assert (item.kind, item.state) == ("everything", "left") and "is not reached" in item.reason
    assert time.monotonic() - began < PATIENT.patience


def test_nothing_of_others_is_touched(target, session):
    """Names that are near, the same kinds, another attempt in the same account."""
    prefix = session.prefix
    others = (f"{prefix}0", f"my-{prefix}", f"{prefix[:-1]}{'0' if prefix[-1] != '0' else '1'}", "orders", "kata14")
    for other in others:
        put_up(session, other)
    before = everything(session)
    put_up(session, prefix)
    items = sweep(session)
    assert {item.state for item in items} == {"gone"}
    assert everything(session) == before


def written(session, *calls, prefix="") -> Written:
    return Written(None, session.account, "us-east-1", prefix or session.prefix, "14", 0.0, calls)


def call(service, operation, names, status=200, made=()):
    return Call(1, 1.0, service, operation, tuple(names), status, tuple(made))


def test_an_id_that_a_service_minted_for_the_attempt_is_its_own(session):
    key = client(session, "apigateway").create_rest_api(name="nameless")["id"]
    other = client(session, "apigateway").create_rest_api(name="nameless")["id"]
    ledger = written(session, call("apigateway", "CreateRestApi", ["nameless"], 201, [key, "nameless"]))
    assert states(sweep(session, Owned(ledgers=[ledger]))) == {("REST API", "nameless"): "left"} | {
        ("REST API", "nameless"): "left"
    }
    assert [one["id"] for one in client(session, "apigateway").get_rest_apis()["items"]] == [other]


def test_an_id_that_a_call_was_given_is_not_its_own(session):
    """A client was made in a pool that was there before: its answer names the pool."""
    pool = client(session, "cognito-idp").create_user_pool(PoolName="people")["UserPool"]["Id"]
    made = call("cognito-idp", "CreateUserPoolClient", [pool, "app"], 200, [pool, "clientid"])
    hidden = call("cognito-idp", "CreateUserPoolClient", ["junk"] * 24, 200, [pool])
    posing = call("cognito-idp", "CreateUserPool", ["x", pool], 200, [pool])
    for one in (made, hidden, posing):
        sweep(session, Owned(ledgers=[written(session, one)]))
    assert client(session, "cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]["Name"] == "people"


def test_a_name_without_the_prefix_is_left_to_people(session):
    """CreateQueue succeeds on a queue that was there before."""
    client(session, "sqs").create_queue(QueueName="orders")
    ledger = written(session, call("sqs", "CreateQueue", ["orders"], 200, ["url"]))
    (item,) = sweep(session, Owned(ledgers=[ledger]))
    assert (item.kind, item.name, item.state) == ("queue", "orders", "left") and "look yourself" in item.reason
    assert client(session, "sqs").list_queues()["QueueUrls"]


def test_a_tag_tells_whose_something_is(session):
    kms, tag = client(session, "kms"), [{"TagKey": "kata", "TagValue": session.prefix}]
    mine = kms.create_key(Description="nameless", Tags=tag)["KeyMetadata"]["KeyId"]
    other = kms.create_key(Description="nameless", Tags=[{"TagKey": "kata", "TagValue": "kata14-ffffe"}])
    arn = kms.describe_key(KeyId=mine)["KeyMetadata"]["Arn"]
    owned = Owned([session.prefix])

    class Tagging:  # the engine has no keys in its tagging service
        def can_paginate(self, _):
            return False

        def get_resources(self, **_):
            mapped = [(arn, session.prefix), (other["KeyMetadata"]["Arn"], "kata14-ffffe")]
            return {
                "ResourceTagMappingList": [
                    {"ResourceARN": one, "Tags": [{"Key": "kata", "Value": value}]} for one, value in mapped
                ]
            }

    owned.find_tagged(Tagging())
    (item,) = sweep(session, owned)
    assert (item.kind, item.state) == ("KMS key", "scheduled") and item.until > time.time() + 6 * 86400
    assert kms.describe_key(KeyId=mine)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert kms.describe_key(KeyId=other["KeyMetadata"]["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_key_is_scheduled_again_and_again(session):
    key = client(session, "kms").create_key(Description="x")["KeyMetadata"]["KeyId"]
    client(session, "kms").create_alias(AliasName=f"alias/{session.prefix}-k", TargetKeyId=key)
    ledger = written(session, call("kms", "CreateKey", [], 200, [key]))
    for _ in range(2):
        items = sweep(session, Owned(ledgers=[ledger]))
        (item,) = [item for item in items if item.kind == "KMS key"]
        assert item.state == "scheduled" and item.until > time.time()


def test_log_groups_that_services_make_are_known(session):
    api = client(session, "apigateway").create_rest_api(name=f"{session.prefix}-r")["id"]
    logs = client(session, "logs")
    mine = [
        f"/aws/lambda/{session.prefix}-f",
        f"/aws/lambda/us-east-1.{session.prefix}-f",
        f"/aws/vendedlogs/states/{session.prefix}-m",
        f"/aws/cloudfront/function/{session.prefix}-c",
        f"API-Gateway-Execution-Logs_{api}/v1",
    ]
    others = ["/aws/lambda/f", f"/aws/lambda/my-{session.prefix}-f", "API-Gateway-Execution-Logs_abc/v1"]
    for name in mine + others:
        logs.create_log_group(logGroupName=name)
    items = sweep(session)
    assert sorted(item.name for item in items if item.kind == "log group") == sorted(mine)
    assert sorted(one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]) == sorted(others)


def test_logs_of_the_edge_are_looked_for_in_other_regions(session):
    made = {}

    def reach(service, region):
        if region and region not in made:
            from dataclasses import replace

            made[region] = replace(session, region=region, _clients={})
        return client(made[region] if region else session, service)

    name = f"/aws/lambda/us-east-1.{session.prefix}-f"
    reach("logs", "eu-west-1").create_log_group(logGroupName=name)
    assert sweep(session) == []
    items = Sweep(reach, Owned([session.prefix]), pace=AT_ONCE, lenient=True, regions=["eu-west-1"]).run()
    assert [(item.name, item.state) for item in items] == [(name, "gone")]
    assert "region=eu-west-1" in items[0].where
    assert reach("logs", "eu-west-1").describe_log_groups()["logGroups"] == []


def function(session, name, arn):
    code = {"ZipFile": zipped()}
    client(session, "lambda").create_function(
        FunctionName=name, Runtime="python3.13", Handler="a.b", Role=arn, Code=code
    )


def zipped() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "def b(event, context): pass\n")
    return buffer.getvalue()


def test_a_function_with_replicas_is_scheduled_and_goes_later(session):
    function(session, f"{session.prefix}-f", role(session, f"{session.prefix}-r"))
    items = sweep(session, troubles=Troubles(1, replicated=session.prefix))
    by_kind = {item.kind: item for item in items}
    assert by_kind["function"].state == "scheduled" and "replicas" in by_kind["function"].reason
    assert by_kind["function"].until > time.time() + 3600 and by_kind["role"].state == "gone"
    assert states(sweep(session)) == {("function", f"{session.prefix}-f"): "gone"}


def distribution(session):
    cloudfront, name = client(session, "cloudfront"), f"{session.prefix}-site"
    made = cloudfront.create_function(
        Name=f"{session.prefix}-e",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.request; }",
    )
    cloudfront.publish_function(Name=f"{session.prefix}-e", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    associated = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": arn}]}
    cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": name,
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "example.com", "CustomOriginConfig": {
                "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                "FunctionAssociations": associated,
            },
        }
    )  # fmt: skip


def test_a_distribution_is_disabled_first_and_waited_for(session):
    distribution(session)
    items = sweep(session, troubles=Troubles(1, disabling=0.5))
    assert {item.kind: item.state for item in items} == {"distribution": "gone", "CloudFront function": "gone"}


def test_a_distribution_that_takes_longer_is_scheduled_with_what_it_holds(session):
    distribution(session)
    items = sweep(session, troubles=Troubles(1, disabling=60, denied=""), pace=SHORT)
    by_kind = {item.kind: item for item in items}
    assert by_kind["distribution"].state == "scheduled" and by_kind["distribution"].until > time.time()
    assert {item.kind: item.state for item in sweep(session)} == dict.fromkeys(
        [kind for kind, item in by_kind.items() if item.state != "gone"], "gone"
    )
    assert everything(session) == {}


class Interfaces:
    """The network interface that Lambda made for a function in a VPC: EC2 is not on the engine."""

    def __init__(self, name, status):
        self.shown = [{"NetworkInterfaceId": "eni-1", "Status": status, "Description": f"AWS Lambda VPC ENI-{name}-1"}]

    def can_paginate(self, _):
        return False

    def describe_network_interfaces(self, **_):
        return {"NetworkInterfaces": self.shown}

    def delete_network_interface(self, **_):
        self.shown = []


@pytest.mark.parametrize(("status", "state"), [("in-use", "scheduled"), ("available", "gone")])
def test_interfaces_of_functions_in_a_vpc_are_known(session, status, state):
    ec2 = Interfaces(f"{session.prefix}-f", status)
    only = [listing for listing in TABLE if listing.service == "ec2"]
    (item,) = Sweep(lambda *_: ec2, Owned([session.prefix]), pace=SHORT, table=only).run()
    assert (item.state, bool(item.until)) == (state, state == "scheduled")


def test_what_is_made_while_it_sweeps_goes_too(session):
    """The last lines of a function that is gone make its log group anew."""
    prefix = session.prefix
    client(session, "logs").create_log_group(logGroupName=f"/aws/lambda/{prefix}-f")
    again = [True]
    reach = Troubles(1).client(session)

    def late(**_):
        if again.pop() if again else False:
            with contextlib.suppress(Exception):
                client(session, "logs").create_log_group(logGroupName=f"/aws/lambda/{prefix}-f")

    reach("logs").meta.events.register("after-call.cloudwatch-logs.DeleteLogGroup", late)
    Sweep(reach, Owned([prefix]), pace=AT_ONCE, lenient=True).run()
    assert again == [] and everything(session) == {}
