"""Where LocalStack gets what its image brings along: Java, DynamoDB Local and a JSONata engine."""

import glob
import json
import os
import shutil
import tempfile

_SIMULATOR = "amplify-dynamodb-simulator@2.9.30"  # the package of npm that ships DynamoDB Local's archive


def use_what_is_here() -> None:
    from localstack.packages.java import JavaPackageInstaller
    from localstack.services.dynamodb import packages, server
    from localstack.services.stepfunctions.asl.jsonata import jsonata

    JavaPackageInstaller.get_installed_dir = lambda self: _java_home()
    packages.DynamoDBLocalPackageInstaller._install = _install_dynamodb
    command = server.DynamodbServer._create_shell_command
    # the agent only raises the number of indexes above 20
    server.DynamodbServer._create_shell_command = lambda self: [
        word for word in command(self) if not word.startswith("-javaagent")
    ]
    jsonata._eval_jsonata = _jsonata


def _java_home() -> str:
    if home := os.environ.get("JAVA_HOME"):
        return home
    java = shutil.which("java")
    if java is None:
        raise RuntimeError("LocalStack's DynamoDB needs Java, and there is no program `java`")
    return os.path.dirname(os.path.dirname(os.path.realpath(java)))


def _install_dynamodb(self, target) -> None:
    from localstack.utils.run import run

    place = self._get_install_dir(target)
    os.makedirs(place, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        run(["npm", "pack", "--silent", "--pack-destination", scratch, _SIMULATOR], cwd=scratch)
        (archive,) = glob.glob(f"{scratch}/*.tgz")
        run(["tar", "xzf", archive, "-C", scratch])
        shutil.copytree(f"{scratch}/package/emulator", place, dirs_exist_ok=True)


def _jsonata(expression: str):
    """The value of an expression, by the pure-Python port of the reference engine."""
    import jsonata
    from localstack.services.stepfunctions.asl.jsonata.jsonata import JSONataException

    try:
        return json.loads(json.dumps(jsonata.Jsonata.jsonata(expression).evaluate(None)))
    except Exception as error:
        raise JSONataException("UNKNOWN", str(error)) from error
