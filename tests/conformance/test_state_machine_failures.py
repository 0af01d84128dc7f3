"""What ends an execution or a task before its result: time-outs, heartbeats, other branches, paths that find nothing."""

from __future__ import annotations

import json
import threading
import time

import pytest
from support import eventually, refusal
from workflows import CATCH_ALL, Workflows, asking, machine, passing, sending, waiting

pytestmark = pytest.mark.behaviour("state_machine_executions")
TIMED_OUT = ("States.Timeout", "States.HeartbeatTimeout")


@pytest.fixture
def workflows(aws):
    return Workflows(aws)


@pytest.fixture
def slow(clocked):
    """An engine at real speed whose time the test moves."""
    return Workflows(clocked.account)


@pytest.mark.localstack
def test_a_machine_ends_when_its_time_is_over(workflows):
    found = workflows.run(machine({"W": waiting(4)}, TimeoutSeconds=2))
    assert found.status == "TIMED_OUT"
    assert found.types()[-1] == "ExecutionTimedOut"


@pytest.mark.localstack
def test_nothing_inside_catches_the_machines_own_time_out(workflows):
    state = {"Type": "Parallel", "Branches": [machine({"W": waiting(4)})], "Catch": CATCH_ALL, "End": True}
    found = workflows.run(machine({"P": state, "Caught": passing()}, TimeoutSeconds=2))
    assert found.status == "TIMED_OUT"
    assert "Caught" not in [details.get("name") for details in found.of("PassStateEntered")]


@pytest.mark.localstack
def test_a_task_without_heartbeats_times_out(workflows):
    found = workflows.run(machine({"A": asking(workflows.queue(), TimeoutSeconds=4, HeartbeatSeconds=1)}))
    assert "TaskTimedOut" in found.types()
    assert found.error in TIMED_OUT
    submitted, over = (
        event["timestamp"] for event in found.events if event["type"] in ("TaskSubmitted", "TaskTimedOut")
    )
    assert (over - submitted).total_seconds() < 3


@pytest.mark.not_localstack("time cannot be moved there")
def test_heartbeats_keep_a_task_alive_but_not_past_its_time_out(slow, clocked):
    url = slow.queue()
    execution = slow.start(slow.create(machine({"A": asking(url, TimeoutSeconds=100, HeartbeatSeconds=40)})))
    token = slow.message(url)["token"]
    for _ in range(3):
        clocked.engine.advance(30)
        assert slow.client.describe_execution(executionArn=execution)["status"] == "RUNNING"
        slow.client.send_task_heartbeat(taskToken=token)
    clocked.engine.advance(11)
    found = slow.look(slow.finished(execution, 3))
    assert (found.status, found.error) == ("FAILED", "States.Timeout")
    assert refusal(lambda: slow.client.send_task_heartbeat(taskToken=token))[0] == "TaskTimedOut"


@pytest.mark.not_localstack("it takes an answer after the time-out")
def test_an_answer_after_the_time_out_is_refused(workflows):
    url = workflows.queue()
    found = workflows.run(machine({"A": asking(url, TimeoutSeconds=1)}))
    token = workflows.message(url)["token"]
    assert found.status == "FAILED"
    assert refusal(lambda: workflows.client.send_task_success(taskToken=token, output="{}")) == ("TaskTimedOut", 400)


@pytest.mark.localstack
def test_what_is_no_token_is_refused(workflows):
    call = refusal(lambda: workflows.client.send_task_success(taskToken="x" * 40, output="{}"))
    assert call == ("InvalidToken", 400)


@pytest.mark.localstack
def test_a_failing_branch_stops_the_others(workflows):
    url = workflows.queue()
    late = machine({"W": waiting(2, Next="S"), "S": sending(url)})
    branches = [late, machine({"F": {"Type": "Fail", "Error": "Broken", "Cause": "here"}})]
    found = workflows.run(machine({"P": {"Type": "Parallel", "Branches": branches, "End": True}}))
    assert (found.status, found.error, found.description.get("cause")) == ("FAILED", "Broken", "here")
    workflows.run(machine({"W": waiting(3)}))
    assert workflows.message(url, seconds=0) is None


@pytest.mark.localstack
def test_a_failing_iteration_stops_the_others(workflows):
    url = workflows.queue()
    choice = {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}], "Default": "W"}
    states = {"C": choice, "F": {"Type": "Fail", "Error": "Broken"}, "W": waiting(2, Next="S"), "S": sending(url)}
    state = {"Type": "Map", "ItemProcessor": machine(states), "Catch": CATCH_ALL, "End": True}
    found = workflows.run(machine({"M": state, "Caught": passing()}), [1, 2, 3])
    assert found.status == "SUCCEEDED"
    workflows.run(machine({"W": waiting(3)}))
    assert workflows.message(url, seconds=0) is None


@pytest.mark.not_localstack("it keeps no error of StopExecution")
def test_a_stopped_execution_does_nothing_more(workflows):
    url = workflows.queue()
    execution = workflows.start(workflows.create(machine({"W": waiting(2, Next="S"), "S": sending(url)})))
    eventually(lambda: len(workflows.client.get_execution_history(executionArn=execution)["events"]) > 1)
    workflows.client.stop_execution(executionArn=execution, error="Mine", cause="enough")
    found = workflows.look(workflows.finished(execution))
    assert (found.status, found.error, found.types()[-1]) == ("ABORTED", "Mine", "ExecutionAborted")
    workflows.run(machine({"W": waiting(3)}))
    assert workflows.message(url, seconds=0) is None
    assert workflows.look(found.description).types()[-2:] == ["WaitStateEntered", "ExecutionAborted"]


@pytest.mark.localstack
@pytest.mark.parametrize(
    "state",
    [{"Parameters": {"id.$": "$.order.id"}}, {"InputPath": "$.order"}, {"OutputPath": "$.order"}],
    ids=["Parameters", "InputPath", "OutputPath"],
)
def test_a_path_that_finds_nothing_fails_the_execution(workflows, state):
    found = workflows.run(machine({"A": passing(**state)}), {"n": 1})
    assert (found.status, found.error) == ("FAILED", "States.Runtime")


@pytest.mark.not_localstack("States.ALL covers it there")
def test_no_catcher_covers_a_path_that_finds_nothing(workflows):
    url = workflows.queue()
    states = {"A": sending(url, body={"id.$": "$.order.id"}, Catch=CATCH_ALL), "Caught": passing()}
    found = workflows.run(machine(states), {"n": 1})
    assert (found.status, found.error) == ("FAILED", "States.Runtime")
    assert "The JSONPath '$.order.id' specified for the field 'id.$' could not be found" in found.description["cause"]


@pytest.mark.not_localstack("it takes null there")
def test_a_choice_needs_its_variable(workflows):
    states = {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "P"}], "Default": "P"},
        "P": passing(),
    }
    assert workflows.run(machine(states)).error == "States.Runtime"


@pytest.mark.ministack
@pytest.mark.localstack
def test_is_present_asks_for_a_variable_without_needing_it(workflows):
    rules = [
        {"Variable": "$.nothing", "IsPresent": True, "Next": "Wrong"},
        {"Variable": "$.null", "IsPresent": True, "Next": "Right"},
    ]
    states = {
        "C": {"Type": "Choice", "Choices": rules, "Default": "Wrong"},
        "Wrong": {"Type": "Fail"},
        "Right": passing(),
    }
    assert workflows.run(machine(states), {"null": 1}).status == "SUCCEEDED"


@pytest.mark.localstack
def test_a_null_is_present(workflows):
    rules = [{"Variable": "$.null", "IsPresent": True, "Next": "Right"}]
    states = {
        "C": {"Type": "Choice", "Choices": rules, "Default": "Wrong"},
        "Wrong": {"Type": "Fail"},
        "Right": passing(),
    }
    assert workflows.run(machine(states), {"null": None}).status == "SUCCEEDED"


@pytest.mark.localstack
@pytest.mark.parametrize(
    ("wanted", "caught"),
    [("States.TaskFailed", False), ("States.Timeout", True), ("States.ALL", True)],
)
def test_a_time_out_is_no_failed_task(workflows, wanted, caught):
    catch = [{"ErrorEquals": [wanted], "Next": "Caught"}]
    states = {"A": asking(workflows.queue(), TimeoutSeconds=1, Catch=catch), "Caught": passing()}
    found = workflows.run(machine(states))
    assert "TaskTimedOut" in found.types()
    assert (found.status == "SUCCEEDED") is caught


@pytest.mark.not_localstack("it merges what cannot be merged")
def test_a_result_needs_an_object_to_be_put_into(workflows):
    found = workflows.run(machine({"A": passing(Result=1, ResultPath="$.made")}), [1, 2])
    assert found.error == "States.ResultPathMatchFailure"


@pytest.mark.not_localstack("States.ALL covers it there")
def test_a_result_that_is_too_large_fails_past_states_all(workflows):
    name = workflows.account.function("def handle(event, context):\n    return 'x' * 300_000\n")
    arn = workflows.account.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    found = workflows.run(
        machine({"A": {"Type": "Task", "Resource": arn, "Catch": CATCH_ALL, "End": True}, "Caught": passing()})
    )
    assert (found.status, found.error) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.not_localstack("time cannot be moved there")
def test_a_pause_may_be_longer_than_a_minute_and_has_a_limit(slow, clocked):
    arn = slow.account.function("def handle(event, context):\n    raise ValueError('no')\n")
    arn = slow.account.lambda_.get_function_configuration(FunctionName=arn)["FunctionArn"]
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 600, "BackoffRate": 10, "MaxDelaySeconds": 900}]
    execution = slow.start(slow.create(machine({"A": {"Type": "Task", "Resource": arn, "Retry": retry, "End": True}})))

    def attempts() -> int:
        events = slow.client.get_execution_history(executionArn=execution)["events"]
        return len([event for event in events if event["type"] in ("LambdaFunctionFailed", "TaskFailed")])

    def reaches(expected: int) -> int:
        until = time.monotonic() + 5
        while attempts() < expected and time.monotonic() < until:
            time.sleep(0.02)
        return attempts()

    assert reaches(1) == 1
    clocked.engine.advance(500)
    for expected, seconds in ((2, 101), (3, 901), (4, 901)):
        assert attempts() == expected - 1
        clocked.engine.advance(seconds)
        assert reaches(expected) == expected
    found = slow.look(slow.finished(execution, 3))
    scheduled = [event["timestamp"] for event in found.events if event["type"] == "LambdaFunctionScheduled"]
    failed = [event["timestamp"] for event in found.events if event["type"] == "LambdaFunctionFailed"]
    gaps = [int((after - before).total_seconds()) // 100 for before, after in zip(failed, scheduled[1:], strict=False)]
    assert gaps == [6, 9, 9]


@pytest.mark.localstack
def test_an_activity_without_heartbeats_times_out(workflows):
    arn = workflows.client.create_activity(name="work")["activityArn"]
    state = {"Type": "Task", "Resource": arn, "TimeoutSeconds": 20, "HeartbeatSeconds": 1, "End": True}
    execution = workflows.start(workflows.create(machine({"A": state})), {"n": 1})
    taken = workflows.client.get_activity_task(activityArn=arn, workerName="me")
    found = workflows.look(workflows.finished(execution, 3))
    assert json.loads(taken["input"]) == {"n": 1}
    assert found.types()[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivityTimedOut"]


@pytest.mark.not_localstack("the child goes on")
def test_a_child_is_stopped_with_its_parent(workflows):
    child = workflows.create(machine({"W": waiting(50)}))
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {}},
        "End": True,
    }
    parent = workflows.start(workflows.create(machine({"A": state}, TimeoutSeconds=3)))

    def children():
        return workflows.client.list_executions(stateMachineArn=child)["executions"]

    eventually(children)
    assert workflows.finished(parent, 4)["status"] == "TIMED_OUT"
    assert workflows.finished(children()[0]["executionArn"], 2)["status"] == "ABORTED"


@pytest.mark.localstack
def test_a_childs_time_out_is_its_parents_failed_task(workflows):
    child = workflows.create(machine({"W": waiting(4)}, TimeoutSeconds=1))
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync",
        "Parameters": {"StateMachineArn": child, "Input": {}},
        "End": True,
    }
    found = workflows.run(machine({"A": state}))
    assert found.error == "States.TaskFailed"
    assert json.loads(found.description["cause"])["Status"] == "TIMED_OUT"


@pytest.mark.not_localstack("it has no reserved concurrency to run out of while the first call lasts")
def test_a_throttled_function_is_an_error_that_can_be_retried(workflows):
    aws = workflows.account
    arn = aws.function("import time\ndef handle(event, context):\n    time.sleep(1)\n    return event\n")
    arn = aws.lambda_.get_function_configuration(FunctionName=arn)["FunctionArn"]
    aws.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    busy = threading.Thread(target=lambda: aws.invoke({}))
    busy.start()
    time.sleep(0.3)  # the first call is in the function by then, and stays there for longer
    found = workflows.run(machine({"A": {"Type": "Task", "Resource": arn, "End": True}}))
    busy.join()
    assert found.error == "Lambda.TooManyRequestsException"
