"""The function behind a stack's `once`: a custom resource that calls a function of the solution's deploy.py.

It runs on Lambda, with deploy.py and kata_lab beside it. What that function returns is the attribute `Value`.
"""

import json
import os
import urllib.request

import deploy

from kata_lab.lab import Lab


def handler(event, context):
    wanted = event["ResourceProperties"]
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId") or wanted["Call"]}
    try:
        if event["RequestType"] == "Create":  # what it made goes with what it made it in
            lab = Lab(folder=".", prefix=wanted["Prefix"], region=os.environ["AWS_REGION"], account="", poll=0)
            answer["Data"] = {"Value": getattr(deploy, wanted["Call"])(lab, *wanted["Arguments"])}
    except Exception as error:  # whatever it is, CloudFormation is to know at once
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
