"""`kata up`, `down` and `env`: an engine kept warm, for any tool."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from cloudkata.cli.common import JsonFile, complete_labs, console_for, progress_line, tell, write_json
from cloudkata.course import CourseError, choose, find_course

REGION = "us-east-1"
NOT_UP = "no engine is up; run: kata up"
# What would lead a tool somewhere else than to the engine.
_UNSET = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")


def up(json_file: JsonFile = "") -> None:
    """Start an engine that stays up, for the AWS CLI, CDK, Terraform or any other tool.

    Examples: kata up, then: eval "$(kata env)"; aws sts get-caller-identity
    """
    from cloudkata.targets import up as engines

    console = console_for(json_file)
    with progress_line(console) as progress:
        progress("Starting the engine")
        found, new = engines.start()
    console.print(f"The engine {'is' if new else 'was'} up at {found.engine.endpoint}, isolation: {found.isolation}.")
    console.print('Lead the tools of this shell to it: eval "$(kata env)"')
    console.print("End it, with all that was deployed there: kata down")
    if json_file:
        write_json(json_file, {"endpoint": found.engine.endpoint, "account": found.account, "new": new})


def down() -> None:
    """End the engine that is up, with all that was deployed there.

    Example: kata down
    """
    from cloudkata.targets import up as engines

    with progress_line(console_for()) as progress:
        progress("Ending the engine")
        ended = engines.stop()
    tell("The engine is down; nothing of it is left." if ended else "No engine was up.")


def env(
    lab: Annotated[
        str,
        typer.Argument(
            help="A lab: the names to use, and the account that kata check --keep left for it, if it did.",
            autocompletion=complete_labs,
        ),
    ] = "",
    json_file: JsonFile = "",
) -> None:
    """Print the settings that lead a shell's tools to the engine that is up, with secrets of that engine.

    Examples: eval "$(kata env)", eval "$(kata env 14)", kata env --json -
    """
    from cloudkata.targets import up as engines

    found = engines.find()
    if found is None:
        raise CourseError(NOT_UP)
    keys, prefix = found.keys, ""
    if lab:
        slug = choose(find_course(Path.cwd()), lab)
        prefix = found.prefix(slug.split("-", 1)[0])
        if kept := engines.find_kept(slug):
            keys, prefix = kept.keys, kept.prefix
    values = {
        "AWS_ENDPOINT_URL": found.engine.endpoint,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    if prefix:
        values["KATA_PREFIX"] = prefix
    if json_file:
        write_json(json_file, values)
        return
    typer.echo(f"unset {' '.join(_UNSET)}")
    for name, value in values.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def read_outputs(file: Path) -> dict[str, str]:
    """The outputs in a JSON file: plain, as `cdk deploy --outputs-file` or as `terraform output -json` write them.

    Raises CourseError when it holds none.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CourseError(f"{file} is not JSON: {error}") from error
    found: dict[str, str] = {}
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, dict) and "value" in value:  # Terraform
            value = value["value"]
        if isinstance(value, dict):  # a CDK stack
            found |= {inner: text for inner, text in value.items() if isinstance(text, str)}
        elif isinstance(value, str):
            found[name] = value
    if not found:
        raise CourseError(f'{file} holds no outputs: expected {{"NAME": "value"}}')
    return found
