"""Lab 11: who may sign up, how members sign in, what their tokens say, and what their AWS credentials can do.

The checks make users and an app client of their own with administrator's keys, so that each task is proved by itself.
"""

from __future__ import annotations

import base64
import contextlib
import json
import uuid

from botocore.exceptions import ClientError

from cloudkata.checking import Keys, check, expect

DOMAIN = "photoclub.example"
STARTS = "A password that never travels cannot be read on the way, in a log, or by the server."
HOLDS = "The role's policy is all that these credentials can do."
FLOWS = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


# --- what the checks share ------------------------------------------------------------------------------------------


def code(operation) -> str:
    """The error code that AWS refuses an operation with, or "accepted"."""
    try:
        operation()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "accepted"


def password(lab) -> str:
    return f"{lab.draw.word().capitalize()}-{lab.draw.random.randint(1000, 9999)}-{lab.draw.word()}"


def pool_arguments(lab) -> dict:
    return {"UserPoolId": lab.outputs["UserPoolId"]}


def member(lab, *groups: str, permanent: bool = True) -> tuple[str, str]:
    """A member whom an administrator added, in these groups: (name, password)."""
    idp, name, secret = lab.client("cognito-idp"), f"{lab.draw.word()}-{uuid.uuid4().hex[:6]}", password(lab)
    attributes = [{"Name": "email", "Value": f"{name}@{DOMAIN}"}, {"Name": "email_verified", "Value": "true"}]
    pool = pool_arguments(lab)
    added = code(
        lambda: idp.admin_create_user(
            **pool, Username=name, UserAttributes=attributes, TemporaryPassword=secret, MessageAction="SUPPRESS"
        )
    )
    expect(f"adding {name}@{DOMAIN} as an administrator", added).equals(
        "accepted", why="Administrators add members too, and the trigger is called for them as well."
    )
    if permanent:
        idp.admin_set_user_password(**pool, Username=name, Password=secret, Permanent=True)
    for group in groups:
        with contextlib.suppress(idp.exceptions.GroupExistsException):
            idp.create_group(**pool, GroupName=group)
        idp.admin_add_user_to_group(**pool, Username=name, GroupName=group)
    return name, secret


@contextlib.contextmanager
def own_client(lab):
    """The id of an app client of the checks' own, so that nothing depends on the one under test."""
    idp = lab.client("cognito-idp")
    made = idp.create_user_pool_client(**pool_arguments(lab), ClientName="checks", ExplicitAuthFlows=FLOWS)
    client_id = made["UserPoolClient"]["ClientId"]
    try:
        yield client_id
    finally:
        idp.delete_user_pool_client(**pool_arguments(lab), ClientId=client_id)


def tokens_of(lab, client_id: str, name: str, secret: str) -> dict:
    """The tokens of a member who signs in at the checks' own client."""
    found: dict = {}

    def sign_in():
        found.update(
            lab.client("cognito-idp").admin_initiate_auth(
                **pool_arguments(lab),
                ClientId=client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": name, "PASSWORD": secret},
            )
        )

    expect(f"signing in as {name}", code(sign_in)).equals(
        "accepted", why="A trigger that fails, or that Cognito may not call, leaves members without tokens."
    )
    return found


def claims(token: str) -> dict:
    """What a token that came straight from Cognito says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def answer(called, what: str):
    """What a function of client.py returned."""
    if called.error:
        where = "".join(f", {frame.file} line {frame.line}: {frame.source}" for frame in called.frames[-1:])
        expect(what, f"{called.error}{where}").meets(False, "an answer", why="The app cannot go on from an exception.")
    expect(what, called.value).meets(isinstance(called.value, dict), "a dictionary", why="Callers rely on that shape.")
    return called.value


def signed_in(lab, name: str, secret: str) -> dict:
    """The tokens that the learner's sign_in returns for a member."""
    found = answer(lab.call("sign_in", name, secret), f"sign_in for {name}")
    shown = sorted(key for key, value in found.items() if isinstance(value, str))
    expect("texts in what sign_in returned", shown).meets(
        {"IdToken", "AccessToken"} <= set(shown), "IdToken and AccessToken among them", why="These are the tokens."
    )
    return found


def start_srp(lab, name: str) -> str:
    """What the app client answers to the start of SRP for a name: a challenge's name, or an error code."""
    found: dict = {}
    given = {"USERNAME": name, "SRP_A": format(lab.draw.random.getrandbits(2048), "x")}

    def start():
        found.update(
            lab.client("cognito-idp").initiate_auth(
                ClientId=lab.outputs["ClientId"], AuthFlow="USER_SRP_AUTH", AuthParameters=given
            )
        )

    refused = code(start)
    return found.get("ChallengeName", "no challenge") if refused == "accepted" else refused


# --- sign-up --------------------------------------------------------------------------------------------------------


def sign_up(lab, client_id: str, name: str, email: str | None) -> str:
    """The error code of a sign-up, or "accepted"."""
    given = [{"Name": "email", "Value": email}] if email else []
    return code(
        lambda: lab.client("cognito-idp").sign_up(
            ClientId=client_id, Username=name, Password=password(lab), UserAttributes=given
        )
    )


def status(lab, name: str) -> str:
    """A user's status, or "no such user"."""
    idp = lab.client("cognito-idp")
    try:
        return idp.admin_get_user(**pool_arguments(lab), Username=name)["UserStatus"]
    except idp.exceptions.UserNotFoundException:
        return "no such user"


@check(task="sign-up", cards=["cognito-triggers"], needs=["cognito.triggers"])
def test_members_confirm_their_address(lab):
    """An address of the club can sign up, in whatever case, and counts for nothing before it is confirmed."""
    with own_client(lab) as client_id:
        for name, domain in zip(lab.draw.names(2), (DOMAIN, "PhotoClub.Example"), strict=True):
            expect(f"sign-up with {name}@{domain}", sign_up(lab, client_id, name, f"{name}@{domain}")).equals(
                "accepted", why="Members may sign up; a domain means the same in any case."
            )
            expect(f"status of {name} after the sign-up", status(lab, name)).equals(
                "UNCONFIRMED", why="Anybody can type an address: only the code that was sent there proves it."
            )
            lab.client("cognito-idp").admin_confirm_sign_up(**pool_arguments(lab), Username=name)
            expect(f"status of {name} after the confirmation", status(lab, name)).equals(
                "CONFIRMED", why="A confirmed member can sign in."
            )


@check(task="sign-up", cards=["cognito-triggers"], needs=["cognito.triggers"])
def test_strangers_are_refused(lab):
    """An address of another domain, however alike, is refused and leaves no user; a member's goes on."""
    name = lab.draw.word()
    strangers = [
        f"{name}@example.com",
        f"{name}@my{DOMAIN}",
        f"{name}@{DOMAIN}.example.com",
        f"{DOMAIN}@example.com",
        f"{name}@staff.{DOMAIN}",
        None,
    ]
    with own_client(lab) as client_id:
        for number, email in enumerate(strangers):
            what = f"sign-up with {email or 'no address'}"
            expect(what, sign_up(lab, client_id, f"{name}{number}", email)).equals(
                "UserLambdaValidationException", why="Only an exception of the trigger refuses a sign-up."
            )
            expect(f"the user after the {what}", status(lab, f"{name}{number}")).equals(
                "no such user", why="Whoever is refused must not be in the pool, not even unconfirmed."
            )
        expect(f"sign-up with {name}@{DOMAIN}", sign_up(lab, client_id, name, f"{name}@{DOMAIN}")).equals(
            "accepted", why="The same route is open to members."
        )


# --- client ---------------------------------------------------------------------------------------------------------


@check(task="client", cards=["cognito-srp"])
def test_starts_srp_without_a_secret(lab):
    """Whoever knows the app client's id can start SRP with it: there is no secret to know."""
    name, _ = member(lab)
    expect("the answer to USER_SRP_AUTH without a secret", start_srp(lab, name)).equals(
        "PASSWORD_VERIFIER", why="An app can keep no secret: what everybody can unpack protects nothing."
    )
    found = lab.client("cognito-idp").describe_user_pool_client(
        **pool_arguments(lab), ClientId=lab.outputs["ClientId"]
    )["UserPoolClient"]
    expect("whether the app client has a secret", "ClientSecret" in found).equals(
        False, why="A public client has none."
    )


@check(task="client", cards=["cognito-srp"], needs=["cognito.client-flows"], after=["11.starts-srp-without-a-secret"])
def test_takes_no_password(lab):
    """The app client refuses every flow that sends a password, even the right one, and still starts SRP."""
    idp, (name, secret) = lab.client("cognito-idp"), member(lab)
    given = {"USERNAME": name, "PASSWORD": secret}
    client = {"ClientId": lab.outputs["ClientId"]}
    answers = {
        "USER_PASSWORD_AUTH": lambda flow: idp.initiate_auth(**client, AuthFlow=flow, AuthParameters=given),
        "ADMIN_USER_PASSWORD_AUTH": lambda flow: idp.admin_initiate_auth(
            **pool_arguments(lab), **client, AuthFlow=flow, AuthParameters=given
        ),
    }
    for flow, ask in answers.items():
        found = code(lambda ask=ask, flow=flow: ask(flow))
        expect(f"the answer to {flow} with the right password", found).meets(
            found in ("InvalidParameterException", "NotAuthorizedException"),
            "a refusal",
            why="A flow that nobody uses is a way in for somebody else: " + STARTS,
        )
    expect("the answer to USER_SRP_AUTH", start_srp(lab, name)).equals(
        "PASSWORD_VERIFIER", why="The flow that the app uses is still there."
    )


@check(task="client", cards=["cognito-srp"], after=["11.starts-srp-without-a-secret"])
def test_hides_who_is_a_member(lab):
    """A name that nobody has is answered like a member's."""
    name, _ = member(lab)
    answers = [start_srp(lab, name), start_srp(lab, f"{name}-nobody")]
    expect("the answers for a member and for nobody", answers).equals(
        ["PASSWORD_VERIFIER"] * 2, why="Whoever can ask which names exist has half of what it takes to get in."
    )


# --- sign-in --------------------------------------------------------------------------------------------------------


@check(task="sign-in", cards=["cognito-srp"])
def test_signs_in(lab):
    """A member's name and password bring tokens, which Cognito accepts as that member's."""
    name, secret = member(lab)
    found = signed_in(lab, name, secret)
    who: dict = {}
    asked = code(lambda: who.update(lab.client("cognito-idp").get_user(AccessToken=found["AccessToken"])))
    expect("GetUser with the access token", asked).equals("accepted", why="An access token opens the pool's own API.")
    expect("the user of the access token", who.get("Username")).equals(name, why="The tokens are the member's own.")
    said = claims(found["IdToken"]) if found["IdToken"].count(".") == 2 else {}
    expect("token_use and aud of the ID token", (said.get("token_use"), said.get("aud"))).equals(
        ("id", lab.outputs["ClientId"]), why="The ID token says who signed in, to this app."
    )


@check(task="sign-in", cards=["cognito-srp"], needs=["requests.log"], after=["11.signs-in"])
def test_the_password_stays_at_home(lab):
    """Neither request of the sign-in carries the password, in any form."""
    name, secret = member(lab)
    with lab.watching(password=secret) as seen:
        lab.client("cognito-idp").admin_set_user_password(
            **pool_arguments(lab), Username=name, Password=secret, Permanent=True
        )
        signed_in(lab, name, secret)
    sent = [request.operation for request in seen]
    expect("operations since the password was set", sent).meets(
        {"InitiateAuth", "RespondToAuthChallenge"} <= set(sent),
        "InitiateAuth and RespondToAuthChallenge among them",
        why="SRP takes two requests: the start, and the answer to the challenge.",
    )
    carriers = [request.operation for request in seen if "password" in request.carried]
    expect("operations that carried the password", carriers).equals(
        ["AdminSetUserPassword"],
        why="The check itself sent the password when it set it, and nobody should have sent it again: " + STARTS,
    )


@check(task="sign-in", cards=["cognito-srp"], after=["11.signs-in"])
def test_a_wrong_password_brings_no_tokens(lab):
    """A wrong password ends in Cognito's NotAuthorizedException; the right one still works."""
    name, secret = member(lab)
    called = lab.call("sign_in", name, secret + "x")
    expect("sign_in with a wrong password", called.kind or called.value).equals(
        "NotAuthorizedException", why="The caller must not take a failed sign-in for a member without tokens."
    )
    signed_in(lab, name, secret)


@check(task="sign-in", cards=["cognito-srp"], after=["11.signs-in"])
def test_refreshes(lab):
    """The refresh token that sign_in returned brings new tokens for the same member."""
    name, secret = member(lab)
    first = signed_in(lab, name, secret)
    expect("the refresh token that sign_in returned", type(first.get("RefreshToken")).__name__).equals(
        "str", why="Without it the member types the password again every hour."
    )
    second = refreshed(lab, first["RefreshToken"])
    for token in ("IdToken", "AccessToken"):
        expect(f"a new {token}", second.get(token) not in (None, first[token])).equals(
            True, why="A refresh brings both tokens anew."
        )
    expect("the member of the new ID token", claims(second["IdToken"]).get("cognito:username")).equals(
        name, why="A refresh token belongs to one member."
    )


def refreshed(lab, token: str) -> dict:
    """New tokens for a refresh token, by the flow, or where the client rotates by the operation for that."""
    idp, client = lab.client("cognito-idp"), {"ClientId": lab.outputs["ClientId"]}
    found: dict = {}
    given = {"REFRESH_TOKEN": token}
    ways = (
        lambda: idp.initiate_auth(**client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given),
        lambda: idp.get_tokens_from_refresh_token(**client, RefreshToken=token),
    )
    refusals = []
    for way in ways:
        refusals.append(code(lambda way=way: found.update(way()["AuthenticationResult"])))
        if found:
            return found
    expect("refreshing with REFRESH_TOKEN_AUTH and with GetTokensFromRefreshToken", refusals).meets(
        False, "one of them accepted", why="Members stay signed in for as long as the refresh token lives."
    )
    return found


# --- claims ---------------------------------------------------------------------------------------------------------


def membership(tokens: dict):
    return claims(tokens["AuthenticationResult"]["IdToken"]).get("membership")


@check(task="claims", cards=["cognito-triggers"], needs=["cognito.triggers"])
def test_tells_editors_from_members(lab):
    """The ID token's `membership` is "editor" for who is in the group editors, and "member" for everybody else."""
    members = {"editor": member(lab, "editors", "night-walks"), "member": member(lab, "night-walks")}
    alone = member(lab)
    with own_client(lab) as client_id:
        found = {wanted: membership(tokens_of(lab, client_id, *who)) for wanted, who in members.items()}
        found["no group"] = membership(tokens_of(lab, client_id, *alone))
    expect("membership of an editor, a member of another group, and one without a group", found).equals(
        {"editor": "editor", "member": "member", "no group": "member"},
        why="The app shows by this claim what a member may do, without asking again.",
    )


@check(task="claims", cards=["cognito-triggers"], after=["11.tells-editors-from-members"])
def test_groups_stay_as_they_are(lab):
    """Both tokens still name exactly the groups that the member is in."""
    who = member(lab, "editors", "night-walks")
    with own_client(lab) as client_id:
        result = tokens_of(lab, client_id, *who)["AuthenticationResult"]
    found = [sorted(claims(result[token]).get("cognito:groups", [])) for token in ("IdToken", "AccessToken")]
    expect("cognito:groups in the ID token and in the access token", found).equals(
        [["editors", "night-walks"]] * 2, why="Others decide by the groups: a claim is added beside them."
    )


@check(task="claims", cards=["cognito-triggers"], after=["11.tells-editors-from-members"])
def test_the_client_cannot_promote_itself(lab):
    """What a client sends along with its sign-in makes nobody an editor; being in the group does."""
    sent = {"membership": "editor", "groups": "editors", "cognito:groups": "editors", "editors": "true"}
    found = []
    with own_client(lab) as client_id:
        for groups in ((), ("editors",)):
            name, secret = member(lab, *groups, permanent=False)
            tokens_of(lab, client_id, name, secret)  # which asks for a new password
            session = tokens_of(lab, client_id, name, secret)["Session"]
            answered = lab.client("cognito-idp").admin_respond_to_auth_challenge(
                **pool_arguments(lab),
                ClientId=client_id,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session=session,
                ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": password(lab)},
                ClientMetadata=sent,
            )
            found.append(membership(answered))
    expect("membership of a member and of an editor whose client sent that it is an editor's", found).equals(
        ["member", "editor"], why="The client is in the member's hands: what it says about itself proves nothing."
    )


# --- credentials ----------------------------------------------------------------------------------------------------


def holder(lab, found: dict):
    """What makes clients that sign with temporary credentials."""
    keys = Keys(found["AccessKeyId"], found["SecretKey"], found["SessionToken"])
    return lambda service: lab.client(service, keys)


def exchanged(lab, id_token: str) -> dict:
    """What the learner's credentials() returns for a token."""
    found = answer(lab.call("credentials", id_token), "credentials")
    names = ["IdentityId", "AccessKeyId", "SecretKey", "SessionToken"]
    expect("what credentials returned", sorted(found)).meets(
        all(isinstance(found.get(name), str) for name in names),
        f"{', '.join(names)} as texts",
        why="It takes all three parts of temporary credentials to sign a request.",
    )
    return found


def allowed(operation) -> str:
    """ "allowed", or the code of the refusal."""
    found = code(operation)
    return "allowed" if found == "accepted" else found


def refused(what: str, operation) -> None:
    found = code(operation)
    expect(what, found).meets("AccessDenied" in found or found == "AuthorizationError", "AccessDenied", why=HOLDS)


@check(
    task="credentials",
    cards=["cognito-identity-pool"],
    needs=["cognito.identity-pool-roles", "iam.policy-variables"],
    after=["11.signs-in"],
)
def test_opens_the_own_folder(lab):
    """The credentials are the role's, and can write and read photos in the folder of the member's identity."""
    keys = exchanged(lab, signed_in(lab, *member(lab))["IdToken"])
    client = holder(lab, keys)
    who: dict = {}
    asked = code(lambda: who.update(client("sts").get_caller_identity()))
    expect("GetCallerIdentity with the credentials", asked).equals(
        "accepted", why="AWS knows only credentials that it gave out itself."
    )
    role = lab.outputs["AuthenticatedRoleArn"].rpartition("/")[2]
    expect("who the credentials say to be", who.get("Arn", "")).contains(
        f":assumed-role/{role}/", why="Credentials are those of a role, not of a user."
    )
    s3 = client("s3")
    photo = {"Bucket": lab.outputs["PhotosBucket"], "Key": f"{keys['IdentityId']}/{lab.draw.word()}.jpg"}
    body = lab.draw.word().encode()
    expect("writing to the own folder", allowed(lambda: s3.put_object(**photo, Body=body))).equals(
        "allowed", why="A member's photos stand below the id of the member's identity."
    )
    read: list[bytes] = []
    expect("reading from the own folder", allowed(lambda: read.append(s3.get_object(**photo)["Body"].read()))).equals(
        "allowed", why="Members see their own photos."
    )
    expect("what was read", read).equals([body], why="It is the photo that was written.")


@check(
    task="credentials",
    cards=["cognito-identity-pool"],
    needs=["cognito.identity-pool-roles"],
    after=["11.opens-the-own-folder"],
)
def test_and_nothing_else(lab):
    """The same credentials are refused another member's folder, deleting, listing, and every other service."""
    mine = exchanged(lab, signed_in(lab, *member(lab))["IdToken"])
    theirs = exchanged(lab, signed_in(lab, *member(lab))["IdToken"])
    bucket, owner = lab.outputs["PhotosBucket"], holder(lab, theirs)("s3")
    photo = {"Bucket": bucket, "Key": f"{theirs['IdentityId']}/{lab.draw.word()}.jpg"}
    expect("writing to the own folder", allowed(lambda: owner.put_object(**photo, Body=b"theirs"))).equals(
        "allowed", why="The same request by its owner is allowed."
    )
    client = holder(lab, mine)
    s3 = client("s3")
    own = {"Bucket": bucket, "Key": f"{mine['IdentityId']}/{lab.draw.word()}.jpg"}
    s3.put_object(**own, Body=b"mine")
    refused("reading another member's photo", lambda: s3.get_object(**photo))
    refused("writing over another member's photo", lambda: s3.put_object(**photo, Body=b"mine"))
    refused("writing beside the folders", lambda: s3.put_object(Bucket=bucket, Key="photo.jpg", Body=b"mine"))
    refused("deleting the own photo", lambda: s3.delete_object(**own))
    refused("listing the bucket", lambda: s3.list_objects_v2(Bucket=bucket))
    refused("listing the buckets", s3.list_buckets)
    refused("listing tables", client("dynamodb").list_tables)
    refused("listing functions", client("lambda").list_functions)
    refused("reading the user pool", lambda: client("cognito-idp").list_users(**pool_arguments(lab)))
    kept = lab.client("s3").get_object(**photo)["Body"].read()
    expect("the other member's photo after all that", kept).equals(b"theirs", why=HOLDS)


@check(
    task="credentials", cards=["cognito-identity-pool"], needs=["cognito.identity-pool-roles"], after=["11.signs-in"]
)
def test_only_what_cognito_signed(lab):
    """A token that was changed, or is no ID token, brings no credentials; the member's own does."""
    found = signed_in(lab, *member(lab))
    head, _, signature = found["IdToken"].split(".")
    changed = {**claims(found["IdToken"]), "sub": str(uuid.uuid4()), "cognito:groups": ["editors"]}
    other = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    expect("credentials for the member's own token", sorted(exchanged(lab, found["IdToken"]))).meets(
        True, "credentials", why="The same call with the token as Cognito signed it."
    )
    wrong = {"a changed ID token": f"{head}.{other}.{signature}", "an access token": found["AccessToken"]}
    for what, token in wrong.items():
        called = lab.call("credentials", token)
        expect(f"credentials for {what}", called.kind or "credentials").meets(
            bool(called.error),
            "an exception",
            why="Anybody can write a token. Only who checks the signature, as the identity pool does, may believe it.",
        )


@check(
    task="credentials", cards=["cognito-identity-pool"], needs=["cognito.identity-pool-roles"], after=["11.signs-in"]
)
def test_guests_get_nothing(lab):
    """Without a token the identity pool gives neither an identity nor credentials; with one it does."""
    identities, pool = lab.client("cognito-identity"), lab.outputs["IdentityPoolId"]

    def as_guest():
        identity = identities.get_id(IdentityPoolId=pool)["IdentityId"]
        identities.get_credentials_for_identity(IdentityId=identity)

    found = code(as_guest)
    expect("GetId and GetCredentialsForIdentity without a token", found).meets(
        found in ("NotAuthorizedException", "InvalidIdentityPoolConfigurationException"),
        "a refusal",
        why="A guest is everybody. What the members' role allows would be open to the world.",
    )
    exchanged(lab, signed_in(lab, *member(lab))["IdToken"])


@check(
    task="credentials", cards=["cognito-identity-pool"], needs=["cognito.identity-pool-roles"], after=["11.signs-in"]
)
def test_the_role_is_for_this_pool(lab):
    """Another identity pool gets no credentials of the role, neither for guests nor for members; this one does."""
    identities, role = lab.client("cognito-identity"), lab.outputs["AuthenticatedRoleArn"]
    with own_client(lab) as client_id, contextlib.ExitStack() as stack:
        token = tokens_of(lab, client_id, *member(lab))["AuthenticationResult"]["IdToken"]
        provider = claims(token)["iss"].removeprefix("https://")
        other = identities.create_identity_pool(
            IdentityPoolName="checks",
            AllowUnauthenticatedIdentities=True,
            CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": client_id}],
        )["IdentityPoolId"]
        stack.callback(identities.delete_identity_pool, IdentityPoolId=other)
        identities.set_identity_pool_roles(IdentityPoolId=other, Roles={"authenticated": role, "unauthenticated": role})
        for who, logins in (("a guest", {}), ("a member", {"Logins": {provider: token}})):
            identity = identities.get_id(IdentityPoolId=other, **logins)["IdentityId"]
            found = code(
                lambda identity=identity, logins=logins: identities.get_credentials_for_identity(
                    IdentityId=identity, **logins
                )
            )
            expect(f"credentials of the role for {who} of another identity pool", found).meets(
                found in ("InvalidIdentityPoolConfigurationException", "NotAuthorizedException"),
                "a refusal",
                why="The trust policy has to name the pool (aud) and the kind of identity (amr): otherwise whoever can "
                "make an identity pool can have the role.",
            )
    exchanged(lab, signed_in(lab, *member(lab))["IdToken"])
