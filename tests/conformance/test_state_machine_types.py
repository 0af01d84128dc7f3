"""Standard and Express, names, versions and aliases, distributed Maps."""

from __future__ import annotations

import json
import time

import pytest
from support import eventually, refusal
from workflows import Workflows, machine, passing, waiting

pytestmark = pytest.mark.behaviour("state_machine_executions")
REFUSED_BY_TYPE = ("StateMachineTypeNotSupported", 400)


@pytest.fixture
def workflows(aws):
    return Workflows(aws)


@pytest.mark.localstack
def test_the_same_name_and_input_is_the_same_execution_while_it_runs(workflows):
    arn = workflows.create(machine({"W": waiting(2)}))
    start = {"stateMachineArn": arn, "name": "once", "input": '{"n": 1}'}
    first = workflows.client.start_execution(**start)
    assert refusal(lambda: workflows.client.start_execution(**start)) == ("", 200)
    again = workflows.client.start_execution(**start)
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    other = refusal(lambda: workflows.client.start_execution(**start | {"input": "{}"}))
    assert other == ("ExecutionAlreadyExists", 400)
    assert workflows.finished(first["executionArn"])["status"] == "SUCCEEDED"
    assert refusal(lambda: workflows.client.start_execution(**start)) == ("ExecutionAlreadyExists", 400)


@pytest.mark.localstack
def test_input_that_is_no_json_is_refused(workflows):
    arn = workflows.create(machine({"P": passing()}))
    call = refusal(lambda: workflows.client.start_execution(stateMachineArn=arn, input="{"))
    assert call == ("InvalidExecutionInput", 400)


def sync(workflows: Workflows, arn: str, **more) -> dict:
    return workflows.account.client("stepfunctions", inject_host_prefix=False).start_sync_execution(
        stateMachineArn=arn, **more
    )


@pytest.mark.localstack
def test_a_synchronous_start_is_for_express(workflows):
    standard = workflows.create(machine({"P": passing()}))
    assert refusal(lambda: sync(workflows, standard)) == REFUSED_BY_TYPE


@pytest.mark.localstack
def test_a_synchronous_start_answers_with_the_failure(workflows):
    fail = {"Type": "Fail", "Error": "Broken", "Cause": "here"}
    arn = workflows.create(machine({"F": fail}), type="EXPRESS")
    found = sync(workflows, arn, name="mine", input='{"n": 1}')
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Broken", "here")
    assert ":express:" in found["executionArn"]
    assert "output" not in found


@pytest.mark.localstack
def test_an_express_execution_has_no_history_and_no_description(workflows):
    arn = workflows.create(machine({"P": passing()}), type="EXPRESS")
    execution = workflows.start(arn)
    for operation in (workflows.client.get_execution_history, workflows.client.describe_execution):
        assert refusal(lambda operation=operation: operation(executionArn=execution)) == ("InvalidArn", 400)
    assert refusal(lambda: workflows.client.list_executions(stateMachineArn=arn)) == REFUSED_BY_TYPE


@pytest.mark.localstack
def test_an_express_name_may_run_twice(workflows):
    arn = workflows.create(machine({"P": passing()}), type="EXPRESS")
    runs = []
    assert refusal(lambda: runs.append(workflows.start(arn, name="again")) or _answer()) == ("", 200)
    assert refusal(lambda: runs.append(workflows.start(arn, name="again")) or _answer()) == ("", 200)
    assert len(set(runs)) == 2


def _answer() -> dict:
    return {"ResponseMetadata": {"HTTPStatusCode": 200}}


class Logged:
    """A log group for Express machines, and what their executions wrote into it."""

    def __init__(self, workflows: Workflows) -> None:
        self._client = workflows.account.client("logs")
        self._client.create_log_group(logGroupName="/express")
        group = self._client.describe_log_groups(logGroupNamePrefix="/express")["logGroups"][0]["arn"]
        target = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
        self.configuration = {"level": "ALL", "includeExecutionData": True, "destinations": target}

    def lines(self, execution: str) -> list[dict]:
        """The lines of one execution in their order, once there are any; none after two seconds."""
        until = time.monotonic() + 2
        while True:
            events = self._client.filter_log_events(logGroupName="/express")["events"]
            found = [json.loads(event["message"]) for event in events]
            found = [line for line in found if line["execution_arn"] == execution]
            if found or time.monotonic() > until:
                return sorted(found, key=lambda line: int(line["id"]))
            time.sleep(0.02)


@pytest.mark.localstack
def test_the_history_of_an_express_execution_is_in_its_log(workflows):
    logged = Logged(workflows)
    arn = workflows.create(machine({"P": passing()}), type="EXPRESS", loggingConfiguration=logged.configuration)
    lines = logged.lines(sync(workflows, arn, input='{"n": 1}')["executionArn"])
    kinds = [line["type"] for line in lines]
    assert kinds == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


@pytest.mark.not_localstack("time cannot be moved there")
def test_an_express_execution_has_five_minutes(clocked):
    workflows = Workflows(clocked.account)
    logged = Logged(workflows)
    definition = machine({"W": waiting(400)})
    arn = workflows.create(definition, type="EXPRESS", loggingConfiguration=logged.configuration)
    execution = workflows.start(arn)
    clocked.engine.advance(250)
    assert clocked.engine.status()["pending"] == ["1 Express execution"]
    clocked.engine.advance(51)
    assert [line["type"] for line in logged.lines(execution)][-1:] == ["ExecutionTimedOut"]


def saying(word: str) -> dict:
    return machine({"P": passing(Result=word)})


@pytest.mark.localstack
def test_a_version_runs_what_was_published(workflows):
    arn = workflows.create(saying("old"), publish=True)
    workflows.client.update_state_machine(stateMachineArn=arn, definition=json.dumps(saying("new")))
    found = workflows.look(workflows.finished(workflows.start(arn + ":1")))
    assert found.output == "old"
    assert found.description.get("stateMachineVersionArn") == arn + ":1"
    assert workflows.look(workflows.finished(workflows.start(arn))).output == "new"


@pytest.mark.localstack
def test_an_alias_runs_the_version_it_names(workflows):
    arn = workflows.create(saying("old"), publish=True)
    workflows.client.update_state_machine(stateMachineArn=arn, definition=json.dumps(saying("new")), publish=True)
    route = [{"stateMachineVersionArn": arn + ":1", "weight": 100}]
    alias = workflows.client.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    found = workflows.look(workflows.finished(workflows.start(alias)))
    assert found.output == "old"
    assert found.description.get("stateMachineAliasArn") == alias


@pytest.mark.localstack
def test_a_version_lists_its_own_executions(workflows):
    arn = workflows.create(saying("old"), publish=True)
    workflows.finished(workflows.start(arn))
    of_version = workflows.start(arn + ":1")
    workflows.finished(of_version)
    listed = workflows.client.list_executions(stateMachineArn=arn + ":1")["executions"]
    assert [found["executionArn"] for found in listed] == [of_version]
    assert len(workflows.client.list_executions(stateMachineArn=arn)["executions"]) == 2


@pytest.mark.localstack
def test_an_alias_divides_its_executions(workflows):
    arn = workflows.create(saying("old"), publish=True)
    workflows.client.update_state_machine(stateMachineArn=arn, definition=json.dumps(saying("new")), publish=True)
    route = [{"stateMachineVersionArn": f"{arn}:{number}", "weight": 50} for number in (1, 2)]
    alias = workflows.client.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    started = [workflows.start(alias) for _ in range(30)]
    # with a fair coin, thirty go one way once in 5 * 10**8
    assert {workflows.look(workflows.finished(one)).output for one in started} == {"old", "new"}


@pytest.mark.localstack
def test_a_running_execution_keeps_its_definition(workflows):
    arn = workflows.create(machine({"W": waiting(2, Next="P"), "P": passing(Result="old")}))
    execution = workflows.start(arn)
    eventually(lambda: workflows.client.describe_execution(executionArn=execution))
    workflows.client.update_state_machine(stateMachineArn=arn, definition=json.dumps(saying("new")))
    described = workflows.client.describe_state_machine_for_execution(executionArn=execution)
    assert "W" in json.loads(described["definition"])["States"]
    assert workflows.look(workflows.finished(execution)).output == "old"


def distributed(states: dict, **more) -> dict:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return {"Type": "Map", "ItemProcessor": {**config, **machine(states)}, "End": True, **more}


@pytest.mark.not_localstack("its parser knows no BatchInput")
def test_items_are_batched(workflows):
    state = distributed(
        {"P": passing()}, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"from.$": "$$.State.Name"}}
    )
    found = workflows.run(machine({"M": state}), [1, 2, 3])
    assert found.output == [
        {"BatchInput": {"from": "M"}, "Items": [1, 2]},
        {"BatchInput": {"from": "M"}, "Items": [3]},
    ]


@pytest.mark.not_localstack("its manifest names no results")
def test_results_are_written_with_a_manifest(workflows):
    s3 = workflows.account.client("s3")
    bucket = f"results-{workflows.account.number}"
    s3.create_bucket(Bucket=bucket)
    place = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": bucket, "Prefix": "runs"}}
    found = workflows.run(machine({"M": distributed({"P": passing()}, ResultWriter=place)}), [1, 2])
    details = found.output.get("ResultWriterDetails") if isinstance(found.output, dict) else found.output
    assert isinstance(details, dict)
    assert details["Bucket"] == bucket
    assert details["Key"].startswith("runs/")
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=details["Key"])["Body"].read())
    assert manifest["DestinationBucket"] == bucket
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    results = json.loads(s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].read())
    assert sorted((result["Input"], result["Output"], result["Status"]) for result in results) == [
        ("1", "1", "SUCCEEDED"),
        ("2", "2", "SUCCEEDED"),
    ]


@pytest.mark.localstack
def test_a_map_run_is_in_the_history(workflows):
    found = workflows.run(machine({"M": distributed({"P": passing()})}), [1, 2])
    assert found.types()[2:6] == ["MapStateStarted", "MapRunStarted", "MapRunSucceeded", "MapStateSucceeded"]


CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}], "Default": "W"}
ONE_FAILS = {"C": CHOICE, "F": {"Type": "Fail", "Error": "Broken"}, "W": waiting(2)}


@pytest.mark.not_localstack("the children go on")
def test_a_map_run_stops_when_too_much_has_failed(workflows):
    found = workflows.run(machine({"M": distributed(ONE_FAILS)}), [1, 2, 3])
    assert found.error == "States.ExceedToleratedFailureThreshold"
    run = workflows.client.list_map_runs(executionArn=found.description["executionArn"])["mapRuns"][0]["mapRunArn"]
    counts = workflows.client.describe_map_run(mapRunArn=run)["executionCounts"]
    assert (counts["failed"], counts["aborted"], counts["succeeded"]) == (1, 2, 0)


@pytest.mark.not_localstack("it passes the failed ones over")
def test_tolerated_failures_are_in_the_result(workflows):
    found = workflows.run(machine({"M": distributed(ONE_FAILS, ToleratedFailureCount=1)}), [1, 2])
    assert found.status == "SUCCEEDED"
    failed = [result for result in found.output if isinstance(result, dict)]
    assert [(result["Status"], result["Error"]) for result in failed] == [("FAILED", "Broken")]
    assert 2 in found.output
