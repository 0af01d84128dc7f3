"""No way to have code run that is not Python in a sandbox, and no archive that lands outside its folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from .conftest import archive, client, fetch, invoke, make_function, until

OTHER_RUNTIMES = (
    "nodejs20.x",
    "nodejs22.x",
    "provided",
    "provided.al2023",
    "java21",
    "java8.al2",
    "ruby3.3",
    "dotnet8",
    "go1.x",
    "python2.7",
    "Python3.12",
    "python3.12 ",
    "bash",
    "",
)
SIGN = "ran-on-the-host"


def _touching(folder) -> dict[str, str]:
    """Programs in several languages that leave a file on the host, were they run there."""
    sign = folder / SIGN
    return {
        "index.js": f"require('fs').writeFileSync({json.dumps(str(sign))}, 'x'); exports.handler = async () => 1;",
        "bootstrap": f"#!/bin/sh\ntouch {sign}\n",
        "app.py": f"open({str(sign)!r}, 'w')\ndef handler(event, context):\n    return 1\n",
        "app.rb": f"File.write({str(sign)!r}, 'x')\ndef handler(event:, context:) 1 end\n",
    }


@pytest.mark.parametrize("runtime", OTHER_RUNTIMES)
def test_creating_a_function_for_another_runtime_is_refused(engine, learner, tmp_path, runtime):
    name = "other-" + runtime.strip().replace(".", "-").replace(" ", "") + str(len(runtime))
    with pytest.raises(ClientError) as caught:
        make_function(engine, learner, name, _touching(tmp_path), Runtime=runtime, Handler="index.handler")
        invoke(engine, learner, name, {})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not (tmp_path / SIGN).exists()


@pytest.mark.parametrize("runtime", ["nodejs20.x", "provided.al2023", "java21", "ruby3.3"])
def test_changing_a_function_to_another_runtime_runs_nothing(engine, learner, tmp_path, runtime):
    name = "changed-" + runtime.replace(".", "-")
    make_function(engine, learner, name, _touching(tmp_path))
    lambda_ = client(engine, learner, "lambda")
    try:
        lambda_.update_function_configuration(FunctionName=name, Runtime=runtime, Handler="index.handler")
        until(lambda: lambda_.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful", 3)
        error, answer = invoke(engine, learner, name, {})
        assert error, answer
    except ClientError as refusal:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not (tmp_path / SIGN).exists()


def test_a_container_image_is_never_run(engine, learner):
    lambda_ = client(engine, learner, "lambda")
    lambda_.create_function(
        FunctionName="image",
        Role=f"arn:aws:iam::{learner.account}:role/attacker",
        PackageType="Image",
        Code={"ImageUri": "example.com/x:1"},
    )
    until(lambda: lambda_.get_function_configuration(FunctionName="image")["State"] == "Active")
    error, answer = invoke(engine, learner, "image", {})
    assert error
    assert "container images" in answer["errorMessage"]


def test_an_image_with_a_runtime_is_refused(engine, learner):
    with pytest.raises(ClientError):
        client(engine, learner, "lambda").create_function(
            FunctionName="image-uri",
            Role=f"arn:aws:iam::{learner.account}:role/attacker",
            Runtime="python3.12",
            Handler="a.b",
            Code={"ImageUri": "example.com/x:1"},
        )


@pytest.mark.parametrize("runtime", ["nodejs20.x", "provided.al2023", "python3.12"])
def test_a_stack_runs_nothing_on_the_host(engine, learner, tmp_path, runtime):
    source = _touching(tmp_path)["app.py" if runtime.startswith("python") else "index.js"]
    template = {
        "Resources": {
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "stack-" + runtime.replace(".", "-"),
                    "Runtime": runtime,
                    "Handler": "index.handler",
                    "Role": f"arn:aws:iam::{learner.account}:role/attacker",
                    "Code": {"ZipFile": source},
                },
            }
        }
    }
    stacks = client(engine, learner, "cloudformation")
    name = "s-" + runtime.replace(".", "-")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    until(lambda: "IN_PROGRESS" not in stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    try:
        error, _ = invoke(engine, learner, "stack-" + runtime.replace(".", "-"), {})
        assert error
    except ClientError:
        pass
    assert not (tmp_path / SIGN).exists()


def _distribution(cloudfront, name: str, function: str) -> str:
    """The domain name of a distribution that runs `function` on every viewer request."""
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "allow-all",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                "FunctionAssociations": {
                    "Quantity": 1,
                    "Items": [{"EventType": "viewer-request", "FunctionARN": function}],
                },
            },
        }
    )
    return made["Distribution"]["DomainName"]


ESCAPES = {
    "constructor": "this.constructor.constructor('return process')()",
    "require": "require.constructor('return process')()",
    "event": "event.constructor.constructor('return process')()",
    "console": "console.log.constructor('return process')()",
    "buffer": "require('buffer').Buffer.constructor('return process')()",
    "crypto": "require('crypto').createHash.constructor('return process')()",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_cloudfront_function_is_not_on_the_host(engine, learner, tmp_path, name):
    """MiniStack runs these with Node's vm module, which says of itself that it is no way to run untrusted code."""
    tmp_path.chmod(0o777)
    code = f"""function handler(event) {{
        var process = {ESCAPES[name]};
        var load = process.mainModule ? process.mainModule.require : process.getBuiltinModule;
        var seen = '';
        try {{ seen = load('fs').readFileSync('/etc/passwd').toString(); }} catch (error) {{ seen = 'none'; }}
        try {{ load('fs').writeFileSync({json.dumps(str(tmp_path / SIGN))}, 'x'); }} catch (error) {{ }}
        event.request.uri = '/pid' + process.pid + '/' + encodeURIComponent(seen.slice(0, 40));
        return event.request;
    }}"""
    cloudfront = client(engine, learner, "cloudfront")
    made = cloudfront.create_function(
        Name=f"escape-{name}",
        FunctionCode=code.encode(),
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
    )
    cloudfront.publish_function(Name=f"escape-{name}", IfMatch=made["ETag"])
    domain = _distribution(cloudfront, name, made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])
    fetch(engine, learner, "/", "cloudfront", {"Host": f"{domain}:{engine.port}"})
    assert not (tmp_path / SIGN).exists()


def test_a_cloudfront_function_still_runs(engine, learner):
    cloudfront = client(engine, learner, "cloudfront")
    code = (
        b"function handler(event) { return {statusCode: 302, headers: {location: {value: '/x' + event.request.uri}}}; }"
    )
    made = cloudfront.create_function(
        Name="honest", FunctionCode=code, FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"}
    )
    cloudfront.publish_function(Name="honest", IfMatch=made["ETag"])
    domain = _distribution(cloudfront, "honest", made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])
    status, _ = fetch(engine, learner, "/", "cloudfront", {"Host": f"{domain}:{engine.port}"})
    assert status == 302


def test_the_engine_starts_nothing_but_sandboxes(engine, learner):
    """Whatever the tests above asked for: below the engine there are sandboxes only."""
    from cloudkata.sandbox.memory import descendants

    names = set()
    for pid in descendants(engine.pid)[1:]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == engine.pid:
                names.add(Path(f"/proc/{pid}/comm").read_text().strip())
    assert names <= {"bwrap"}


# --- archives ---


def _symlink() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/shadow")
        through = zipfile.ZipInfo("out")
        through.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(through, "..")
        file.writestr("out/escaped", "x")
        file.writestr("app.py", "def handler(event, context): return 1")
    return buffer.getvalue()


def _declared(size: int) -> bytes:
    """An archive whose directory says that a file is `size` bytes long."""
    data = bytearray(archive({"app.py": "def handler(event, context): return 1", "big": "x"}))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(data)


def _bomb(megabytes: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("app.py", "def handler(event, context): return 1")
        file.writestr("big", b"\0" * (megabytes << 20))
    return buffer.getvalue()


def _hidden_bomb(megabytes: int) -> bytes:
    """The same, but its directory says that the file is one byte long."""
    data = bytearray(_bomb(megabytes))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (1).to_bytes(4, "little")
    return bytes(data)


def _overlapping(number: int) -> bytes:
    """Many entries of the directory that share one compressed file."""
    data = _bomb(10)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        start, big = file.start_dir, file.getinfo("big")
    entry_at = data.rindex(b"PK\x01\x02")
    end_at = data.index(b"PK\x05\x06", entry_at)
    entry = data[entry_at:end_at]
    entries = data[start:entry_at] + b"".join(entry[:46] + f"{n:03d}".encode() for n in range(number))
    tail = bytearray(data[end_at:])
    tail[8:12] = (number + 1).to_bytes(2, "little") * 2
    tail[12:16] = len(entries).to_bytes(4, "little")
    assert len(big.filename) == 3
    return data[:start] + entries + bytes(tail)


OK = "def handler(event, context): return 1"
ARCHIVES = {
    "dot-dot": lambda: archive({"app.py": OK, "../../escaped": "x", "../" * 12 + "tmp/escaped": "x"}),
    "absolute": lambda: archive({"app.py": OK, "/tmp/escaped": "x", "//tmp//escaped": "x"}),
    "backslash": lambda: archive({"app.py": OK, "..\\..\\escaped": "x", "C:\\escaped": "x"}),
    "symlink": _symlink,
    "file-and-folder": lambda: archive({"app.py": OK, "a": "x", "a/b": "x"}),
    "long-name": lambda: archive({"app.py": OK, "n" * 300: "x"}),
    "deep": lambda: archive({"app.py": OK, "d/" * 3000 + "x": "x"}),
    "newline-name": lambda: archive({"app.py": OK, "a\nb": "x", "\x1b[31m": "x"}),
    "declared-4-gb": lambda: _declared(0xFFFFFFFE),
    "bomb": lambda: _bomb(600),
    "hidden-bomb": lambda: _hidden_bomb(600),
    "overlapping": lambda: _overlapping(100),
    "many-files": lambda: archive({"app.py": OK} | {f"f{n}": "" for n in range(40_000)}),
    "not-a-zip": lambda: b"PK\x03\x04 not a zip",
    "empty": lambda: b"PK\x05\x06" + b"\0" * 18,
    "encrypted": lambda: archive({"app.py": OK}).replace(
        b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\x01\0"
    ),
}


def _size(folder) -> int:
    return sum(entry.lstat().st_size for entry in folder.rglob("*") if not entry.is_dir())


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_stays_in_its_folder(engine, learner, name):
    before = _size(engine.state / "code")
    above = {*engine.state.iterdir(), *engine.state.parent.glob("escaped*")}
    try:
        made = client(engine, learner, "lambda")
        made.create_function(
            FunctionName=f"zip-{name}",
            Runtime="python3.12",
            Handler="app.handler",
            MemorySize=512,
            Role=f"arn:aws:iam::{learner.account}:role/attacker",
            Code={"ZipFile": ARCHIVES[name]()},
        )
        until(lambda: made.get_function_configuration(FunctionName=f"zip-{name}")["State"] == "Active")
        error, answer = invoke(engine, learner, f"zip-{name}", {})
        assert error or answer == 1
    except ClientError as refusal:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 413), refusal
    assert {*engine.state.iterdir(), *engine.state.parent.glob("escaped*")} == above
    assert not os.path.exists("/tmp/escaped")
    links = [entry for entry in (engine.state / "code").rglob("*") if entry.is_symlink()]
    assert links == []
    assert _size(engine.state / "code") - before < 262_144_000  # the limit of an unzipped deployment package
    assert not list((engine.state / "code").glob("partial-*"))
