"""Deploys a library as a layer, and two functions that use it."""

RUNTIME = "python3.13"


def deploy(lab):
    prices = publish(lab, "prices", lab.package("layers/prices/python"))  # where in /opt will these files lie?
    role = lab.role("shop")
    create(lab, role, "orders", [])
    create(lab, role, "invoices", [])
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
