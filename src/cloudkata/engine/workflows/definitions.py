"""Finds what is wrong with a state machine's definition, naming state and field.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html; the codes are those of
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html,
whose page asks not to rely on codes, order or wording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cloudkata.engine.workflows import fields
from cloudkata.engine.workflows.choice import COMPARISON, TYPE_TESTS
from cloudkata.engine.workflows.paths import INTRINSIC, parsed
from cloudkata.engine.workflows.policies import judge_policies

_SCHEMA = "SCHEMA_VALIDATION_FAILED"
_TARGET = "MISSING_TRANSITION_TARGET"
_MOST_SECONDS = 99_999_999
_NAME_LENGTH = 80
_RESOURCE = re.compile(r"arn:[a-z0-9-]+:(lambda:[^:]+:\d+:function:.+|states:[^:]*:\d*:.+)")
_STANDARD_ONLY = (".sync", ".sync:2", ".waitForTaskToken")
_REFERENCE = re.compile(r"\$(\.[\w-]+|\[\d+\]|\['[^'\]]*'\])*")
_EXPRESSION = re.compile(r"\{%.*%\}", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `location` is like /States/Pay/Next."""

    code: str
    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location}"


def problems(source: object, express: bool) -> list[Problem]:
    """What is wrong with a definition, given as text; nothing where it can be created."""
    if not isinstance(source, str) or not source.strip():
        return [Problem("MISSING_DESCRIPTION", "The definition is empty", "/")]
    try:
        definition = json.loads(source)
    except ValueError as error:
        return [Problem("INVALID_JSON_DESCRIPTION", f"The definition is not JSON: {error}", "/")]
    if not isinstance(definition, dict):
        return [Problem("INVALID_JSON_DESCRIPTION", "The definition is not a JSON object", "/")]
    judge = _Judge(express, {})
    return [
        *judge.unknown(definition, fields.MACHINE, ""),
        *judge.seconds(definition, "TimeoutSeconds", ""),
        *judge.states(definition, "", definition.get("QueryLanguage", "JSONPath")),
    ]


@dataclass(frozen=True)
class _Judge:
    express: bool
    names: dict  # every state's name with the place where it stands

    def unknown(self, found: dict, known: set, where: str) -> Iterator[Problem]:
        for name in found:
            if name not in known:
                yield Problem(_SCHEMA, f"The field '{name}' is not supported", f"{where}/{name}")

    def seconds(self, found: dict, name: str, where: str, jsonata: bool = False) -> Iterator[Problem]:
        value = found.get(name)
        if value is None or (jsonata and isinstance(value, str) and _EXPRESSION.fullmatch(value)):
            return
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_SECONDS:
            yield Problem(_SCHEMA, f"{name} must be a whole number from 1 to {_MOST_SECONDS}", f"{where}/{name}")

    def states(self, machine: dict, where: str, language: str) -> Iterator[Problem]:
        """The states of a machine, a branch or an item processor."""
        states, start = machine.get("States"), machine.get("StartAt")
        if not isinstance(states, dict) or not states:
            yield Problem(_SCHEMA, "States must be an object with at least one state", f"{where}/States")
            return
        if not isinstance(start, str):
            yield Problem(_SCHEMA, "StartAt must name a state", f"{where}/StartAt")
        elif start not in states:
            yield Problem(_TARGET, f"Missing 'Next' target: {start}", f"{where}/StartAt")
        for name, state in states.items():
            place = f"{where}/States/{name}"
            if name in self.names:
                yield Problem("DUPLICATE_STATE_NAME", f"The state {name} stands at {self.names[name]} as well", place)
            self.names[name] = place
            if not 1 <= len(name) <= _NAME_LENGTH:
                yield Problem("INVALID_STATE_NAME", f"A state's name has at most {_NAME_LENGTH} characters", place)
            if isinstance(state, dict):
                yield from self.state(state, states, place, language)
            else:
                yield Problem(_SCHEMA, "A state must be an object", place)
        yield from self.reachable(states, start, where)

    def reachable(self, states: dict, start: object, where: str) -> Iterator[Problem]:
        seen: set = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if isinstance(name, str) and name in states and name not in seen:
                seen.add(name)
                waiting += [target for target, _ in _targets(states[name], "")]
        for name in states:
            if name not in seen:
                yield Problem(_TARGET, f"State {name} is not reachable", f"{where}/States/{name}")
        if not any(_ends(states[name]) for name in seen):
            yield Problem("MISSING_END_STATE", "No state that can be reached ends the workflow", f"{where}/States")

    def state(self, state: dict, siblings: dict, where: str, language: str) -> Iterator[Problem]:
        kind = state.get("Type")
        if kind not in fields.ALLOWED:
            yield Problem(_SCHEMA, f"Type must be one of {', '.join(fields.ALLOWED)}", f"{where}/Type")
            return
        language = state.get("QueryLanguage", language)
        yield from self.unknown(state, fields.ALLOWED[kind], where)
        for name in fields.REQUIRED.get(kind, ()):
            if name not in state:
                yield Problem(_SCHEMA, f"{kind} needs the field {name}", where)
        other = fields.JSONPATH_ONLY if language == "JSONata" else fields.JSONATA_ONLY
        for name in other & state.keys():
            yield Problem(_SCHEMA, f"The field {name} is not for {language}", f"{where}/{name}")
        if kind not in ("Choice", "Succeed", "Fail") and ("Next" in state) == (state.get("End") is True):
            yield Problem(_SCHEMA, "There must be either Next or End, not both", where)
        for target, place in _targets(state, where):
            if not isinstance(target, str) or target not in siblings:
                yield Problem(_TARGET, f"Missing 'Next' target: {target}", place)
        for code, message, place in judge_policies(state, where):
            yield Problem(code, message, place)
        if language != "JSONata":
            yield from self.paths(state, where)
        specific = getattr(self, f"_{kind.lower()}", None)
        if specific:
            yield from specific(state, where, language)

    def paths(self, state: dict, where: str) -> Iterator[Problem]:
        for name, value in state.items():
            place = f"{where}/{name}"
            if name in ("InputPath", "OutputPath") and value is None:
                continue
            if name == "ResultPath":
                if value is not None and not (isinstance(value, str) and _REFERENCE.fullmatch(value)):
                    yield Problem(_SCHEMA, "ResultPath must be a reference path", place)
            elif name.endswith("Path"):
                if not _is_path(value):
                    yield Problem(_SCHEMA, "The value is not a valid JSONPath", place)
            elif name in ("Parameters", "ResultSelector", "ItemSelector", "Assign"):
                yield from self.template(value, place)

    def template(self, value: object, where: str) -> Iterator[Problem]:
        if isinstance(value, list):
            for number, part in enumerate(value):
                yield from self.template(part, f"{where}/{number}")
        elif isinstance(value, dict):
            for key, part in value.items():
                if not key.endswith(".$"):
                    yield from self.template(part, f"{where}/{key}")
                elif not _is_path(part):
                    wanted = "must be a valid JSONPath or a valid intrinsic function call"
                    yield Problem(_SCHEMA, f"The value for the field '{key}' {wanted}", f"{where}/{key}")

    def _task(self, state: dict, where: str, language: str) -> Iterator[Problem]:
        resource = state.get("Resource")
        if "Resource" in state and not (isinstance(resource, str) and _RESOURCE.fullmatch(resource)):
            yield Problem("INVALID_RESOURCE", f"The value is not a valid resource ARN: {resource}", f"{where}/Resource")
        elif self.express and str(resource).endswith(_STANDARD_ONLY):
            message = "Express state machines do not support '.sync' and '.waitForTaskToken' service integrations"
            yield Problem(_SCHEMA, message, f"{where}/Resource")
        elif self.express and ":activity:" in str(resource):
            yield Problem(_SCHEMA, "Express state machines do not support activities", f"{where}/Resource")
        for name in ("TimeoutSeconds", "HeartbeatSeconds"):
            yield from self.seconds(state, name, where, language == "JSONata")
            if name in state and f"{name}Path" in state:
                yield Problem(_SCHEMA, f"{name} and {name}Path cannot be given together", where)
        timeout, heartbeat = state.get("TimeoutSeconds", _MOST_SECONDS + 1), state.get("HeartbeatSeconds")
        if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
            yield Problem(_SCHEMA, "HeartbeatSeconds must be smaller than TimeoutSeconds", f"{where}/HeartbeatSeconds")

    def _wait(self, state: dict, where: str, language: str) -> Iterator[Problem]:
        given = state.keys() & {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}
        if len(given) != 1:
            yield Problem(_SCHEMA, "Wait needs one of Seconds, SecondsPath, Timestamp and TimestampPath", where)
        if state.get("Seconds") != 0:
            yield from self.seconds(state, "Seconds", where, language == "JSONata")

    def _parallel(self, state: dict, where: str, language: str) -> Iterator[Problem]:
        branches = state.get("Branches", [{}])
        if not isinstance(branches, list) or not branches:
            yield Problem(_SCHEMA, "Branches must be a list with at least one branch", f"{where}/Branches")
            return
        for number, branch in enumerate(branches):
            yield from self.inner(branch, f"{where}/Branches[{number}]", fields.BRANCH, language)

    def _map(self, state: dict, where: str, language: str) -> Iterator[Problem]:
        name = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        if name not in state:
            yield Problem(_SCHEMA, "Map needs the field ItemProcessor", where)
            return
        processor = state[name]
        config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
        distributed = config.get("Mode") == "DISTRIBUTED"
        if not distributed:
            for field in sorted(state.keys() & {"ItemReader", "ItemBatcher", "ResultWriter"}):
                yield Problem(_SCHEMA, f"The field {field} is for Mode DISTRIBUTED only", f"{where}/{field}")
        elif self.express:
            yield Problem(_SCHEMA, "Express state machines do not support the distributed Map", f"{where}/{name}")
        elif config.get("ExecutionType") not in ("STANDARD", "EXPRESS"):
            place = f"{where}/{name}/ProcessorConfig"
            yield Problem(_SCHEMA, "Mode DISTRIBUTED needs ExecutionType STANDARD or EXPRESS", place)
        most = state.get("MaxConcurrency", 0)
        computed = isinstance(most, str) and language == "JSONata"
        if not computed and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
            yield Problem(_SCHEMA, "MaxConcurrency must be a whole number of at least 0", f"{where}/MaxConcurrency")
        inside = _Judge(config.get("ExecutionType") == "EXPRESS", self.names) if distributed else self
        yield from inside.inner(processor, f"{where}/{name}", fields.PROCESSOR, language)

    def inner(self, machine: object, where: str, known: set, language: str) -> Iterator[Problem]:
        if not isinstance(machine, dict):
            yield Problem(_SCHEMA, "It must be an object with StartAt and States", where)
            return
        yield from self.unknown(machine, known, where)
        yield from self.states(machine, where, machine.get("QueryLanguage", language))

    def _choice(self, state: dict, where: str, language: str) -> Iterator[Problem]:
        rules = state.get("Choices")
        if not isinstance(rules, list) or not rules:
            yield Problem(_SCHEMA, "Choices must be a list with at least one rule", f"{where}/Choices")
            return
        for number, rule in enumerate(rules):
            place = f"{where}/Choices[{number}]"
            if not isinstance(rule, dict) or "Next" not in rule:
                yield Problem(_SCHEMA, "A rule must be an object with Next", place)
            elif language == "JSONata":
                if "Condition" not in rule:
                    yield Problem(_SCHEMA, "A rule needs a Condition", place)
            else:
                yield from self.rule(rule, place)

    def rule(self, rule: object, where: str) -> Iterator[Problem]:
        if not isinstance(rule, dict):
            yield Problem(_SCHEMA, "A rule must be an object", where)
            return
        logic = ("And", "Or", "Not")
        found = [name for name in rule if name in logic or name in TYPE_TESTS or COMPARISON.fullmatch(name)]
        if len(found) != 1:
            yield Problem(_SCHEMA, "A rule must have exactly one comparison", where)
            return
        name = found[0]
        yield from self.unknown(rule, {name, "Variable", "Next", "Comment", "Assign"}, where)
        if name in ("And", "Or", "Not"):
            parts = [rule[name]] if name == "Not" else rule[name]
            for part in parts if isinstance(parts, list) else [None]:
                yield from self.rule(part, f"{where}/{name}")
        elif not _is_path(rule.get("Variable")):
            yield Problem(_SCHEMA, "Variable must be a valid JSONPath", f"{where}/Variable")
        elif name.endswith("Path") and not _is_path(rule[name]):
            yield Problem(_SCHEMA, "The value is not a valid JSONPath", f"{where}/{name}")


def _is_path(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if INTRINSIC.fullmatch(value):
        return True
    if not value.startswith("$"):
        return False
    bare = re.sub(r"^\$(\$|[A-Za-z_]\w*)", "$", value)
    if _REFERENCE.fullmatch(bare):
        return True
    try:
        parsed(bare)
    except ValueError:
        return False
    return True


def _targets(state: object, where: str) -> Iterator[tuple[object, str]]:
    """What a state can go to, with the place where that is said."""
    if not isinstance(state, dict):
        return
    for name in ("Next", "Default"):
        if name in state:
            yield state[name], f"{where}/{name}"
    for name in ("Choices", "Catch"):
        for number, part in enumerate(state.get(name) or ()):
            if isinstance(part, dict) and "Next" in part:
                yield part["Next"], f"{where}/{name}[{number}]/Next"


def _ends(state: object) -> bool:
    return isinstance(state, dict) and (state.get("End") is True or state.get("Type") in ("Succeed", "Fail"))
