"""Deploys the function."""


def deploy(lab):
    functions = lab.client("lambda")
    name = lab.name("hello")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=lab.role("hello"),
        Code={"ZipFile": lab.package("app")},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    lab.outputs["FunctionName"] = name
