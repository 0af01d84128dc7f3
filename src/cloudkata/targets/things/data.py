"""What keeps data: tables with their backups, buckets."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from cloudkata.targets.things.thing import Listing, Thing, items


def _tables(client) -> Iterator[Thing]:
    def delete(name: str) -> None:
        try:
            client.delete_table(TableName=name)
        except ClientError as error:
            if "deletion protection" not in str(error).lower():
                raise
            client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.delete_table(TableName=name)

    for name in items(client, "list_tables", "TableNames"):
        yield Thing(name, lambda name=name: delete(name))


def _backups(client) -> Iterator[Thing]:
    for one in items(client, "list_backups", "BackupSummaries", BackupType="USER"):
        arn = one["BackupArn"]
        yield Thing(one["TableName"], lambda arn=arn: client.delete_backup(BackupArn=arn), (arn,))


def _buckets(client) -> Iterator[Thing]:
    def empty_and_delete(name: str) -> None:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            if keys:
                answer = client.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
                for refused in answer.get("Errors", ()):
                    told = {"Code": refused.get("Code", ""), "Message": f"{refused['Key']}: {refused.get('Message')}"}
                    raise ClientError({"Error": told}, "DeleteObjects")
        for one in items(client, "list_multipart_uploads", "Uploads", Bucket=name):
            client.abort_multipart_upload(Bucket=name, Key=one["Key"], UploadId=one["UploadId"])
        client.delete_bucket(Bucket=name)

    for one in items(client, "list_buckets", "Buckets"):
        name = one["Name"]
        yield Thing(name, lambda name=name: empty_and_delete(name), arn=f"arn:aws:s3:::{name}")


TABLES = Listing("table", "dynamodb", _tables, "/dynamodbv2/home?region={region}#table?name={name}")
BACKUPS = Listing("backup", "dynamodb", _backups, "/dynamodbv2/home?region={region}#backups", ("CreateBackup",))
BUCKETS = Listing("bucket", "s3", _buckets, "/s3/buckets/{name}?region={region}")
