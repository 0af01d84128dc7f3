"""Deploys a library as a layer, and two functions that use it."""

RUNTIME = "python3.13"


def deploy(lab):
    # kata: task library
    prices = publish(lab, "prices", lab.package("layers/prices"))
    # kata: starter
    # prices = publish(lab, "prices", lab.package("layers/prices/python"))  # where in /opt will these files lie?
    # kata: end
    # kata: task override
    austria = publish(lab, "austria", lab.package("layers/austria"))
    # kata: starter
    # kata: end
    role = lab.role("shop")
    # kata: task library
    create(lab, role, "orders", [prices])
    # kata: starter
    # create(lab, role, "orders", [])
    # kata: end
    # kata: task override
    create(lab, role, "invoices", [prices, austria])
    # kata: starter
    # create(lab, role, "invoices", [])
    # kata: end
    lab.outputs["LayerArn"] = prices
    lab.outputs["OrdersFunction"] = lab.name("orders")
    lab.outputs["InvoicesFunction"] = lab.name("invoices")


def publish(lab, name, archive):
    """Publish a new version of a layer; its ARN, which ends in the version's number."""
    published = lab.client("lambda").publish_layer_version(
        LayerName=lab.name(name), Content={"ZipFile": archive}, CompatibleRuntimes=[RUNTIME]
    )
    return published["LayerVersionArn"]


def create(lab, role, name, layers):
    """Make a function of app/NAME.py that uses `layers`, and wait until it is ready."""
    functions = lab.client("lambda")
    functions.create_function(
        FunctionName=lab.name(name),
        Runtime=RUNTIME,
        Handler=f"{name}.handler",
        Role=role,
        Code={"ZipFile": lab.package("app")},
        Layers=layers,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=lab.name(name))
