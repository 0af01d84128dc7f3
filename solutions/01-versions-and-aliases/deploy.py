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
    # kata: task publish
    version = functions.publish_version(FunctionName=name)["Version"]
    # kata: starter
    # version = "$LATEST"  # what was uploaded last: it changes with every upload and every setting
    # kata: end
    alias = functions.create_alias(
        FunctionName=name,
        Name="live",
        # kata: task alias
        FunctionVersion=version,
        # kata: starter
        # FunctionVersion="$LATEST",  # so callers get whatever was uploaded last
        # kata: end
    )
    lab.outputs["FunctionName"] = name
    lab.outputs["AliasArn"] = alias["AliasArn"]
