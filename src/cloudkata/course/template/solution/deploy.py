"""Deploys the function."""


def deploy(lab):
    functions, name = lab.client("lambda"), lab.name("add")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=lab.role("add"),
        Code={"ZipFile": lab.package("app")},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    lab.outputs["FunctionName"] = name
