"""Deploys the function, and the alias that its callers know."""


def deploy(lab):
    functions = lab.client("lambda")
    name = lab.name("greeter")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=lab.role("greeter"),
        Code={"ZipFile": lab.package("app")},
        Environment={"Variables": {"GREETING": "Hello"}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    version = "$LATEST"  # what was uploaded last: it changes with every upload and every setting
    alias = functions.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="$LATEST",  # so callers get whatever was uploaded last
    )
    lab.outputs["FunctionName"] = name
    lab.outputs["AliasArn"] = alias["AliasArn"]
