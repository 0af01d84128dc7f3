"""A definition with an error in it is refused, and the answer names state and field.

AWS documents: CreateStateMachine and UpdateStateMachine answer InvalidDefinition
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html);
ValidateStateMachineDefinition answers OK or FAIL with diagnostics, and makes the same checks
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html). Express
workflows support only Request Response integrations
(https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html): whether that is said at the creation
or at the run is not documented; here it is at the creation.

MiniStack refuses only JSONata that does not parse, and ValidateStateMachineDefinition is always OK. Its operations see
only what is valid.
"""

from __future__ import annotations

from cloudkata.engine.context import Context

_MODULE = "ministack.services.stepfunctions:"
_MOST_SHOWN = 100


def register(context: Context) -> None:
    from ministack.services import stepfunctions

    def refusal(source, kind):
        from cloudkata.engine.workflows.definitions import problems

        found = problems(source, kind == "EXPRESS")
        if not found:
            return None
        shown = ", ".join(map(str, found[:_MOST_SHOWN]))
        message = f"Invalid State Machine Definition: '{shown}'"
        return stepfunctions.error_response_json("InvalidDefinition", message, 400)

    def create(original, data):
        if not data.get("name"):
            return original(data)
        return refusal(data.get("definition"), data.get("type")) or original(data)

    def update(original, data):
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn"))
        if machine is None or "definition" not in data:
            return original(data)
        return refusal(data["definition"], machine["type"]) or original(data)

    def validate(original, data):
        from cloudkata.engine.workflows.definitions import problems

        found = problems(data.get("definition"), data.get("type") == "EXPRESS")
        parse = None if found else stepfunctions._validate_definition_jsonata(data.get("definition"))
        diagnostics = [
            {"severity": "ERROR", "code": problem.code, "message": problem.message, "location": problem.location}
            for problem in found[: data.get("maxResults") or _MOST_SHOWN]
        ]
        if parse:
            code, _, message = parse.partition(": ")
            diagnostics.append({"severity": "ERROR", "code": code, "message": message})
        result = "FAIL" if diagnostics else "OK"
        truncated = len(found) > len(diagnostics) and not parse
        return stepfunctions.json_response({"result": result, "diagnostics": diagnostics, "truncated": truncated})

    context.seams.hook(_MODULE + "_create_state_machine", create)
    context.seams.hook(_MODULE + "_update_state_machine", update)
    context.seams.hook(_MODULE + "_validate_state_machine_definition", validate)
