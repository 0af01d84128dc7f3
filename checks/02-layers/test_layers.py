"""Lab 02: where two functions get their library from, and what happens when it changes.

The learner's functions are called as they are. Where a claim needs another list of layers, a copy is made of a
function's own code; nothing is read in it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import posixpath
import urllib.request
import zipfile

from botocore.exceptions import ClientError

from cloudkata.checking import check, expect

MOST_LAYERS = 5
LARGEST_BYTES = 20 << 20  # of a layer or of code, unpacked: what is read here is held in memory
OPERATIONS = 3  # layers that the shop's operations add to every function
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:1"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LIBRARY = "import rates\n\n\ndef gross(net):\n    return (net * (100 + rates.VAT) + 50) // 100 + {fee}\n"
IMPORTER = (
    "import importlib, os, sys\n"
    "def handler(event, context):\n"
    "    found = {}\n"
    "    for name in event['import']:\n"
    "        try:\n"
    "            found[name] = importlib.import_module(name).__file__\n"
    "        except ImportError:\n"
    "            found[name] = None\n"
    "    return {'found': found, 'there': [path for path in event['paths'] if os.path.exists(path)]}\n"
)
GERMANY, AUSTRIA = 19, 20


def gross(net: int, rate: int, fee: int = 0) -> int:
    return (net * (100 + rate) + 50) // 100 + fee


def archive(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path, content in files.items():
            file.writestr(path, content)
    return buffer.getvalue()


def contents(link: str) -> dict[str, bytes]:
    """The files of an archive that AWS gave a link to, by path."""
    with urllib.request.urlopen(link, timeout=30) as reply:  # noqa: S310 (the target's own link)
        file = zipfile.ZipFile(io.BytesIO(reply.read()))
    size = sum(member.file_size for member in file.infolist())
    expect("the size of an archive, unpacked", size).meets(
        size <= LARGEST_BYTES,
        f"{LARGEST_BYTES} bytes at most",
        why="The library and the code have a few KB; nothing large belongs into them.",
    )
    return {name: file.read(name) for name in file.namelist() if not name.endswith("/")}


def asked(call) -> str:
    """What asking for something came to: "accepted", or the code of the refusal."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "accepted"


class Shop:
    """The deployed functions and their layers, and what it takes to try them with others."""

    def __init__(self, lab) -> None:
        self.lab = lab
        self.functions = lab.client("lambda")
        self.orders, self.invoices = lab.outputs["OrdersFunction"], lab.outputs["InvoicesFunction"]
        self.library = lab.outputs["LayerArn"]
        self._made = 0
        self._changing: set[str] = set()

    def name(self, what: str) -> str:
        self._made += 1
        return f"{self.orders[:24]}-{what}-{self.lab.draw.word()}{self._made}"

    def library_files(self) -> dict[str, bytes]:
        return contents(self.functions.get_layer_version_by_arn(Arn=self.library)["Content"]["Location"])

    def place(self, file: str) -> str:
        """The path that a file of the library has in the layer."""
        found = [path for path in self.library_files() if posixpath.basename(path) == file]
        return found[0] if found else f"python/{file}"

    def layers(self, function: str) -> list[str]:
        found = self.functions.get_function_configuration(FunctionName=function)
        return [layer["Arn"] for layer in found.get("Layers", [])]

    def publish(self, files: dict[str, str | bytes], layer: str = "") -> str:
        """A new version of `layer`, or of a layer of its own; its ARN."""
        made = self.functions.publish_layer_version(
            LayerName=layer or self.name("layer"), Content={"ZipFile": archive(files)}
        )
        return made["LayerVersionArn"]

    def set_rate(self, rate: int) -> str:
        """A layer with the rates file alone, at the path that the library's has."""
        return self.publish({self.place("rates.py"): f"VAT = {rate}\n"})

    def copy(self, function: str, layers: list[str], more: dict[str, str] | None = None) -> str:
        """A new function of the same code, perhaps with more files, and other layers."""
        found = self.functions.get_function(FunctionName=function)
        return self.create(contents(found["Code"]["Location"]) | (more or {}), layers, found["Configuration"])

    def create(self, files: dict, layers: list[str], like: dict) -> str:
        """A new function; it need not be ready yet, so that several become so at the same time."""
        name = self.name("try")
        self.functions.create_function(
            FunctionName=name,
            Runtime=like["Runtime"],
            Handler=like["Handler"],
            Role=like["Role"],
            Timeout=10,
            Code={"ZipFile": archive(files)},
            Layers=layers,
        )
        self._changing.add(name)
        return name

    def ready(self, name: str) -> None:
        """Wait until what was asked for is in force."""
        if name in self._changing:
            for state in ("function_active_v2", "function_updated_v2"):
                self.functions.get_waiter(state).wait(FunctionName=name, WaiterConfig={"Delay": 0.03})
            self._changing.remove(name)

    def importer(self, layers: list[str]) -> str:
        """A function of our own that only tells what it can import."""
        like = self.functions.get_function_configuration(FunctionName=self.orders)
        return self.create({"app.py": IMPORTER}, layers, like | {"Handler": "app.handler"})

    def attach(self, function: str, layers: list[str]) -> None:
        self.ready(function)
        self.functions.update_function_configuration(FunctionName=function, Layers=layers)
        self._changing.add(function)

    @contextlib.contextmanager
    def restored(self, *functions: str):
        """Afterwards the functions have the layers again that they have now."""
        before = {name: self.layers(name) for name in functions}
        try:
            yield
        finally:
            for name, layers in before.items():
                if self.layers(name) != layers:
                    asked(functools.partial(self.attach, name, layers))  # refused where one of them was deleted
            for name in before:
                self.ready(name)

    def ask(self, function: str, event: dict):
        """What a function answers; an error in its place when it fails."""
        self.ready(function)
        reply = self.lab.invoke(function, event)
        if reply.error and isinstance(reply.value, dict):
            return f"{reply.value.get('errorType')}: {reply.value.get('errorMessage')}"
        return reply.value

    def total(self, function: str, items: list[int]):
        found = self.ask(function, {"items": items})
        return found.get("total") if isinstance(found, dict) else found

    def invoiced(self, function: str, net: int):
        found = self.ask(function, {"net": net})
        return found.get("gross") if isinstance(found, dict) else found

    def built(self, fee: int) -> tuple[str, str]:
        """The library as it would come from a build, with a fee on every price: the bucket and the key."""
        files = self.library_files() | {self.place("prices.py"): LIBRARY.format(fee=fee)}
        s3, bucket = self.lab.client("s3"), self.name("builds")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="library.zip", Body=archive(files))
        return bucket, "library.zip"

    def release(self, fee: int, functions: list[str]) -> dict:
        """Call the learner's release() for a library with a fee; what it returned."""
        for name in functions:
            self.ready(name)
        bucket, key = self.built(fee)
        called = self.lab.call("release", bucket, key, functions)
        value = called.value if isinstance(called.value, dict) else {}
        well = not called.error and {"layer", "moved", "left"} <= value.keys()
        expect("release(lab, bucket, key, functions)", called.error or called.value).meets(
            well, 'an answer with "layer", "moved" and "left"', why="Whoever releases wants to know what happened."
        )
        return value

    def grant(self, arn: str, account: str) -> None:
        called = self.lab.call("grant", arn, account)
        expect(f"grant(lab, ..., {account!r})", called.error).equals(
            "", why="Each account gets a statement of its own, also when another one has been granted before."
        )


class Partner:
    """Another account, which wants to use the learner's layer."""

    def __init__(self, lab) -> None:
        self._account = lab.other_account()
        self.number = self._account.number
        self._functions = self._account.client("lambda")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self._account.client("iam").create_role(RoleName="partner", AssumeRolePolicyDocument=policy)
        self._like = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role["Role"]["Arn"], "Timeout": 10}
        self._made = 0

    def use(self, arn: str) -> str:
        """What creating a function with that layer comes to."""
        self._made += 1
        code = {"ZipFile": archive({"app.py": IMPORTER})}
        name = f"uses{self._made}"
        return asked(lambda: self._functions.create_function(FunctionName=name, Code=code, Layers=[arn], **self._like))

    def run(self) -> str:
        """What the function that was made last can import of the library."""
        name = f"uses{self._made}"
        self._functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        event = json.dumps({"import": ["prices"], "paths": []})
        reply = self._functions.invoke(FunctionName=name, Payload=event)
        return str(json.loads(reply["Payload"].read())["found"]["prices"])


def draw_net(lab) -> int:
    """A net price whose tax has half a cent at 19%: 50 or 150 cents and so on."""
    return 100 * lab.draw.random.randint(10, 900) + 50


# --- library --------------------------------------------------------------------------------------------------------


@check(task="library", needs=["lambda.layers"], cards=["lambda-layers", "thin-handler"])
def test_orders_and_invoices_compute_alike(lab):
    """Both functions answer with the library's prices, and round half a cent up."""
    shop = Shop(lab)
    items = [draw_net(lab) for _ in range(3)]
    found = shop.total(shop.orders, items)
    wanted = [sum(gross(net, rate) for net in items) for rate in (GERMANY, AUSTRIA)]
    expect(f"the total of an order of {items}", found).meets(
        found in wanted, f"{wanted[0]} at 19%", why="An order is priced item by item, by the library."
    )
    net = draw_net(lab)
    found = shop.invoiced(shop.invoices, net)
    wanted = [gross(net, rate) for rate in (GERMANY, AUSTRIA)]
    expect(f"the gross amount of an invoice over {net}", found).meets(
        found in wanted,
        f"{wanted[0]} at 19%, or {wanted[1]} at 20%",
        why="Two copies of a rule drift apart; one does not.",
    )


@check(task="library", needs=["lambda.layers"], cards=["lambda-layers"])
def test_no_function_carries_a_copy(lab):
    """The code of neither function works without the layer, and with another library it answers by that one."""
    shop = Shop(lab)
    fee, net = lab.draw.random.randint(1000, 9999), draw_net(lab)
    library = shop.library_files() | {shop.place("prices.py"): LIBRARY.format(fee=fee)}
    other = shop.publish(library)
    price = {
        shop.orders: lambda name: shop.total(name, [net]),
        shop.invoices: lambda name: shop.invoiced(name, net),
    }
    rest = {function: [arn for arn in shop.layers(function) if arn != shop.library] for function in price}
    replaced = {function: shop.copy(function, [other, *rest[function]]) for function in price}
    without = {function: shop.copy(function, rest[function]) for function in price}
    wanted = [gross(net, rate, fee) for rate in (GERMANY, AUSTRIA)]
    for function, ask in price.items():
        found = ask(replaced[function])
        expect(f"what the code of {function} answers with a library that adds {fee}", found).meets(
            found in wanted,
            f"{wanted[0]} or {wanted[1]}",
            why="Its own copy comes before every layer: the function would never see a new library.",
        )
        found = ask(without[function])
        expect(f"what the code of {function} does without the library", found).meets(
            isinstance(found, str) and "ImportModuleError" in found,
            "a Runtime.ImportModuleError",
            why="What it needs lies in the layer, and nowhere else.",
        )


@check(task="library", needs=["lambda.layers"], cards=["lambda-layers-sam"])
def test_lies_where_the_runtime_looks(lab):
    """Any function that names the layer can import from it; the same files at the archive's root, none can."""
    shop = Shop(lab)
    modules = ["prices", "rates", "digitwords"]
    flat = {posixpath.basename(path): text for path, text in shop.library_files().items() if "digitwords" not in path}
    layered, flattened = shop.importer([shop.library]), shop.importer([shop.publish(flat)])
    answer = shop.ask(layered, {"import": modules, "paths": []})
    found = answer["found"] if isinstance(answer, dict) else answer
    well = isinstance(found, dict) and all(str(path).startswith("/opt/python/") for path in found.values())
    expect("what a function with this layer alone can import", found).meets(
        well,
        "prices, rates and digitwords, each below /opt/python",
        why="Of /opt, the runtime has only python and python/lib/python3.x/site-packages on its import path.",
    )
    paths = ["/opt/prices.py", "/opt/rates.py"]
    answer = shop.ask(flattened, {"import": modules[:2], "paths": paths})
    expect("what it can import of the files when they lie at the root", answer).equals(
        {"found": {"prices": None, "rates": None}, "there": paths}, why="They are in /opt, which is on no import path."
    )


@check(task="library", needs=["lambda.layers"], cards=["lambda-layers-sam"])
def test_brings_what_the_runtime_lacks(lab):
    """An invoice in words works: its package comes with the layer, and not from the developer's machine."""
    shop = Shop(lab)
    net = draw_net(lab)
    answer = shop.ask(shop.invoices, {"net": net, "words": True})
    amount = answer.get("gross") if isinstance(answer, dict) else answer
    words = "-".join(DIGITS[int(digit)] for digit in str(amount) if digit.isdigit())
    expect(f"an invoice over {net} in words", answer).meets(
        isinstance(answer, dict) and answer.get("words") == words,
        f"one with the words of its gross amount, such as {'-'.join(DIGITS[1:4])} for 123",
        why="Lambda's runtime has the standard library and boto3; everything else must be in the code or in a layer.",
    )
    answer = shop.ask(shop.importer([]), {"import": ["digitwords", "pydantic", "rich", "boto3"], "paths": []})
    found = [name for name, path in answer["found"].items() if path]
    expect("what a function without layers can import", found).equals(
        ["boto3"], why="What is installed on your machine is not installed on Lambda."
    )


@check(task="library", needs=["lambda.five-layers"], cards=["lambda-layers"])
def test_leaves_room_for_three_more(lab):
    """Each function takes the three layers that operations add to all; beyond five in all, one is refused."""
    shop = Shop(lab)
    more = [shop.publish({f"extra{number}.txt": "x"}) for number in range(MOST_LAYERS)]
    for function in (shop.orders, shop.invoices):
        layers = shop.layers(function)
        came_to = asked(lambda layers=layers, function=function: shop.copy(function, [*layers, *more[:OPERATIONS]]))
        expect(f"three more layers than the {len(layers)} of {function}", came_to).equals(
            "accepted", why="A function has five layers at most, and operations need three of them."
        )
        over = [*layers, *more[: MOST_LAYERS + 1 - len(layers)]]
        came_to = asked(lambda over=over, function=function: shop.copy(function, over))
        expect(f"{len(over)} layers for {function}", came_to).meets(
            came_to != "accepted", "a refusal", why="Five layers is the most."
        )


# --- override -------------------------------------------------------------------------------------------------------


@check(task="override", after=["02.orders-and-invoices-compute-alike", "02.lies-where-the-runtime-looks"])
def test_invoices_have_their_own_rate(lab):
    """Invoices are at Austria's 20%, orders at Germany's 19%."""
    shop = Shop(lab)
    net = draw_net(lab)
    expect(f"the gross amount of an invoice over {net}", shop.invoiced(shop.invoices, net)).equals(
        gross(net, AUSTRIA),
        why="Of two files with one path, the one of the later layer in the list is there in the end.",
    )
    expect(f"the total of an order of {[net]}", shop.total(shop.orders, [net])).equals(
        gross(net, GERMANY), why="The override is for the invoices alone."
    )


@check(task="override", after=["02.no-function-carries-a-copy"], cards=["lambda-layers"])
def test_the_last_layer_in_the_list_wins(lab):
    """One more layer with the same file takes effect at the end of the list, and none before it."""
    shop = Shop(lab)
    net, rate = draw_net(lab), lab.draw.random.randint(31, 89)
    layers, other = shop.layers(shop.invoices), shop.set_rate(rate)
    behind, ahead = shop.copy(shop.invoices, [*layers, other]), shop.copy(shop.invoices, [other, *layers])
    expect(f"an invoice over {net} with a layer for {rate}% at the end", shop.invoiced(behind, net)).equals(
        gross(net, rate),
        why="Layers are unpacked one over the other, in the order of the list: the same path, the last one wins.",
    )
    before = shop.invoiced(shop.invoices, net)
    found = shop.invoiced(ahead, net)
    expect(f"an invoice over {net} with that layer at the beginning", found).meets(
        found == before and found != gross(net, rate), f"{before}, as without it", why="What comes later covers it."
    )


@check(task="override", after=["02.no-function-carries-a-copy"], cards=["lambda-layers"])
def test_the_functions_own_file_wins_over_layers(lab):
    """With a rates file of its own, the function's code uses that one and no layer's."""
    shop = Shop(lab)
    net, rate = draw_net(lab), lab.draw.random.randint(31, 89)
    name = shop.copy(shop.invoices, shop.layers(shop.invoices), {"rates.py": f"VAT = {rate}\n"})
    expect(f"an invoice over {net} of the same code with a rates.py for {rate}%", shop.invoiced(name, net)).equals(
        gross(net, rate), why="/var/task, where the code lies, comes before /opt on the import path. Leave it so."
    )


# --- release --------------------------------------------------------------------------------------------------------


@check(task="release", after=["02.no-function-carries-a-copy"], cards=["lambda-layers"])
def test_leaves_a_way_back(lab):
    """After a release the old layer version is still there: for what was published with it, and to return to."""
    shop = Shop(lab)
    fee, net = lab.draw.random.randint(1000, 9999), draw_net(lab)
    with shop.restored(shop.orders):
        layers, price = shop.layers(shop.orders), shop.total(shop.orders, [net])
        old = shop.functions.publish_version(FunctionName=shop.orders)["Version"]
        shop.functions.get_waiter("published_version_active").wait(
            FunctionName=shop.orders, Qualifier=old, WaiterConfig={"Delay": 0.03}
        )
        shop.release(fee, [shop.orders])
        expect(
            f"the price by version {old} of orders, after a release", shop.total(f"{shop.orders}:{old}", [net])
        ).equals(price, why="A published version of a function has the list of layers that it was published with.")
        came_to = asked(lambda: shop.attach(shop.orders, layers))
        expect("going back to the old version of the layer", came_to).equals(
            "accepted", why="A deleted layer version works where it is used, and can be added to nothing any more."
        )
        expect("the price after that", shop.total(shop.orders, [net])).equals(
            price, why="To roll back is to name the old version again."
        )


@check(task="release", after=["02.leaves-a-way-back"], cards=["lambda-layers", "lambda-layers-sam"])
def test_moves_functions_to_the_new_version(lab):
    """A new version alone changes no function; after release() both use it."""
    shop = Shop(lab)
    fee, net = lab.draw.random.randint(1000, 9999), draw_net(lab)
    with shop.restored(shop.orders, shop.invoices):
        before = [shop.total(shop.orders, [net]), shop.invoiced(shop.invoices, net)]
        unwanted = shop.library_files() | {shop.place("prices.py"): LIBRARY.format(fee=fee + 1)}
        shop.publish(unwanted, shop.library.split(":")[6])
        for function in (shop.orders, shop.invoices):
            shop.attach(function, shop.layers(function))  # and so a new environment
        found = [shop.total(shop.orders, [net]), shop.invoiced(shop.invoices, net)]
        expect("the prices after somebody has published a version", found).equals(
            before, why="A function names a version by its number; publishing another changes nothing for it."
        )
        said = shop.release(fee, [shop.orders, shop.invoices])
        found = [shop.total(shop.orders, [net]), shop.invoiced(shop.invoices, net)]
        wanted = [gross(net, rate, fee) for rate in (GERMANY, AUSTRIA)]
        expect(f"the prices after the release of a library that adds {fee}", found).meets(
            all(price in wanted for price in found),
            f"{wanted[0]} for the order, {wanted[0]} or {wanted[1]} for the invoice",
            why="A release reaches the functions only when each of them names the new version.",
        )
        expect("what release() says it has moved", sorted(said["moved"])).equals(
            sorted([shop.orders, shop.invoices]), why="What was moved has to be told."
        )


@check(
    task="release",
    after=["02.moves-functions-to-the-new-version", "02.invoices-have-their-own-rate"],
    cards=["lambda-layers"],
)
def test_keeps_the_other_layers(lab):
    """A release changes one entry of a function's list: the others stay, each in its place."""
    shop = Shop(lab)
    fee, net = lab.draw.random.randint(1000, 9999), draw_net(lab)
    marker = shop.publish({"marker.txt": lab.draw.word()})
    with shop.restored(shop.invoices):
        shop.attach(shop.invoices, [marker, *shop.layers(shop.invoices)])
        before = shop.layers(shop.invoices)
        said = shop.release(fee, [shop.invoices])
        after = shop.layers(shop.invoices)
        expect("the price of an invoice after the release", shop.invoiced(shop.invoices, net)).equals(
            gross(net, AUSTRIA, fee), why="Austria's rates must still be there, and still come after the library."
        )
        expect("the list of layers after the release", after).equals(
            [said["layer"] if arn == shop.library else arn for arn in before],
            why="Layers replaces the whole list, and its order matters: put the new version where the old one was.",
        )


@check(
    task="release",
    after=["02.moves-functions-to-the-new-version"],
    needs=["lambda.image-without-layers"],
    cards=["lambda-zip-vs-image"],
)
def test_leaves_functions_from_images_alone(lab):
    """A function from a container image takes no layers: release() leaves it as it is, and moves the others."""
    shop = Shop(lab)
    fee, net = lab.draw.random.randint(1000, 9999), draw_net(lab)
    image = shop.name("image")
    role = shop.functions.get_function_configuration(FunctionName=shop.orders)["Role"]
    shop.functions.create_function(FunctionName=image, Role=role, PackageType="Image", Code={"ImageUri": IMAGE})
    with shop.restored(shop.orders):
        said = shop.release(fee, [image, shop.orders])
        expect("what release() has moved, and what it has left", [said["moved"], said["left"]]).equals(
            [[shop.orders], [image]], why="An image has its libraries built in: it needs a new image instead."
        )
        price = shop.total(shop.orders, [net])
        expect("the price of an order after that", price).meets(
            price in [gross(net, rate, fee) for rate in (GERMANY, AUSTRIA)],
            f"{gross(net, GERMANY, fee)}",
            why="One function that cannot be moved must not keep the others back.",
        )


# --- grant ----------------------------------------------------------------------------------------------------------


@check(
    task="grant", after=["02.lies-where-the-runtime-looks"], needs=["lambda.layer-permissions"], cards=["lambda-layers"]
)
def test_is_private_until_granted(lab):
    """Another account can use the layer after grant(), and not before."""
    shop, partner = Shop(lab), Partner(lab)
    expect("a function of another account with the layer, before grant()", partner.use(shop.library)).equals(
        "AccessDeniedException", why="A layer belongs to its account alone until somebody is let in."
    )
    shop.grant(shop.library, partner.number)
    expect("the same after grant()", partner.use(shop.library)).equals(
        "accepted", why="Using a layer needs leave to do lambda:GetLayerVersion, from the account that has it."
    )
    expect("where that function finds the library", partner.run()).contains(
        "/opt/", why="It runs with the layer as if it were its own."
    )


@check(task="grant", after=["02.is-private-until-granted"], needs=["lambda.layer-permissions"], cards=["lambda-layers"])
def test_lets_in_whom_it_names(lab):
    """A grant to one account lets in no other; that one can be granted too."""
    shop, partner, stranger = Shop(lab), Partner(lab), Partner(lab)
    shop.grant(shop.library, partner.number)
    expect("a function of an account that was not granted", stranger.use(shop.library)).equals(
        "AccessDeniedException", why="Principal names an account; an asterisk would be everybody on AWS."
    )
    shop.grant(shop.library, stranger.number)
    expect("the same after a grant of its own", stranger.use(shop.library)).equals(
        "accepted", why="A second account needs a second statement, with an id of its own."
    )


@check(task="grant", after=["02.is-private-until-granted"], needs=["lambda.layer-permissions"], cards=["lambda-layers"])
def test_grants_one_version(lab):
    """A grant is for one version of the layer; another version needs its own."""
    shop, partner = Shop(lab), Partner(lab)
    other = shop.publish(shop.library_files(), shop.library.split(":")[6])
    shop.grant(shop.library, partner.number)
    expect("the version that was granted", partner.use(shop.library)).equals("accepted", why="It was granted.")
    expect("another version of the same layer", partner.use(other)).equals(
        "AccessDeniedException", why="The policy belongs to the version: what comes later is not given away with it."
    )
    shop.grant(other, partner.number)
    expect("that version after a grant of its own", partner.use(other)).equals(
        "accepted", why="grant() is told which version it is about."
    )
