"""Functions run in environments of their own, by AWS's own runtime client."""

import base64
import json
import re

import pytest
from support import archive, eventually, refusal, returning

pytestmark = pytest.mark.behaviour("function_environments")
COUNTING = "count = 0\ndef handle(event, context):\n    global count\n    count += 1\n"


@pytest.mark.localstack
def test_an_error_is_told_by_its_class_with_a_stack_trace(aws):
    aws.function("def handle(event, context):\n    raise LookupError('no such order')\n")
    answer = aws.invoke()
    assert answer.error == "Unhandled"
    assert (answer.payload["errorType"], answer.payload["errorMessage"]) == ("LookupError", "no such order")
    assert any("handle" in line and "app.py" in line for line in answer.payload["stackTrace"])


@pytest.mark.localstack
def test_an_environment_survives_an_exception(aws):
    aws.function(COUNTING + "    if event == 'fail':\n        raise ValueError\n    return count\n")
    assert [aws.invoke(event).payload for event in (None, "fail", None)][::2] == [1, 3]


@pytest.mark.localstack
def test_the_log_has_start_end_and_report_lines(aws):
    aws.function("def handle(event, context):\n    print('hello')\n")
    answer = aws.invoke()
    lines = answer.log.splitlines()
    assert lines[0] == f"START RequestId: {answer.request_id} Version: $LATEST"
    assert "hello" in lines
    assert f"END RequestId: {answer.request_id}" in lines
    report = r"\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
    assert re.search(f"REPORT RequestId: {answer.request_id}{report}", answer.log)


@pytest.mark.localstack
def test_only_the_first_invocation_reports_an_init_phase(aws):
    aws.function(returning(1))
    assert ["Init Duration" in aws.invoke().log for _ in range(3)] == [True, False, False]


@pytest.mark.localstack
def test_logging_writes_lines_with_level_time_and_request_id(aws):
    source = "import logging\nlogging.getLogger().setLevel('INFO')\ndef handle(event, context):\n"
    aws.function(source + "    logging.info('stock is low')\n")
    answer = aws.invoke()
    line = rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{answer.request_id}\tstock is low"
    assert re.search(line, answer.log)


@pytest.mark.localstack
def test_the_request_id_is_that_of_the_answer(aws):
    aws.function("def handle(event, context):\n    return context.aws_request_id\n")
    answer = aws.invoke()
    assert answer.payload == answer.request_id


@pytest.mark.localstack
def test_the_lines_arrive_in_the_log_group(aws):
    aws.function("def handle(event, context):\n    print('to', context.log_group_name)\n")
    request_id = aws.invoke().request_id
    logs = aws.client("logs")
    eventually(lambda: refusal(lambda: logs.filter_log_events(logGroupName="/aws/lambda/f"))[0] == "")
    found = eventually(lambda: logs.filter_log_events(logGroupName="/aws/lambda/f")["events"])
    text = "\n".join(event["message"].strip() for event in found)
    assert "to /aws/lambda/f" in text
    assert f"END RequestId: {request_id}" in text


@pytest.mark.not_localstack("in host mode the client context is dropped")
def test_the_client_context_reaches_the_function(aws):
    source = "def handle(event, context):\n    found = context.client_context\n    return found and found.custom\n"
    aws.function(source)
    text = base64.b64encode(json.dumps({"custom": {"shop": "north"}}).encode()).decode()
    assert aws.invoke(ClientContext=text).payload == {"shop": "north"}


@pytest.mark.ministack
@pytest.mark.localstack
def test_the_remaining_time_is_that_of_the_timeout(aws):
    aws.function("def handle(event, context):\n    return context.get_remaining_time_in_millis()\n", Timeout=7)
    assert 5000 < aws.invoke().payload <= 7000


@pytest.mark.isolated("only a sandbox has its own files and processes")
@pytest.mark.not_localstack("in host mode code lies in a folder of the host")
def test_code_lies_in_var_task(aws):
    aws.function("import os\ndef handle(event, context):\n    return [__file__, os.getcwd()]\n")
    assert aws.invoke().payload == ["/var/task/app.py", "/var/task"]


@pytest.mark.isolated("only a sandbox has its own files and processes")
@pytest.mark.not_localstack("in host mode layers lie in a folder of the host")
def test_layers_lie_in_opt(aws):
    files = {"config/rates.txt": "19%", "python/rates.py": "VAT = 19\n"}
    layer = aws.lambda_.publish_layer_version(LayerName="rates", Content={"ZipFile": archive(files)})
    source = (
        "import os\n"
        "def handle(event, context):\n"
        "    import rates\n"
        "    return [os.path.exists('/opt/config/rates.txt'), rates.__file__]\n"
    )
    aws.function(source, Layers=[layer["LayerVersionArn"]])
    assert aws.invoke().payload == [True, "/opt/python/rates.py"]


@pytest.mark.localstack
def test_a_layer_does_not_hide_the_functions_own_module(aws):
    layer = aws.lambda_.publish_layer_version(
        LayerName="names", Content={"ZipFile": archive({"python/names.py": "WHO = 'layer'\n"})}
    )
    source = "import names\ndef handle(event, context):\n    return names.WHO\n"
    aws.function({"app.py": source, "names.py": "WHO = 'own'\n"}, Layers=[layer["LayerVersionArn"]])
    assert aws.invoke().payload == "own"


@pytest.mark.isolated("only a sandbox has its own files and processes")
@pytest.mark.not_localstack("in host mode /tmp is the host's")
def test_each_environment_has_its_own_tmp(aws):
    source = (
        "import os\n"
        "def handle(event, context):\n"
        "    before = os.listdir('/tmp')\n"
        "    open('/tmp/note-' + context.function_name, 'w').close()\n"
        "    return before\n"
    )
    aws.function(source, "first")
    aws.function(source, "second")
    assert [aws.invoke(name=name).payload for name in ("first", "second", "first")] == [[], [], ["note-first"]]


@pytest.mark.isolated("only a sandbox has its own files and processes")
@pytest.mark.not_localstack("in host mode the packages of LocalStack are importable")
def test_only_the_runtimes_packages_are_importable(aws):
    source = (
        "import importlib.util\n"
        "def handle(event, context):\n"
        "    return [name for name in event if importlib.util.find_spec(name)]\n"
    )
    aws.function(source)
    wanted = ["boto3", "botocore", "cloudkata", "cryptography", "hypercorn", "ministack", "pip", "pytest"]
    assert aws.invoke(wanted).payload == ["boto3", "botocore"]


@pytest.mark.not_localstack("in host mode variables of the host are seen")
def test_no_variable_of_the_host_is_seen(aws):
    aws.function("import os\ndef handle(event, context):\n    return sorted(os.environ)\n")
    variables = aws.invoke().payload
    allowed = re.compile(
        r"_HANDLER|_X_AMZN_.*|AWS_.*|LAMBDA_.*|LANG|LC_CTYPE|LD_LIBRARY_PATH|PATH|PYTHON.*|PWD|TZ|HOME|TMPDIR"
    )
    assert [name for name in variables if not allowed.fullmatch(name)] == []
    assert not {"AWS_PROFILE", "PYTHONPATH"} & set(variables)


@pytest.mark.isolated("only a sandbox has its own files and processes")
@pytest.mark.not_localstack("in host mode processes of the host are seen")
def test_no_process_of_the_host_is_seen(aws):
    source = (
        "import os\n"
        "def handle(event, context):\n"
        "    return [len([n for n in os.listdir('/proc') if n.isdigit()]), os.getuid() != 0]\n"
    )
    aws.function(source)
    processes, plain_user = aws.invoke().payload
    assert processes <= 4
    assert plain_user


@pytest.mark.not_localstack("in host mode memory has no limit")
def test_too_much_memory_ends_the_environment(aws):
    source = (
        COUNTING
        + "    if event:\n        block = bytearray(300 << 20)\n        block[::4096] = b'x' * len(block[::4096])\n"
        + "    return count\n"
    )
    aws.function(source, MemorySize=128)
    answer = aws.invoke("much")
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert aws.invoke().payload == 1


@pytest.mark.ministack
@pytest.mark.localstack
def test_a_timeout_is_told_and_followed_by_a_fresh_environment(aws):
    aws.function(COUNTING + "    if event:\n        import time; time.sleep(5)\n    return count\n", Timeout=1)
    assert aws.invoke().payload == 1
    answer = aws.invoke("slow")
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert re.search(r"Task timed out after 1\.00 seconds$", answer.payload["errorMessage"])
    assert aws.invoke().payload == 1


@pytest.mark.localstack
def test_an_exit_is_told_with_its_status(aws):
    aws.function("import os\ndef handle(event, context):\n    os._exit(event)\n")
    answer = aws.invoke(3)
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")


@pytest.mark.localstack
def test_an_exit_without_an_error_gives_no_reason(aws):
    aws.function("import os\ndef handle(event, context):\n    os._exit(0)\n")
    payload = aws.invoke().payload
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Runtime exited without providing a reason")


@pytest.mark.localstack
def test_a_module_that_cannot_be_imported_is_told(aws):
    aws.function("import nowhere_to_be_found\n")
    payload = aws.invoke().payload
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'nowhere_to_be_found'" in payload["errorMessage"]


@pytest.mark.localstack
def test_a_missing_handler_is_told(aws):
    aws.function(returning(1), Handler="app.other")
    payload = aws.invoke().payload
    assert payload["errorType"] == "Runtime.HandlerNotFound"
    assert "Handler 'other' missing on module 'app'" in payload["errorMessage"]


@pytest.mark.localstack
def test_an_error_while_the_module_loads_is_told_by_its_class(aws):
    aws.function("raise KeyError('TABLE')\n")
    assert aws.invoke().payload["errorType"] == "KeyError"


@pytest.mark.localstack
def test_a_result_that_is_no_json_is_told(aws):
    aws.function("def handle(event, context):\n    return {1, 2}\n")
    assert aws.invoke().payload["errorType"] == "Runtime.MarshalError"


@pytest.mark.not_localstack("the embedded engine runs Python only; LocalStack runs the others in Docker")
@pytest.mark.parametrize("runtime", ["java21", "nodejs22.x", "ruby3.4", "dotnet8", "provided.al2023"])
def test_other_runtimes_are_refused_and_not_pretended(aws, runtime):
    answer = refusal(lambda: aws.create(returning(1), Runtime=runtime))
    assert answer == ("InvalidParameterValueException", 400)


@pytest.mark.not_localstack("in host mode responses have no limit")
def test_a_response_over_6_mb_is_an_error(aws):
    aws.function("def handle(event, context):\n    return 'x' * event\n", MemorySize=512)
    payload = aws.invoke(7_000_000).payload
    assert isinstance(payload, dict)
    assert payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(aws.invoke(6_000_000).payload) == 6_000_000
